/** Cuts a stream of bytes into lines of bounded length. Pure. */

const NEWLINE = 0x0a;

/** Collects bytes until a newline. Once a line has grown beyond `limitBytes` nothing more is taken. */
export class Lines {
  readonly #limitBytes: number;
  #parts: Buffer[] = [];
  #heldBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** The lines that are complete now, without their newline; `tooLong` once and for all when one exceeds the limit. */
  push(chunk: Buffer): { lines: string[]; tooLong: boolean } {
    const lines: string[] = [];
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      this.#hold(chunk.subarray(from, at));
      if (this.#heldBytes > this.#limitBytes) return { lines, tooLong: true };
      lines.push(Buffer.concat(this.#parts).toString('utf8'));
      this.#parts = [];
      this.#heldBytes = 0;
      from = at + 1;
    }
    this.#hold(chunk.subarray(from));
    return { lines, tooLong: this.#heldBytes > this.#limitBytes };
  }

  #hold(part: Buffer) {
    this.#heldBytes += part.length;
    if (part.length > 0) this.#parts.push(part);
  }
}
