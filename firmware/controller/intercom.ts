/**
 * The device itself: board, sound, telephone and calls joined together, on whatever clock and network it is given.
 * The process (`device.ts`) and the simulated world run this same class.
 */
import type { Config } from '../config/schema.ts';
import { parseAction } from '../io/actions.ts';
import { badRequest, notNow } from './action-results.ts';
import { perform } from './actions.ts';
import { ConfigTakeover } from './config-takeover.ts';
import type { Action, ActionResult, AudioGraph, Device, DeviceEvent, Origin, Status } from './contracts.ts';
import { deviceStatus, type Surroundings } from './device-status.ts';
import { EventLog } from './event-log.ts';
import type { PressKind } from './front-panel.ts';
import { type IntercomParts, type OpenParts, openParts, startParts, stopParts } from './intercom-parts.ts';
import { ledFor } from './led-language.ts';
import type { PagingTest } from './paging-test.ts';
import type { ProbeRequest, ProbeResult } from './sip-probe.ts';
import { type Watcher, WireTap } from './wire-tap.ts';

/** Changes of the status are told at most this often. Milliseconds. */
const CHANGE_MS = 50;
/** How long ending calls and unregistering may take at the stop. Milliseconds. */
const FAREWELL_MS = 2_000;

/**
 * What a press of such a button means depends on the calls that are up. Any other action is no telephone's key: the
 * button of an exit opens, and `hold` holds, in the middle of a call.
 */
const BEGINS_A_CALL: readonly Action['do'][] = ['call', 'page'];

export class Intercom implements Device {
  readonly events: EventLog;
  /** The configuration is to be looked at now: asked for over SIP, and no call is up. */
  onResync: () => void = () => {};
  readonly #given: IntercomParts;
  readonly #startedMs: number;
  readonly #tap: WireTap;
  readonly #takeover: ConfigTakeover;
  readonly #changeListeners = new Set<() => void>();
  #surroundings: Surroundings = { config: { revision: undefined, source: 'defaults' }, mqtt: { state: 'off' } };
  #config: Config;
  /** Of the present start, or of the last one. */
  #parts!: OpenParts;
  #changing: (() => void) | undefined;
  #running = false;

