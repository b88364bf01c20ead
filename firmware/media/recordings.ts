/** A stream's recordings: what it receives (as it is heard, after the jitter buffer) and what it sends, each into a WAV. */
import { WavWriter } from '../audio/wav-writer.ts';
import type { Files } from './files.ts';

export type Recorded = 'received' | 'sent';

export class Recordings {
  readonly #files: Files;
  readonly #rate: number;
  readonly #onFailed: (why: string) => void;
  #received: WavWriter | undefined;
  #sent: WavWriter | undefined;
  /** Files still being written, those of earlier recordings among them. */
  #closing = 0;
  #whenClosed: (() => void) | undefined;

  constructor(files: Files, rate: number, onFailed: (why: string) => void) {
    this.#files = files;
    this.#rate = rate;
    this.#onFailed = onFailed;
  }

  /** A recording of the same kind ends. */
  begin(what: Recorded, file: string) {
    this.#end(what);
    const writer = new WavWriter(this.#files.create(file), this.#rate);
    if (what === 'received') this.#received = writer;
    else this.#sent = writer;
  }

  received(frame: Int16Array) {
    this.#received?.append(frame);
  }

  sent(frame: Int16Array) {
    this.#sent?.append(frame);
  }

  #end(what: Recorded) {
    const writer = what === 'received' ? this.#received : this.#sent;
    if (writer === undefined) return;
    if (what === 'received') this.#received = undefined;
    else this.#sent = undefined;
    this.#closing++;
    writer.close(why => {
      if (why !== undefined) this.#onFailed(why);
      this.#closing--;
      if (this.#closing === 0) this.#whenClosed?.();
    });
  }

  /** `closed`, once everything is on disk; at once where nothing is recorded. */
  close(closed: () => void) {
    this.#end('received');
    this.#end('sent');
    if (this.#closing === 0) return closed();
    this.#whenClosed = closed;
  }
}
