/** A call button: debounces edges and tells a press, a long press, a release and a button that is stuck. */
import type { Clock } from '../lib/clock.ts';

export interface ButtonSettings {
  /** An edge counts once the line has kept its level this long. */
  debounceMs: number;
  longAfterMs: number;
  /** Held longer than this the button is reported stuck, once. */
  stuckAfterMs: number;
}

export type ButtonEvent =
  | { is: 'pressed' }
  /** Held for `longAfterMs`; comes between `pressed` and `released`. */
  | { is: 'held' }
  | { is: 'released'; heldMs: number; long: boolean }
  | { is: 'stuck' }
  /** A stuck button came back. */
  | { is: 'freed' };

/**
 * Takes raw levels, gives events. A button that is already down when the device starts is not a press: nobody asked
 * for a call by switching the power on. It is reported stuck in time, and works again once it has been let go.
 */
export class Button {
  readonly #clock: Clock;
  readonly #settings: ButtonSettings;
  readonly #tell: (event: ButtonEvent) => void;
  #raw: boolean;
  #pressed = false;
  #ignored: boolean;
  #sinceMs = 0;
  #long = false;
  #stuck = false;
  #settle: (() => void) | undefined;
  #holding: (() => void)[] = [];

  constructor(clock: Clock, settings: ButtonSettings, initially: boolean, tell: (event: ButtonEvent) => void) {
    this.#clock = clock;
    this.#settings = settings;
    this.#raw = initially;
    this.#ignored = initially;
    this.#tell = tell;
  }

  /** Call once when events may flow. */
  start() {
    if (this.#ignored)
      this.#holding.push(this.#clock.after(this.#settings.stuckAfterMs, this.#becomeStuck, 'button stuck'));
  }

  stop() {
    this.#settle?.();
    this.#settle = undefined;
    this.#release();
  }

  get pressed() {
    return this.#pressed;
  }

  get stuck() {
    return this.#stuck;
  }

  /** A raw level, as often as one likes. */
  level(active: boolean) {
    if (active === this.#raw) return;
    this.#raw = active;
    this.#settle?.();
    this.#settle = this.#clock.after(this.#settings.debounceMs, () => this.#settled(), 'button debounce');
  }

  #settled() {
    this.#settle = undefined;
    if (this.#ignored) {
      if (this.#raw) return;
      this.#ignored = false;
      this.#release();
      this.#free();
      return;
    }
    if (this.#raw === this.#pressed) return;
    this.#pressed = this.#raw;
    if (this.#pressed) this.#press();
    else this.#let();
  }

  #press() {
    this.#sinceMs = this.#clock.now();
    this.#long = false;
    this.#holding = [
      this.#clock.after(this.#settings.longAfterMs, this.#becomeLong, 'button long'),
      this.#clock.after(this.#settings.stuckAfterMs, this.#becomeStuck, 'button stuck'),
    ];
    this.#tell({ is: 'pressed' });
  }

  #let() {
    this.#release();
    this.#tell({ is: 'released', heldMs: Math.round(this.#clock.now() - this.#sinceMs), long: this.#long });
    this.#free();
  }

  #free() {
    if (!this.#stuck) return;
    this.#stuck = false;
    this.#tell({ is: 'freed' });
  }

  readonly #becomeLong = () => {
    this.#long = true;
    this.#tell({ is: 'held' });
  };

  readonly #becomeStuck = () => {
    this.#stuck = true;
    this.#tell({ is: 'stuck' });
  };

  #release() {
    for (const cancel of this.#holding) cancel();
    this.#holding = [];
  }
}
