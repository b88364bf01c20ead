/**
 * Server transactions that have had their final answer and live on for copies of the request: bounded in number and in
 * bytes. The one answered longest ago goes first: a copy of its request would by then be the least likely.
 */

/** 200 calls a second leave 400 of them a second, each for 32 s. */
export const answeredLimit = 20_000;
/** Of answers and keys together, most of which the peer has chosen. */
export const answeredLimitBytes = 16 * 2 ** 20;

export class Answered {
  /** Key → bytes, oldest first. */
  readonly #all = new Map<string, number>();
  #bytes = 0;

  get size() {
    return this.#all.size;
  }

  get bytes() {
    return this.#bytes;
  }

  add(key: string, bytes: number) {
    this.delete(key);
    this.#all.set(key, bytes);
    this.#bytes += bytes;
  }

  delete(key: string) {
    this.#bytes -= this.#all.get(key) ?? 0;
    this.#all.delete(key);
  }

  clear() {
    this.#all.clear();
    this.#bytes = 0;
  }

  /** The key that must go, where there are too many. */
  get excess(): string | undefined {
    if (this.#all.size <= answeredLimit && this.#bytes <= answeredLimitBytes) return undefined;
    return this.#all.keys().next().value;
  }
}
