/**
 * The device itself: board, sound, telephone and calls joined together, on whatever clock and network it is given.
 * The process (`device.ts`) and the simulated world run this same class.
 */
import type { Board, Clock } from '../../hal/contracts.ts';
import { changesBetween } from '../config/changes.ts';
import type { Needs } from '../config/field.ts';
import type { Config } from '../config/schema.ts';
import { parseAction } from '../io/actions.ts';
import type { WallClock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { Media, MediaSettings } from '../media/protocol.ts';
import type { Resolve } from '../sip/contracts.ts';
import type { Services } from '../sip/locate/services.ts';
import { perform } from './actions.ts';
import { CallController } from './call-controller.ts';
import { callSettings } from './call-settings.ts';
import type { Action, ActionResult, AudioGraph, Device, DeviceEvent, Origin, Status } from './contracts.ts';
import { Doors } from './doors.ts';
import { EventLog } from './event-log.ts';
import { FrontPanel } from './front-panel.ts';
import { ledFor } from './led-language.ts';
import { mediaSettings } from './media-settings.ts';
import type { ProbeRequest, ProbeResult } from './sip-probe.ts';
import type { SipSocket } from './sip-socket.ts';
import { Sound } from './sound.ts';
import { Telephone } from './telephone.ts';
import { type Watcher, WireTap } from './wire-tap.ts';

export interface IntercomParts {
  clock: Clock;
  wallClock: WallClock;
  random: Random;
  log: Log;
  version: string;
  /** `urn:uuid:…` of this device, for its whole life (RFC 5626 §4.1). Absent: it has none to tell. */
  instanceId?: string | undefined;
  resolve: Resolve;
  openBoard(config: Config): Board;
  /** Addresses of this machine that others can reach; undefined: not known just now. Absent: they never change. */
  addresses?(): readonly string[] | undefined;
  /** Absent: no SRV and NAPTR records are asked for. */
  services?: Services;
  openSocket(settings: Config['sip']): SipSocket;
  openMedia(settings: MediaSettings): Media;
  /** A sound that is named without a folder lies here. */
  soundsDirectory: string;
}

/** What the outer parts of the process add to the status. */
export interface Surroundings {
  config: Status['config'];
  mqtt: Status['mqtt'];
}

/** Changes that stop and start the parts below: never while somebody talks, or walks through a door. */
const DISTURBING: readonly Needs[] = [
  're-register',
  'restart sip',
  'restart media',
  'restart lines',
  'restart process',
];
/** Changes of the status are told at most this often. Milliseconds. */
const CHANGE_MS = 50;
/** How long ending calls and unregistering may take at the stop. Milliseconds. */
const FAREWELL_MS = 2_000;

export class Intercom implements Device {
  readonly events: EventLog;
  /** The configuration is to be looked at now: asked for over SIP, and no call is up. */
  onResync: () => void = () => {};
  readonly #parts: IntercomParts;
  readonly #startedMs: number;
  readonly #tap: WireTap;
  readonly #changeListeners = new Set<() => void>();
  #surroundings: Surroundings = { config: { revision: undefined, source: 'defaults' }, mqtt: { state: 'off' } };
  #config: Config;
  #board!: Board;
  #doors!: Doors;
  #panel!: FrontPanel;
  #sound!: Sound;
  #telephone!: Telephone;
  #calls!: CallController;
  #pending: Config | undefined;
  #resync = false;
  #changing: (() => void) | undefined;
  #running = false;
  #ended = false;
  #restarting: Promise<void> | undefined;

  constructor(parts: IntercomParts, config: Config) {
    this.#parts = parts;
    this.#config = config;
    this.#startedMs = parts.clock.now();
    this.#tap = new WireTap(parts, () => this.#sound.media.send({ do: 'take packets' }));
    this.events = new EventLog(parts.random.token(4), parts.wallClock, parts.log.part('event'));
  }

  get config() {
    return this.#config;
  }

  // ---- life ---------------------------------------------------------------------------------------------------

  /** Lines first: a relay is at its safe level before anything else can fail. */
  start() {
    const { clock, random, resolve, services, log, wallClock, addresses } = this.#parts;
    const changed = () => this.#changed();
    this.#board = this.#parts.openBoard(this.#config);
    for (const { line, error } of this.#board.faults)
      this.events.tell('device', 'line fault', { line, code: error.code, why: error.message });
    this.#doors = new Doors({
      clock,
      board: this.#board,
      events: this.events,
      settings: () => this.#config.doors,
      changed,
    });
    this.#panel = new FrontPanel({
      clock,
      board: this.#board,
      events: this.events,
      settings: () => this.#config.buttons,
      onPress: (button, how) => this.#pressed(button, how),
      changed,
    });
    const settings = mediaSettings(this.#config, this.#board);
    this.#sound = new Sound({
      clock,
      driver: settings.audio.driver,
      events: this.events,
      media: this.#parts.openMedia(settings),
      onEvent: event => this.#calls.onMediaEvent(event),
      tap: this.#tap,
      changed,
    });
    this.#telephone = new Telephone({
      environment: { clock, wallClock, random, log: log.part('sip'), resolve, ...(services && { services }) },
      socket: this.#parts.openSocket(this.#config.sip),
      tap: this.#tap,
      events: this.events,
      config: () => this.#config,
      instanceId: this.#parts.instanceId,
      product: `Porter/${this.#parts.version}`,
      ...(addresses && { addresses }),
      onInvite: invite => this.#calls.onInvite(invite),
      onNetworkChanged: () => this.#calls.networkChanged(),
      onCheckSync: () => {
        this.#resync = true;
        this.#changed();
      },
      changed,
    });
    this.#calls = new CallController({
      clock,
      random,
      events: this.events,
      media: this.#sound.media,
      doors: this.#doors,
      settings: () => callSettings(this.#config, this.#sound.hasOpus),
      soundsDirectory: this.#parts.soundsDirectory,
      hostFor: remote => this.#telephone.hostFor(remote),
      isTrusted: (source, account) => this.#telephone.isTrusted(source, account),
      changed,
    });
    this.#calls.use(this.#telephone.userAgent);
    this.#running = true;
    this.#doors.start();
    this.#panel.start();
    this.#sound.start();
    this.#telephone.start();
    this.events.tell('device', 'started', { version: this.#parts.version, board: this.#board.definition.name });
  }

  /** Calls are hung up, accounts unregistered, relays at rest, nothing armed. For good. */
  async stop(): Promise<void> {
    this.#ended = true;
    await this.#restarting;
    await this.#halt();
    this.#tap.stop();
  }

  async #halt() {
    if (!this.#running) return;
    this.#running = false;
    this.events.tell('device', 'stopping');
    this.#calls.stop();
    await this.#telephone.stop(FAREWELL_MS);
    await this.#sound.stop();
    this.#panel.stop();
    this.#doors.stop();
    this.#board.close();
    this.#changing?.();
    this.#changing = undefined;
  }

  /** What the outer parts say of themselves changes the status too. */
  surround(changes: Partial<Surroundings>) {
    this.#surroundings = { ...this.#surroundings, ...changes };
    this.#changed();
  }

  get surroundings(): Surroundings {
    return this.#surroundings;
  }

  get watchdog() {
    return this.#board.watchdog;
  }

  // ---- configuration ------------------------------------------------------------------------------------------

  /** Takes a checked configuration over: at once where that disturbs nobody, otherwise when no call is up. */
  apply(config: Config) {
    this.#pending = undefined;
    const changes = changesBetween(this.#config, config);
    const paths = changes.map(({ path }) => path);
    if (this.#restarting !== undefined) {
      this.#pending = config;
    } else if (changes.every(({ needs }) => !DISTURBING.includes(needs))) {
      this.#config = config;
      this.#sound.setVolume(config.audio.loudspeaker, config.audio.microphone);
      this.#telephone.configured();
      this.events.tell('config', 'applied', { paths });
      this.#changed();
    } else if (this.#inUse !== undefined) {
      this.#pending = config;
      this.events.tell('config', 'waiting', { paths, why: this.#inUse });
    } else {
      this.#restarting = this.#restart(config, paths);
    }
  }

  /** Why the parts may not be stopped now; undefined where they may. */
  get #inUse(): string | undefined {
    if (this.#calls.active > 0) return 'a call is up';
    return this.#doors.anyUnlocked ? 'a door is open' : undefined;
  }

  /** The parts stop and start anew, in this process. What comes meanwhile is taken over afterwards. */
  async #restart(config: Config, paths: string[]) {
    await this.#halt();
    this.#restarting = undefined;
    if (this.#ended) return;
    this.#config = config;
    this.start();
    this.events.tell('config', 'applied', { paths });
    this.#changed();
  }

  // ---- what may be asked --------------------------------------------------------------------------------------

  perform(action: Action, origin: Origin): ActionResult {
    if (!this.#running) return { done: false, code: 'not now', why: 'the device is starting or stopping' };
    const result = perform(action, origin, {
      calls: this.#calls,
      doors: this.#doors,
      panel: this.#panel,
      board: this.#board,
      clock: this.#parts.clock,
      say: (target, text) => this.#telephone.say(target, text),
      policy: {
        mqtt: this.#config.mqtt,
        simulated: this.#board.hand !== undefined,
        behind: button => this.#behind(button),
      },
    });
    if (!result.done) this.events.tell('device', 'action refused', { action: action.do, origin, why: result.why });
    return result;
  }

  /** What a press of this button can do, by configuration. */
  #behind(button: string): Action[] {
    const { press, longPress } = this.#config.buttons[button] ?? {};
    return [press, longPress].flatMap(text => {
      const action = text === undefined ? undefined : parseAction(text);
      return action === undefined || 'malformed' in action ? [] : [action];
    });
  }

  #pressed(button: string, how: 'short' | 'long') {
    const settings = this.#config.buttons[button];
    const text = how === 'long' ? settings?.longPress : settings?.press;
    if (text === undefined) return;
    const result = this.#calls.press(() => this.performText(text, 'button'));
    if (result === undefined) this.events.tell('button', 'press ignored', { button, why: 'a call is up' });
  }

  performText(text: string, origin: Origin): ActionResult {
    const action = parseAction(text);
    if ('malformed' in action) return { done: false, code: 'bad request', why: action.malformed };
    return this.perform(action, origin);
  }

  // ---- what it says -------------------------------------------------------------------------------------------

  status(): Status {
    const { id, name, location } = this.#config.device;
    return {
      device: {
        id,
        name,
        ...(location !== '' && { location }),
        version: this.#parts.version,
        board: this.#board.definition.name,
        session: this.events.session,
        upForSeconds: Math.floor((this.#parts.clock.now() - this.#startedMs) / 1000),
      },
      call: this.#calls.status(),
      otherCalls: this.#calls.others(),
      waiting: this.#calls.waiting,
      accounts: this.#telephone.accounts(),
      contacts: this.#telephone.contacts(),
      watchers: this.#telephone.userAgent.watchers,
      faults: {
        ...Object.fromEntries(this.#board.faults.map(({ line, error }) => [line, error.message])),
        ...(this.#telephone.problem !== undefined && { 'SIP socket': this.#telephone.problem }),
      },
      doors: this.#doors.status(),
      buttons: this.#panel.status(),
      audio: this.#sound.status(),
      config: this.#surroundings.config,
      mqtt: this.#surroundings.mqtt,
      sip: this.#telephone.userAgent.counters,
    };
  }

  sipProbe(request: ProbeRequest, done: (result: ProbeResult | { why: string }) => void) {
    this.#telephone.probe(request, done);
  }

  sipStatus() {
    return this.#telephone.sipStatus();
  }

  freshStatus(done: (status: Status) => void) {
    this.#sound.refresh(() => done(this.status()));
  }

  audioGraph(done: (graph: AudioGraph | { why: string }) => void) {
    this.#sound.refresh(answered => done(answered ? this.#sound.graph : { why: 'the media thread does not answer' }));
  }

  /** Calls `answered` if the media thread is alive, soon, or not at all. */
  probe(answered: () => void) {
    this.#sound.refresh(alive => alive && answered());
  }

  onEvent(listener: (event: DeviceEvent) => void) {
    return this.events.listen(listener);
  }

  watch(watcher: Watcher) {
    return this.#tap.watch(watcher);
  }

  onChange(listener: () => void) {
    this.#changeListeners.add(listener);
    return () => this.#changeListeners.delete(listener);
  }

  names() {
    return {
      buttons: Object.keys(this.#config.buttons),
      doors: Object.keys(this.#config.doors),
      contacts: Object.keys(this.#config.contacts),
      inputs: Object.keys(this.#board.definition.inputs),
    };
  }

  /** What is still alive: for diagnostics, and for tests that nothing outlives its owner. */
  get alive() {
    return { ...this.#telephone.userAgent.alive, deviceCalls: this.#calls.active };
  }

  /** Something changed in the status: LEDs follow at once, listeners a little later and together. */
  #changed() {
    if (!this.#running) return;
    this.#panel.show(ledFor(this.#calls.status().state, this.#telephone.canCall));
    if (this.#pending !== undefined && this.#inUse === undefined)
      this.#parts.clock.after(0, () => this.#pending && this.apply(this.#pending), 'apply configuration');
    if (this.#resync && this.#inUse === undefined) {
      this.#resync = false;
      this.#parts.clock.after(0, () => this.onResync(), 'check asked for');
    }
    this.#changing ??= this.#parts.clock.after(
      CHANGE_MS,
      () => {
        this.#changing = undefined;
        for (const listener of this.#changeListeners) listener();
      },
      'status change',
    );
  }
}
