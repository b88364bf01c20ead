/** The demo's story: what happened when, and what was expected but did not. */

export class Timeline {
  readonly #startedMs = performance.now();
  readonly #missing: string[] = [];
  readonly #write: (line: string) => void;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  chapter(title: string) {
    this.#write(`\n${title}`);
  }

  /** One line: seconds since the start, who, what. */
  tell(who: string, what: string) {
    const seconds = ((performance.now() - this.#startedMs) / 1000).toFixed(2).padStart(6);
    this.#write(`${seconds} s  ${who.padEnd(9)} ${what}`);
  }

  /** A fact that must hold. */
  check(what: string, holds: boolean, detail = ''): boolean {
    this.#write(`           ${holds ? 'ok' : 'MISSING'}   ${what}${detail === '' ? '' : ` (${detail})`}`);
    if (!holds) this.#missing.push(detail === '' ? what : `${what} (${detail})`);
    return holds;
  }

  /** Waits until `condition` holds; what never comes is missing, and the story goes on without it. */
  async wait(what: string, condition: () => boolean, withinMs = 15_000): Promise<boolean> {
    const untilMs = performance.now() + withinMs;
    while (!condition()) {
      if (performance.now() > untilMs) return this.check(what, false, `not within ${withinMs / 1000} s`);
      await pause(20);
    }
    return this.check(what, true);
  }

  get missing(): readonly string[] {
    return this.#missing;
  }
}

export const pause = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms));
