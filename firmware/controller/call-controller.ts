/** All calls of the device: begins each, joins it to the media thread and the others, and says how they stand. */
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import { CallSound } from '../media/call-sound.ts';
import type { Media, MediaEvent } from '../media/protocol.ts';
import { StreamsAhead } from '../media/streams-ahead.ts';
import type { CallHandler, IncomingInvite, SipUserAgent } from '../sip/contracts.ts';
import type { Hop } from '../sip/hop.ts';
import { CallKeys } from './call-keys.ts';
import type { CallPlan } from './call-plan.ts';
import { CallQuality } from './call-quality.ts';
import type { CallSettings } from './call-settings.ts';
import { statusOf, uriOf } from './call-status.ts';
import { CallsInHand } from './calls-in-hand.ts';
import type { CallStatus } from './contracts.ts';
import { DeviceCall } from './device-call.ts';
import type { Doors } from './doors.ts';
import type { EventLog } from './event-log.ts';
import { IncomingCalls } from './incoming-calls.ts';
import { LineUp } from './line-up.ts';
import { LocalTones } from './local-tones.ts';
import { OutgoingCalls } from './outgoing-calls.ts';
import { Transfers } from './transfers.ts';
import type { ZonePages } from './zone-pages.ts';

export interface CallControllerParts {
  clock: Clock;
  random: Random;
  events: EventLog;
  media: Media;
  doors: Doors;
  zonePages: Pick<ZonePages, 'fromCall'>;
  /** Asked anew for each call: a changed contact or limit counts from the next call on. */
  settings: () => CallSettings;
  soundsDirectory: string;
  /** The address that a peer at `remote` can send sound to. */
  hostFor: (remote: string) => string | undefined;
  /** Whether a datagram from this address may ask for automatic answers on this account. */
  isTrusted: (source: string, account: string | undefined) => boolean;
  changed: () => void;
}

export class CallController {
  /** Asked for here: to be placed. */
  readonly outgoing: OutgoingCalls;
  /** Those that are up, as a person handles them. */
  readonly inHand: CallsInHand;
  readonly #parts: CallControllerParts;
  readonly #lines = new LineUp();
  /** Stream → the keys of its call. */
  readonly #keys = new Map<string, CallKeys>();
  readonly #transfers: Transfers;
  readonly #incoming: IncomingCalls;
  readonly #tones: LocalTones;
  readonly #ahead: StreamsAhead;
  readonly #quality: CallQuality;
  #userAgent: SipUserAgent | undefined;

