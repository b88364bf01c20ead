/** Events on their way to a broker that may be away: bounded, in order, kept until the broker has them. */

export interface Letter {
  topic: string;
  payload: string;
}

/** Letters kept; one more pushes out the oldest. */
export const OUTBOX_LIMIT = 256;
/** Letters sent and not yet acknowledged. */
export const WINDOW = 16;

export class Outbox {
  /** Oldest first; the sent ones are always the front. */
  readonly #letters: Letter[] = [];
  #sent = 0;
  #dropped = 0;

  push(letter: Letter): void {
    this.#letters.push(letter);
    if (this.#letters.length <= OUTBOX_LIMIT) return;
    this.#letters.shift();
    if (this.#sent > 0) this.#sent--;
    this.#dropped++;
  }

  /** The next letter to send, if the window allows one. */
  next(): Letter | undefined {
    return this.#sent < WINDOW ? (this.#letters[this.#sent++] ?? this.#undo()) : undefined;
  }

  /** The broker has it (or will never take it). */
  acknowledge(letter: Letter): void {
    const index = this.#letters.indexOf(letter);
    if (index < 0) return;
    this.#letters.splice(index, 1);
    if (index < this.#sent) this.#sent--;
  }

  /** The connection is gone: what was not acknowledged is sent again, oldest first. A reader knows a copy by its `seq`. */
  rewind(): void {
    this.#sent = 0;
  }

  get waiting() {
    return this.#letters.length;
  }

  get dropped() {
    return this.#dropped;
  }

  #undo(): undefined {
    this.#sent--;
    return undefined;
  }
}
