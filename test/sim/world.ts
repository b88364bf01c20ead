/**
 * A whole building on virtual time: intercoms, a desk with its registrar, and a network between them that loses, delays
 * and repeats as its seed dictates. The same seed gives the same trace, to the byte.
 */
import type { Opus } from '../../firmware/audio/codecs/opus.ts';
import { parseConfig } from '../../firmware/config/parse.ts';
import { printProblems } from '../../firmware/config/problems.ts';
import { boardOf } from '../../firmware/controller/board-of.ts';
import type { DeviceEvent } from '../../firmware/controller/contracts.ts';
import { Intercom } from '../../firmware/controller/intercom.ts';
import type { SipSocket } from '../../firmware/controller/sip-socket.ts';
import type { Address } from '../../firmware/lib/address.ts';
import { silentLog } from '../../firmware/lib/log.ts';
import { InProcessMedia } from '../../firmware/media/in-process.ts';
import type { MediaSettings } from '../../firmware/media/protocol.ts';
import type { Resolve } from '../../firmware/sip/contracts.ts';
import { SimulatedAudio } from '../../hal/audio/simulated.ts';
import { openBoard } from '../../hal/board.ts';
import { simulated } from '../../hal/boards/simulated.ts';
import type { Board } from '../../hal/contracts.ts';
import { Desk, type DeskCall, type DeskEvent } from '../desk/desk.ts';
import { type Impairment, LossyNetwork } from './lossy-network.ts';
import { SimulatedMediaNetwork } from './media-network.ts';
import { ordinarySound, simulatedCard } from './media-settings.ts';
import { MemoryFiles } from './memory-files.ts';
import { seeded } from './seeded.ts';
import { VirtualClock } from './virtual-clock.ts';

export const DESK: Address = { host: '192.0.2.1', port: 5060 };
export const DEVICE: Address = { host: '192.0.2.10', port: 5060 };
const RATE = 8_000;
/** 2026-01-01T00:00:00Z: where every simulated wall clock starts. */
const EPOCH_MS = 1_767_225_600_000;
/** A world that takes more steps than this within one `run` has gone wild. */
const STEP_LIMIT = 2_000_000;

type Speaks = (frame: Int16Array, index: number) => void;

/** A steady sine, for `speaks`. */
export const tone =
  (hz: number, amplitude = 8_000): Speaks =>
  (frame, index) => {
    for (let at = 0; at < frame.length; at++)
      frame[at] = Math.round(amplitude * Math.sin((2 * Math.PI * hz * (index * frame.length + at)) / RATE));
  };

/** A microphone and a loudspeaker that remembers. */
class Ears {
  readonly media: InProcessMedia;
  #heard = new Int16Array(0);
  #count = 0;

  constructor(
    world: World,
    address: Address,
    settings: MediaSettings,
    opus: Opus | undefined,
    speaks: Speaks | undefined,
  ) {
    const audio = new SimulatedAudio({
      spec: settings.audio,
      clock: world.clock,
      ...(speaks !== undefined && { source: speaks }),
      sink: frame => this.#remember(frame),
    });
    this.media = new InProcessMedia({
      clock: world.clock,
      wallClock: world.wallClock,
      random: world.random,
      // The address may change while it runs.
      network: world.sound.host(address.host, port => ({ host: address.host, port })),
      multicast: world.sound.multicast(address.host),
      files: world.files,
      settings,
      opus,
      audio,
    });
  }

  /** Everything that the loudspeaker has played, from `fromMs` before the end to the end. */
  heard(fromMs = Number.POSITIVE_INFINITY): Int16Array {
    return this.#heard.slice(Math.max(0, this.#count - Math.round((fromMs * RATE) / 1000)), this.#count);
  }

