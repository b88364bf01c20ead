/** What a visitor touches and sees: the call buttons and their LEDs. */
import type { Board } from '../../hal/contracts.ts';
import { Button, type ButtonEvent } from '../io/button.ts';
import { Led } from '../io/led.ts';
import type { Pattern } from '../io/patterns.ts';
import type { Clock } from '../lib/clock.ts';
import { done, notNow, unknownName } from './action-results.ts';
import type { ActionResult, Status } from './contracts.ts';
import type { EventLog } from './event-log.ts';

export interface PanelButtonSettings {
  input: string;
  press: string;
  longPress?: string | undefined;
  release?: string | undefined;
  longAfter: number;
  debounce: number;
  stuckAfter: number;
  led?: string | undefined;
}

/** What of a button's means something by configuration. */
export type PressKind = 'short' | 'long' | 'release';

/** A press asked for over the wire lasts this long unless it says otherwise. Milliseconds. */
const FINGER_MS = 200;

interface Panelled {
  button: Button;
  /** The wire and a finger from afar are one button: pressed when either is. */
  byHand: boolean;
  byRemote: boolean;
  letGo: (() => void) | undefined;
  unwatch: () => void;
  /** Why the line cannot be heard. */
  fault: string | undefined;
}

export class FrontPanel {
  readonly #clock: Clock;
  readonly #board: Board;
  readonly #events: EventLog;
  readonly #settings: () => Readonly<Record<string, PanelButtonSettings>>;
  readonly #onPress: (button: string, how: PressKind) => void;
  readonly #changed: () => void;
  readonly #buttons = new Map<string, Panelled>();
  readonly #leds = new Map<string, Led>();

  constructor(parts: {
    clock: Clock;
    board: Board;
    events: EventLog;
    settings: () => Readonly<Record<string, PanelButtonSettings>>;
    onPress: (button: string, how: PressKind) => void;
    changed: () => void;
  }) {
    this.#clock = parts.clock;
    this.#board = parts.board;
    this.#events = parts.events;
    this.#settings = parts.settings;
    this.#onPress = parts.onPress;
    this.#changed = parts.changed;
  }

  start() {
    for (const [name, settings] of Object.entries(this.#settings())) {
      this.#startButton(name, settings);
      if (settings.led !== undefined && !this.#leds.has(settings.led))
        this.#leds.set(settings.led, new Led(this.#clock, this.#board.output(settings.led)));
    }
  }

  /** This line could be had after all. A button that is down by then is not pressed, as at the start. */
  mended(line: string) {
    for (const [name, settings] of Object.entries(this.#settings())) {
      const panelled = this.#buttons.get(name);
      if (settings.input !== line || panelled === undefined) continue;
      stopButton(panelled);
      this.#startButton(name, settings);
    }
    const led = this.#leds.get(line);
    if (led === undefined) return;
    const anew = new Led(this.#clock, this.#board.output(line));
    this.#leds.set(line, anew);
    anew.show(led.pattern);
    led.stop();
  }

  stop() {
    for (const panelled of this.#buttons.values()) stopButton(panelled);
    for (const led of this.#leds.values()) led.stop();
    this.#buttons.clear();
    this.#leds.clear();
  }

  show(pattern: Pattern) {
    for (const led of this.#leds.values()) led.show(pattern);
  }

  /** As if a finger had pressed: the same debounce, the same rules. */
  press(name: string, holdMs = FINGER_MS): ActionResult {
    const panelled = this.#buttons.get(name);
    const settings = this.#settings()[name];
    if (panelled === undefined || settings === undefined) return unknownName('button', name, [...this.#buttons.keys()]);
    if (panelled.byRemote) return notNow(`${name} is being pressed already`);
    this.#move(panelled, 'byRemote', true);
    const lastsMs = Math.max(holdMs, settings.debounce + 1);
    panelled.letGo = this.#clock.after(lastsMs, () => this.#move(panelled, 'byRemote', false), 'finger');
    return done;
  }

  status(): Status['buttons'] {
    return Object.fromEntries(
      [...this.#buttons].map(([name, { button, fault }]) => {
        const led = this.#leds.get(this.#settings()[name]?.led ?? '');
        const { pressed, stuck } = button;
        const lamp = led === undefined ? {} : { led: led.pattern.name };
        return [name, { pressed, stuck, ...lamp, ...(fault !== undefined && { fault }) }];
      }),
    );
  }

  #startButton(name: string, settings: PanelButtonSettings) {
    const input = this.#board.input(settings.input);
    let why: string | undefined;
    let initially = false;
    try {
      initially = input.read();
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
    }
    const times = {
      debounceMs: settings.debounce,
      longAfterMs: settings.longAfter,
      stuckAfterMs: settings.stuckAfter,
    };
    const button = new Button(this.#clock, times, initially, event => this.#heard(name, event));
    const unwatch = () => {};
    const panelled: Panelled = {
      button,
      byHand: initially,
      byRemote: false,
      letGo: undefined,
      unwatch,
      fault: undefined,
    };
    this.#buttons.set(name, panelled);
    button.start();
    if (why === undefined)
      panelled.unwatch = input.watch(
        ({ active }) => this.#move(panelled, 'byHand', active),
        error => this.#failed(name, panelled, error.message),
      );
    else this.#failed(name, panelled, why);
  }

  /** Nobody can let it go any more, so it is let go. Presses from afar still work. */
  #failed(name: string, panelled: Panelled, why: string) {
    panelled.fault = why;
    this.#move(panelled, 'byHand', false);
    this.#events.tell('button', 'fault', { button: name, why });
    this.#changed();
  }

  #move(panelled: Panelled, by: 'byHand' | 'byRemote', active: boolean) {
    panelled[by] = active;
    panelled.button.level(panelled.byHand || panelled.byRemote);
  }

  #heard(name: string, event: ButtonEvent) {
    const { is, ...facts } = event;
    this.#events.tell('button', is, { button: name, ...facts });
    const hasLong = this.#settings()[name]?.longPress !== undefined;
    // Where a long press means something of its own, a short one is known only when it is over.
    if (event.is === 'pressed' && !hasLong) this.#onPress(name, 'short');
    if (event.is === 'released' && hasLong && !event.long) this.#onPress(name, 'short');
    if (event.is === 'held' && hasLong) this.#onPress(name, 'long');
    if (event.is === 'released') this.#onPress(name, 'release');
    this.#changed();
  }
}

function stopButton({ button, unwatch, letGo }: Panelled) {
  unwatch();
  letGo?.();
  button.stop();
}