  constructor(parts: CallControllerParts) {
    this.#parts = parts;
    this.#tones = new LocalTones(parts.clock, parts.media);
    this.#ahead = new StreamsAhead(parts.media);
    this.#quality = new CallQuality(parts.events);
    const { clock, events, settings, isTrusted, changed } = parts;
    const begin = (remoteHost: string, plan: CallPlan) => this.#begin(remoteHost, plan);
    const lines = this.#lines;
    const userAgent = () => this.#userAgent;
    const allowed = () => settings().transferTo;
    this.#incoming = new IncomingCalls({ clock, events, lines, settings, isTrusted, begin, changed });
    this.#transfers = new Transfers({ events, lines, userAgent, allowed, isTrusted, begin });
    this.outgoing = new OutgoingCalls({ lines, userAgent, settings, soundsDirectory: parts.soundsDirectory, begin });
    const uriOf = (target: string) => this.outgoing.uriOf(target);
    this.inHand = new CallsInHand({ lines, transfers: this.#transfers, settings, uriOf });
  }

  /** The user agent needs its handler first, and this its user agent. */
  use(userAgent: SipUserAgent) {
    this.#userAgent = userAgent;
  }

  stop() {
    this.#tones.stop();
    this.#incoming.stop();
    for (const keys of this.#keys.values()) keys.stop();
    for (const call of this.#lines.all) call.handle('hang up');
  }

  /** Addresses of ours have come or gone: whoever is talking is told where we are now. */
  networkChanged() {
    for (const call of this.#lines.all) call.networkChanged();
  }

  get active() {
    return this.#lines.size;
  }

  // ---- incoming -----------------------------------------------------------------------------------------------

  onInvite(invite: IncomingInvite): CallHandler {
    if (invite.replaces !== undefined) return this.#transfers.replacing(invite, invite.replaces);
    return this.#incoming.onInvite(invite);
  }

  #begin(remoteHost: string, plan: CallPlan): DeviceCall {
    const { clock, random, events, media, doors, zonePages, hostFor } = this.#parts;
    const settings = this.#parts.settings();
    const { stream, ports } = this.#ahead.take();
    const sound = new CallSound(media, {
      stream,
      ports,
      capabilities: settings.capabilities,
      encryption: settings.encryption(plan.account),
      newKey: bytes => Uint8Array.from(Buffer.from(random.token(bytes), 'hex')),
      host: hostFor(remoteHost) ?? '127.0.0.1',
      bind: settings.bind,
      sessionId: String(random.uint32()),
    });
    const call: DeviceCall = new DeviceCall(
      {
        clock,
        events,
        media,
        sound,
        tones: this.#tones,
        hostNow: () => hostFor(remoteHost),
        limits: { ringForMs: settings.ringForMs, talkForMs: settings.talkForMs },
        changed: this.#parts.changed,
        onTransfer: (transfer, answer) => this.#transfers.asked(call, transfer, answer),
        othersTalk: () => this.#lines.heard.length > 0,
        onTalking: () => this.#lines.makeWay(call),
        onTalk: source => this.#told(call, 'talk', source),
        onHold: source => this.#told(call, 'hold', source),
        onKey: (key, lastedMs) => keys.pressed(key, 'info', lastedMs),
        finished: () => {
          keys.stop();
          this.#keys.delete(stream);
          this.#lines.remove(call);
          this.#quality.callEnded(stream, uriOf(call));
          this.#incoming.lineFreed();
          this.#parts.changed();
        },
      },
      plan,
    );
    const keys = new CallKeys(
      { clock, events, media, doors, zonePages, settings: settings.dtmf, codes: () => this.#parts.settings().codes },
      call,
    );
    this.#keys.set(stream, keys);
    // A visitor who calls a second party is done with the first for now; a transfer has seen to it.
    if (plan.direction === 'outgoing' && plan.besides === undefined) this.#lines.makeWay(call);
    this.#lines.add(call);
    call.start();
    // Now that the answer is out.
    this.#ahead.fill(settings.bind, settings.maxCalls);
    this.#parts.changed();
    return call;
  }

  /** NOTIFY `talk` or `hold`: the far end's own button for this call. */
  #told(call: DeviceCall, what: 'talk' | 'hold', { host }: Hop) {
    const remote = uriOf(call);
    if (!this.#incoming.mayControl(call, host)) {
      const why = `${remote} at ${host} may not have calls answered (calls.autoAnswer)`;
      this.#parts.events.tell('call', 'remote control refused', { remote, what, why });
    } else if (what === 'hold') this.#lines.hold(call);
    else if (call.state === 'ringing') call.handle('answer');
    else if (call.talk.isHeld) this.#lines.resume(call);
  }

  // ---- the media thread ---------------------------------------------------------------------------------------

  onMediaEvent(event: MediaEvent) {
    this.#quality.onMediaEvent(event);
    if (event.is === 'ready') {
      const { bind, maxCalls } = this.#parts.settings();
      this.#ahead.fill(bind, maxCalls);
      return;
    }
    if (this.#ahead.onMediaEvent(event)) return;
    if (event.is === 'report') {
      for (const [stream, statistics] of Object.entries(event.streams)) {
        const call = this.#lines.get(stream);
        if (call !== undefined) call.statistics = statistics;
      }
      return;
    }
    if (event.is === 'played') {
      // What the call was for has been said, or could not be.
      this.#lines.get(event.id)?.hangUp(event.why);
      return;
    }
    if (!('stream' in event)) return;
    const call = this.#lines.get(event.stream);
    if (call === undefined) return;
    switch (event.is) {
      case 'opened':
        call.soundOpened(event.rtpPort, event.rtcpPort);
        break;
      case 'failed':
        if (event.doing === 'open' || event.doing === 'start') call.soundFailed(event.why);
        else this.#parts.events.tell('call', 'sound failed', { doing: event.doing, why: event.why });
        break;
      case 'dtmf':
        this.#keys.get(event.stream)?.pressed(event.key, event.by, event.durationMs);
        break;
      case 'not authentic':
        this.#parts.events.tell('call', 'wrong key', { remote: call.plan.remote.uri, packets: event.packets });
        break;
      case 'silent':
        call.peerSilent(event.forMs);
        break;
    }
  }

  // ---- what is shown ------------------------------------------------------------------------------------------

  status(): CallStatus {
    const { front } = this.#lines;
    return front === undefined ? { state: 'idle' } : statusOf(front);
  }

  /** Callers for whom no line is free, the next one first. */
  get waiting() {
    return this.#incoming.waiting;
  }

  /** Those that `status` does not tell of. */
  others(): CallStatus[] {
    const { all, front } = this.#lines;
    return all.filter(call => call !== front).map(statusOf);
  }
}