  constructor(given: IntercomParts, config: Config) {
    const { clock, wallClock, random, log } = given;
    this.#given = given;
    this.#config = config;
    this.#startedMs = clock.now();
    this.#tap = new WireTap(given, () => this.#parts.sound.media.send({ do: 'take packets' }));
    this.events = new EventLog(random.token(4), wallClock, log.part('event'));
    this.#takeover = new ConfigTakeover({
      clock,
      events: this.events,
      config: () => this.#config,
      inUse: () => this.#inUse,
      use: config => this.#use(config),
      halt: () => this.#halt(),
      start: config => {
        this.#config = config;
        this.start();
      },
      changed: () => this.#changed(),
      onCheck: () => this.onResync(),
    });
  }

  get config() {
    return this.#config;
  }

  // ---- life ---------------------------------------------------------------------------------------------------

  start() {
    this.#parts = openParts(this.#given, {
      events: this.events,
      tap: this.#tap,
      config: () => this.#config,
      onPress: (button, how) => this.#pressed(button, how),
      onCheckSync: () => this.#takeover.askForCheck(),
      changed: () => this.#changed(),
    });
    this.#running = true;
    startParts(this.#parts);
    this.events.tell('device', 'started', {
      version: this.#given.version,
      board: this.#parts.board.definition.name,
    });
  }

  /** Calls are hung up, accounts unregistered, relays at rest, nothing armed. For good. */
  async stop(): Promise<void> {
    await this.#takeover.stop();
    await this.#halt();
    this.#tap.stop();
  }

  async #halt() {
    if (!this.#running) return;
    this.#running = false;
    this.events.tell('device', 'stopping');
    await stopParts(this.#parts, FAREWELL_MS);
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
    return this.#parts.board.watchdog;
  }

  // ---- configuration ------------------------------------------------------------------------------------------

  /** Takes a checked configuration over: at once where that disturbs nobody, otherwise when it does. */
  apply(config: Config) {
    this.#takeover.apply(config);
  }

  /** What needs no new start. */
  #use(config: Config) {
    this.#config = config;
    this.#parts.sound.setVolume(config.audio.loudspeaker, config.audio.microphone);
    this.#parts.telephone.configured();
  }

  /** Why the parts may not be stopped now; undefined where they may. */
  get #inUse(): string | undefined {
    const { calls, doors, zonePages, recorder } = this.#parts;
    if (calls.active > 0) return 'a call is up';
    if (doors.anyUnlocked) return 'a door is open';
    if (zonePages.active) return 'a zone is being paged';
    return recorder.status() === undefined ? undefined : 'a recording is being made';
  }

  // ---- what may be asked --------------------------------------------------------------------------------------

  perform(action: Action, origin: Origin): ActionResult {
    if (!this.#running) return notNow('the device is starting or stopping');
    const { calls, zonePages, doors, panel, recorder, board, telephone } = this.#parts;
    const result = perform(action, origin, {
      calls,
      zones: zonePages,
      doors,
      panel,
      recorder,
      board,
      clock: this.#given.clock,
      say: (target, text) => telephone.say(target, text),
      policy: {
        mqtt: this.#config.mqtt,
        simulated: board.hand !== undefined,
        behind: button => this.#behind(button),
      },
    });
    if (!result.done) this.events.tell('device', 'action refused', { action: action.do, origin, why: result.why });
    return result;
  }

  /** What a press of this button can do, by configuration. */
  #behind(button: string): Action[] {
    const { press, longPress, release } = this.#config.buttons[button] ?? {};
    return [press, longPress, release].flatMap(text => {
      const action = text === undefined ? undefined : parseAction(text);
      return action === undefined || 'malformed' in action ? [] : [action];
    });
  }

  #pressed(button: string, how: PressKind) {
    const { press, longPress, release } = this.#config.buttons[button] ?? {};
    const text = { short: press, long: longPress, release }[how];
    if (text === undefined) return;
    const act = () => this.performText(text, 'button');
    const action = parseAction(text);
    const begins = 'malformed' in action || BEGINS_A_CALL.includes(action.do);
    const result = begins ? this.#parts.calls.inHand.press(act) : act();
    if (result === undefined) this.events.tell('button', 'press ignored', { button, why: 'a call is up' });
  }

  performText(text: string, origin: Origin): ActionResult {
    const action = parseAction(text);
    if ('malformed' in action) return badRequest(action.malformed);
    return this.perform(action, origin);
  }

  // ---- what it says -------------------------------------------------------------------------------------------

  status(): Status {
    return deviceStatus({
      device: this.#config.device,
      version: this.#given.version,
      session: this.events.session,
      upForMs: this.#given.clock.now() - this.#startedMs,
      parts: this.#parts,
      surroundings: this.#surroundings,
    });
  }

  sipProbe(request: ProbeRequest, done: (result: ProbeResult | { why: string }) => void) {
    this.#parts.telephone.probe(request, done);
  }

  pagingTest(done: (result: PagingTest | { why: string }) => void) {
    if (this.#running) this.#parts.pagingTests.ask(done);
    else done({ why: 'the device is starting or stopping' });
  }

  sipStatus() {
    return this.#parts.telephone.sipStatus();
  }

  freshStatus(done: (status: Status) => void) {
    this.#parts.sound.refresh(() => done(this.status()));
  }

  audioGraph(done: (graph: AudioGraph | { why: string }) => void) {
    this.#parts.sound.refresh(answered =>
      done(answered ? this.#parts.sound.graph : { why: 'the media thread does not answer' }),
    );
  }

  /** Calls `answered` if the media thread is alive, soon, or not at all. */
  probe(answered: () => void) {
    this.#parts.sound.refresh(alive => alive && answered());
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
      zones: Object.keys(this.#config.paging.zones),
      inputs: Object.keys(this.#parts.board.definition.inputs),
    };
  }

  /** What is still alive: for diagnostics, and for tests that nothing outlives its owner. */
  get alive() {
    return { ...this.#parts.telephone.userAgent.alive, deviceCalls: this.#parts.calls.active };
  }

  /** Something changed in the status: LEDs follow at once, listeners a little later and together. */
  #changed() {
    if (!this.#running) return;
    const { panel, calls, zonePages, telephone } = this.#parts;
    const { state } = calls.status();
    if (state === 'calling' || state === 'talking') zonePages.callBegins();
    panel.show(ledFor(state === 'idle' && zonePages.active ? 'paging' : state, telephone.canCall));
    this.#takeover.look();
    this.#changing ??= this.#given.clock.after(
      CHANGE_MS,
      () => {
        this.#changing = undefined;
        for (const listener of this.#changeListeners) listener();
      },
      'status change',
    );
  }
}
