/** One LED that shows one pattern at a time. */
import type { DigitalOutput } from '../../hal/contracts.ts';
import type { Clock } from '../lib/clock.ts';
import { off, type Pattern } from './patterns.ts';

export class Led {
  readonly #clock: Clock;
  readonly #output: DigitalOutput;
  #pattern: Pattern = off;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, output: DigitalOutput) {
    this.#clock = clock;
    this.#output = output;
  }

  get pattern() {
    return this.#pattern;
  }

  show(pattern: Pattern) {
    if (pattern === this.#pattern) return;
    this.#pattern = pattern;
    this.#cancel?.();
    this.#cancel = undefined;
    if (pattern.rhythmMs === undefined) this.#write(pattern.steady);
    else this.#step(pattern.rhythmMs, 0);
  }

  stop() {
    this.show(off);
  }

  #step(rhythmMs: readonly number[], index: number) {
    this.#write(index % 2 === 0);
    this.#cancel = this.#clock.after(
      rhythmMs[index]!,
      () => this.#step(rhythmMs, (index + 1) % rhythmMs.length),
      'led',
    );
  }

  #write(lit: boolean) {
    try {
      this.#output.write(lit);
    } catch {
      // A dead LED is the board's fault to report at start; it must not stop a call.
    }
  }
}
