/** A clock that moves only when told to. Tasks due at the same instant run in the order they were scheduled. */
import type { Clock } from '../../firmware/lib/clock.ts';

interface Task {
  atMs: number;
  order: number;
  task: () => void;
  name: string;
}

export class VirtualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  /** Sorted by time, then order: the next task is the last element. */
  readonly #tasks: Task[] = [];

  now() {
    return this.#nowMs;
  }

  after(delayMs: number, task: () => void, name = 'unnamed') {
    const entry: Task = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, task, name };
    let low = 0;
    let high = this.#tasks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#tasks[middle]!;
      if (other.atMs > entry.atMs || (other.atMs === entry.atMs && other.order > entry.order)) low = middle + 1;
      else high = middle;
    }
    this.#tasks.splice(low, 0, entry);
    return () => {
      const index = this.#tasks.indexOf(entry);
      if (index >= 0) this.#tasks.splice(index, 1);
    };
  }

  /** Runs everything due within the next `ms` milliseconds. */
  advance(ms: number) {
    const untilMs = this.#nowMs + ms;
    while (this.step(untilMs));
    this.#nowMs = untilMs;
  }

  /** The process stands still for so long, and nothing runs: what was due meanwhile runs late. */
  leap(ms: number) {
    this.#nowMs += ms;
  }

  /** Runs the next task if it is due by `untilMs`; false when there is none. */
  step(untilMs = Number.POSITIVE_INFINITY): boolean {
    const next = this.#tasks.at(-1);
    if (next === undefined || next.atMs > untilMs) return false;
    this.#tasks.pop();
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    next.task();
    return true;
  }

  get idle() {
    return this.#tasks.length === 0;
  }

  /** Names of what is armed, soonest first. */
  get armed(): string[] {
    return this.#tasks.map(({ name }) => name).reverse();
  }
}