  #remember(frame: Int16Array) {
    if (this.#count + frame.length > this.#heard.length) {
      const larger = new Int16Array(Math.max(2 * this.#heard.length, 60 * RATE));
      larger.set(this.#heard.subarray(0, this.#count));
      this.#heard = larger;
    }
    this.#heard.set(frame, this.#count);
    this.#count += frame.length;
  }
}

/** One button, one door, one desk: the configuration of the device in most stories. */
export const building = {
  board: { name: 'simulated' },
  media: { codecs: ['PCMA', 'PCMU'] },
  sip: {
    listen: { host: '192.0.2.10' },
    accounts: { pbx: { uri: `sip:front@${DESK.host}:5060`, password: 'secret', expires: '60 s' } },
  },
  contacts: { desk: { uri: `sip:desk@${DESK.host}:5060` } },
  buttons: { front: { input: 'button-1', press: 'call desk', led: 'led-1' } },
  doors: { main: { relay: 'relay-1', openFor: '3 s', codes: ['55'] } },
  calls: { ringFor: '20 s', talkFor: '2 min', autoAnswer: { allow: [`desk@${DESK.host}`] } },
};

export interface SimDevice {
  intercom: Intercom;
  events: DeviceEvent[];
  /** Pulls its cable, or puts it back. */
  link(state: 'up' | 'down'): void;
  /** It is given another address, as by DHCP, while everything runs on. */
  moveTo(host: string): void;
  /** Moves the wire of a button. */
  hold(input: string, active: boolean): void;
  /** The level of an output now. */
  output(name: string): boolean;
  ears: Ears;
}

export interface WorldOptions {
  seed: number;
  impairment: Impairment;
  opus?: Opus;
}

export class World {
  readonly clock = new VirtualClock();
  /** What lies on everybody's disk. */
  readonly files = new MemoryFiles(this.clock);
  readonly random;
  readonly network: LossyNetwork;
  readonly sound: SimulatedMediaNetwork;
  /** Hosts whose SIP port cannot be had now, and why not. */
  readonly refusedPorts = new Map<string, string>();
  /** What devices and desk did, between the packets. */
  readonly trace: string[];
  readonly #opus: Opus | undefined;

  constructor({ seed, impairment, opus }: WorldOptions) {
    this.random = seeded(seed);
    this.network = new LossyNetwork(this.clock, seeded(seed ^ 0x5e9a), impairment);
    this.trace = this.network.trace;
    const { loss, duplication, delayMs } = impairment;
    this.sound = new SimulatedMediaNetwork(this.clock, seeded(seed ^ 0x2b17), {
      loss,
      duplication,
      delayMs: [delayMs[0], delayMs[1]],
    });
    this.#opus = opus;
  }

  /** Somebody set the clock: by so much it is off. Milliseconds. */
  wallJumpMs = 0;

  readonly wallClock = () => EPOCH_MS + this.clock.now() + this.wallJumpMs;

  readonly #resolve: Resolve = (host, port, done) =>
    /^[0-9.]+$/.test(host) ? done([{ host, port: port ?? 5060 }]) : done([], `${host} is not known here`);

  /** A device, started. `document` is its local configuration. */
  device(document: object, speaks?: Speaks, address = DEVICE): SimDevice {
    const parsed = parseConfig(document);
    if ('problems' in parsed) throw new Error(printProblems(parsed.problems).join('\n'));
    let board: Board | undefined;
    let ears!: Ears;
    const cable = this.#cable(address);
    const intercom = new Intercom(
      {
        clock: this.clock,
        wallClock: this.wallClock,
        random: this.random,
        log: silentLog,
        version: '0.0.0',
        resolve: this.#resolve,
        openBoard: config => {
          board = openBoard(boardOf(simulated, config), { clock: this.clock });
          return board;
        },
        openSocket: () => cable.socket,
        addresses: cable.addresses,
        soundsDirectory: '/sounds',
        recordings: { next: (folder, name) => `${folder}/${name}` },
        openMedia: settings => {
          const audio = simulatedCard(RATE);
          ears = new Ears(this, cable.at, { ...settings, audio }, this.#opus, speaks);
          return ears.media;
        },
      },
      parsed.config,
    );
    const events: DeviceEvent[] = [];
    intercom.onEvent(event => {
      events.push(event);
      const { seq: _seq, session: _session, ts: _ts, source, type, ...facts } = event;
      // Figures of the sound change with every step of the jitter buffer: they are no part of a ladder.
      if (type === 'quality') return;
      this.note(address === DEVICE ? 'device' : address.host, `${source} ${type} ${JSON.stringify(facts)}`);
    });
    intercom.start();
    return {
      intercom,
      events,
      link: cable.link,
      moveTo: cable.moveTo,
      hold: (input, active) => board?.hand?.set(input, active),
      output: name => board!.output(name).read(),
      get ears() {
        return ears;
      },
    };
  }

  /** A desk, started; the first is at `DESK`. */
  desk(
    options: {
      onCall?: (call: DeskCall) => void;
      onEvent?: (event: DeskEvent) => void;
      speaks?: Speaks;
      address?: Address;
      user?: string;
    } = {},
  ) {
    const { address = DESK, user = 'desk' } = options;
    const ears = new Ears(this, address, ordinarySound(RATE, user), this.#opus, options.speaks);
    const events: DeskEvent[] = [];
    const desk = new Desk(
      {
        clock: this.clock,
        wallClock: this.wallClock,
        random: this.random,
        log: silentLog,
        resolve: this.#resolve,
        socket: this.#cable(address).socket,
        media: ears.media,
      },
      {
        ...address,
        user,
        callers: ['stranger'],
        realm: 'desk',
        passwords: { front: 'secret' },
        codecs: this.#opus === undefined ? ['PCMA', 'PCMU'] : ['opus', 'PCMA'],
        onCall: options.onCall ?? (call => call.ring()),
        onEvent: event => {
          events.push(event);
          options.onEvent?.(event);
          const about = event.is === 'registered' ? event.user : event.call.remote;
          this.note(user, `${event.is} ${about}${event.is === 'key' ? ` ${event.key}` : ''}`);
        },
      },
    );
    desk.start();
    return { desk, events, ears };
  }

  /** Runs `ms` of virtual time; promises are settled between steps. */
  async run(ms: number) {
    const untilMs = this.clock.now() + ms;
    await this.#settle();
    for (let steps = 0; this.clock.step(untilMs); steps++) {
      if (steps > STEP_LIMIT) throw new Error(`more than ${STEP_LIMIT} steps; armed: ${this.clock.armed.join(', ')}`);
      if (this.#owed > 0) await this.#settle();
    }
    this.clock.advance(Math.max(0, untilMs - this.clock.now()));
  }

  /** Runs until `condition` holds; false if it does not within `limitMs`. */
  async until(condition: () => boolean, limitMs: number): Promise<boolean> {
    const untilMs = this.clock.now() + limitMs;
    while (!condition()) {
      if (this.clock.now() >= untilMs) return false;
      await this.run(Math.min(20, untilMs - this.clock.now()));
    }
    return true;
  }

  /** Promises of the parts under way: a step that may wait for one is followed by a turn of the microtask queue. */
  #owed = 0;

  /** Waits for a promise while virtual time goes on. */
  async finish(promise: Promise<unknown>, limitMs = 60_000) {
    let done = false;
    this.#owed++;
    void promise.finally(() => {
      done = true;
    });
    const good = await this.until(() => done, limitMs);
    this.#owed--;
    if (!good) throw new Error(`not finished within ${limitMs} ms; armed: ${this.clock.armed.join(', ')}`);
  }

  async #settle() {
    for (let turn = 0; turn < 8; turn++) await undefined;
  }

  /** What joins a machine to the network: its address may change, and its link may go. */
  #cable(address: Address) {
    const at = { ...address };
    let receive: Parameters<SipSocket['start']>[0] | undefined;
    let isUp = true;
    let unplug = () => {};
    const plug = () => {
      unplug();
      unplug = receive === undefined || !isUp ? () => {} : this.network.attach({ ...at }, receive);
    };
    const socket: SipSocket = {
      localFor: () => ({ ...at }),
      send: (bytes, to) => this.network.send(bytes, { ...at }, to),
      start: (take, onFailure) => {
        const why = this.refusedPorts.get(at.host);
        if (why !== undefined) this.clock.after(0, () => onFailure(why, true), 'bind');
        else {
          receive = take;
          plug();
        }
      },
      stop: () => {
        receive = undefined;
        plug();
      },
    };
    return {
      at,
      socket,
      addresses: () => (isUp ? [at.host] : []),
      link: (state: 'up' | 'down') => {
        isUp = state === 'up';
        if (isUp) this.sound.cutOff.delete(at.host);
        else this.sound.cutOff.add(at.host);
        plug();
      },
      moveTo: (host: string) => {
        this.sound.move(at.host, host);
        at.host = host;
        plug();
      },
    };
  }

  /** A line between the packets. */
  note(who: string, what: string) {
    this.trace.push(`${this.clock.now().toFixed(0).padStart(6)} ${who}: ${what}`);
  }
}
