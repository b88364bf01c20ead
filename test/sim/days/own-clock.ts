/** One machine's clock in a world: it can be put to sleep, with everything overdue when it wakes, and it can die. */
import type { Clock } from '../../../firmware/lib/clock.ts';

export class OwnClock implements Clock {
  readonly #clock: Clock;
  readonly #overdue: (() => void)[] = [];
  #state: 'awake' | 'asleep' | 'dead' = 'awake';

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now() {
    return this.#clock.now();
  }

  get isAwake() {
    return this.#state === 'awake';
  }

  after(delayMs: number, task: () => void, name?: string) {
    let isCancelled = false;
    const cancel = this.#clock.after(delayMs, () => this.run(() => isCancelled || task()), name);
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  /** Now, or on waking. */
  run(task: () => void) {
    if (this.#state === 'awake') task();
    else if (this.#state === 'asleep') this.#overdue.push(task);
  }

  sleep() {
    if (this.#state === 'awake') this.#state = 'asleep';
  }

  wake() {
    if (this.#state !== 'asleep') return;
    this.#state = 'awake';
    // What runs may put us to sleep again, or kill us: then the rest waits, or never comes.
    for (const task of this.#overdue.splice(0)) this.run(task);
  }

  die() {
    this.#state = 'dead';
    this.#overdue.length = 0;
  }
}
