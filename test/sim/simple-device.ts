/** A device of the simplest kind: no SIP, no sound, no lines; but what it is asked to do shows in its status and events. */

import type {
  Action,
  ActionResult,
  AudioGraph,
  Device,
  DeviceEvent,
  Origin,
  Status,
} from '../../firmware/controller/contracts.ts';
import type { PagingTest } from '../../firmware/controller/paging-test.ts';
import type { ProbeRequest, ProbeResult } from '../../firmware/controller/sip-probe.ts';
import type { SipStatus } from '../../firmware/controller/sip-status.ts';
import type { SeenMessage, Watcher } from '../../firmware/controller/wire-tap.ts';
import { newCounters } from '../../firmware/sip/counters.ts';

const NAMES = { buttons: ['front'], doors: ['main'], contacts: ['desk'], zones: ['hall'], inputs: ['button'] };

export class SimpleDevice implements Device {
  /** What was performed, in order. */
  readonly performed: { action: Action; origin: Origin }[] = [];
  readonly #events = new Set<(event: DeviceEvent) => void>();
  readonly #changes = new Set<() => void>();
  readonly #watchers = new Set<Watcher>();
  #seq = 0;
  #status: Status = {
    device: {
      id: 'porter-1',
      name: 'Front door',
      version: '0.1.0',
      board: 'simulated',
      session: 'c0ffee',
      upForSeconds: 7980,
    },
    call: { state: 'idle' },
    otherCalls: [],
    waiting: [],
    accounts: { main: { aor: 'sip:door@example.org', state: 'registered', detail: '' } },
    contacts: {},
    watchers: 0,
    faults: {},
    doors: { main: { relay: 'at rest', unlocked: false } },
    buttons: { front: { pressed: false, stuck: false } },
    audio: {
      driver: 'alsa',
      state: 'up',
      counters: { frames: 798_000, xruns: 0, reopened: 0, silentFrames: 0, driftSamples: 0, driftPpm: 0 },
      opus: 'libopus',
    },
    paging: { pages: [], groups: {}, sent: [] },
    config: { revision: undefined, source: 'local file' },
    mqtt: { state: 'off' },
    sip: newCounters(),
  };

  perform(action: Action, origin: Origin): ActionResult {
    this.performed.push({ action, origin });
    switch (action.do) {
      case 'call':
        if (!NAMES.contacts.includes(action.target) && !action.target.startsWith('sip:')) {
          return unknown('contact', action.target, NAMES.contacts);
        }
        this.change({ call: { state: 'calling', direction: 'outgoing', remote: action.target } });
        this.tell('call', 'started', { target: action.target });
        return { done: true };
      case 'hang up':
        if (this.#status.call.state === 'idle') return { done: false, code: 'not now', why: 'there is no call' };
        this.change({ call: { state: 'idle' } });
        this.tell('call', 'ended', {});
        return { done: true };
      case 'open':
        if (!NAMES.doors.includes(action.door)) return unknown('door', action.door, NAMES.doors);
        this.change({ doors: { [action.door]: { relay: 'energised', unlocked: true } } });
        this.tell('door', 'opened', { door: action.door });
        return { done: true };
      case 'press':
        if (!NAMES.buttons.includes(action.button)) return unknown('button', action.button, NAMES.buttons);
        this.tell('button', 'pressed', { button: action.button });
        return { done: true };
      default:
        return { done: true };
    }
  }

  status(): Status {
    return structuredClone(this.#status);
  }

  sipProbe({ target, account }: ProbeRequest, done: (result: ProbeResult | { why: string }) => void) {
    if (target === 'nobody') return done({ why: 'there is no such host' });
    const reached = target !== 'down';
    done({
      uri: `sip:${target}`,
      ...(account !== undefined && { account }),
      reached,
      steps: [
        { step: 'name', done: true, found: 'to try: 192.0.2.1:5060' },
        reached
          ? { step: 'options', done: true, found: '200 OK from 192.0.2.1:5060 after 3 ms', status: 200 }
          : { step: 'options', done: false, found: 'no answer from 192.0.2.1:5060' },
      ],
      ...(!reached && { meaning: 'nothing comes back', advice: 'Ping the PBX.' }),
    });
  }

  sipStatus(): SipStatus {
    return {
      accounts: {
        main: {
          aor: 'sip:door@example.org',
          registers: true,
          state: 'registered',
          server: 'tls 192.0.2.1:5061',
          registeredForSeconds: 7_980,
          contact: 'sip:door@192.0.2.10:5060',
          expiresInSeconds: 48,
          nextInSeconds: 40,
          last: { status: 200, why: 'OK', from: 'tls 192.0.2.1:5061', agoSeconds: 12, meaning: 'the server agrees' },
        },
      },
      listening: ['udp 0.0.0.0:5060', 'tcp 0.0.0.0:5060'],
      connections: [{ with: 'tls 192.0.2.1:5061', openedBy: 'us', kept: true }],
      calls: 0,
      transactions: 0,
      counters: this.#status.sip,
    };
  }

  freshStatus(done: (status: Status) => void) {
    done(this.status());
  }

  pagingTest(done: (result: PagingTest | { why: string }) => void) {
    done({
      groups: { hall: { arrives: true, packets: 7 } },
      querier: { is: 'heard', from: '192.0.2.1', agoMs: 34_000 },
    });
  }

  audioGraph(done: (graph: AudioGraph | { why: string }) => void) {
    done({
      ways: [
        ['capture 16 kHz', 'gain 0 dB', 'microphone'],
        ['microphone', 'encode opus 16 kHz 20 ms', 'srtp call-1 [2001:db8:10:20:30:40:50:60]:16402'],
        ['srtp call-1 [2001:db8:10:20:30:40:50:60]:16402', 'buffer 40 ms', 'decode opus 16 kHz', 'mixer'],
        ['mixer', 'gain 0 dB', 'playback'],
      ],
    });
  }

  names() {
    return NAMES;
  }

  onEvent(listener: (event: DeviceEvent) => void) {
    this.#events.add(listener);
    return () => this.#events.delete(listener);
  }

  onChange(listener: () => void) {
    this.#changes.add(listener);
    return () => this.#changes.delete(listener);
  }

  watch(watcher: Watcher) {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Something goes over the network. */
  pass(seen: SeenMessage) {
    for (const watcher of this.#watchers) watcher.onMessage(seen);
  }

  /** Changes parts of the status, as the device's life would. */
  change(parts: Partial<Status>) {
    this.#status = { ...this.#status, ...parts };
    for (const listener of this.#changes) listener();
  }

  /** Something happens. */
  tell(source: DeviceEvent['source'], type: string, facts: Record<string, unknown>) {
    const event = { seq: ++this.#seq, session: 'c0ffee', ts: '2026-11-22T08:00:00.000Z', source, type, ...facts };
    for (const listener of this.#events) listener(event);
  }

  /** How many listen: nobody should after a stop. */
  get listeners() {
    return this.#events.size + this.#changes.size + this.#watchers.size;
  }
}

const unknown = (what: string, name: string, existing: string[]): ActionResult => ({
  done: false,
  code: 'unknown name',
  why: `there is no ${what} "${name}"; there is ${existing.join(', ')}`,
});
