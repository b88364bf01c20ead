/** Which of the last packets have been taken, so that none is taken twice (RFC 3711 §3.3.2). */

/** How far back is remembered; older than this is not taken. RFC 3711 §3.3.2 asks for 64 at least. Packets. */
export const REPLAY_WINDOW = 256;

export class ReplayWindow {
  /** The highest index taken. */
  #top = -1;
  /** A bit for each index, at its place modulo the window. */
  readonly #taken = new Uint8Array(REPLAY_WINDOW);

  get top() {
    return this.#top;
  }

  isNew(index: number): boolean {
    if (index > this.#top) return true;
    return index > this.#top - REPLAY_WINDOW && this.#taken[index % REPLAY_WINDOW] === 0;
  }

  /** Only what has been authenticated: a forged index must not move the window. */
  take(index: number) {
    if (index - this.#top >= REPLAY_WINDOW) this.#taken.fill(0);
    else for (let skipped = this.#top + 1; skipped < index; skipped++) this.#taken[skipped % REPLAY_WINDOW] = 0;
    this.#taken[index % REPLAY_WINDOW] = 1;
    if (index > this.#top) this.#top = index;
  }
}
