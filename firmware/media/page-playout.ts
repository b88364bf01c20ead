/** The sound of a page at its moment: the same at every speaker that hears it, whatever its network and its sound card. */
import { frameSamples } from '../audio/frame.ts';
import { Trim } from '../audio/trim.ts';
import { PlayoutBuffer } from '../rtp/playout-buffer.ts';
import type { Receiving } from './receiving.ts';

/** Of the delay so much is always left to the network: a card that is slower than the rest is heard later than others. */
const LEAST_FOR_NETWORK_MS = 60;

export class PagePlayout {
  readonly #rate: number;
  readonly #delayMs: number;
  readonly #buffers: PlayoutBuffer[] = [];
  readonly #trim: Trim;
  readonly #onSound: (sound: Int16Array) => void;
  #receiving: Receiving | undefined;
  #running = false;
  #heardMs = 0;

  /** `onSound`: may add to the sound of the page, from its first sample on. */
  constructor(rate: number, delayMs: number, onSound: (sound: Int16Array) => void) {
    this.#rate = rate;
    this.#delayMs = delayMs;
    this.#onSound = onSound;
    this.#trim = new Trim(frameSamples(rate), (chunk, index) => this.#fill(chunk, index));
  }

  makeBuffer(clockRate: number): PlayoutBuffer {
    const buffer = new PlayoutBuffer(clockRate, this.#delayMs);
    this.#buffers.push(buffer);
    return buffer;
  }

  use(receiving: Receiving) {
    this.#receiving = receiving;
  }

  /** Something of the page has been heard. */
  get isRunning(): boolean {
    return this.#running;
  }

  get isEmpty(): boolean {
    return this.#buffers.every(({ isEmpty }) => isEmpty);
  }

  get follows(): string {
    return this.#buffers.some(({ clock }) => clock.follows === 'reports') ? 'wall clocks' : 'packets';
  }

  get resyncs(): number {
    return this.#buffers.reduce((sum, { counters }) => sum + counters.resyncs, 0);
  }

  reported(ssrc: number, timestamp: number, sentMs: number | undefined) {
    for (const buffer of this.#buffers) buffer.reported(ssrc, timestamp, sentMs);
  }

  /** From here on it is another page, of which the beginning has perhaps been missed. */
  begin(isMissed: boolean) {
    for (const buffer of this.#buffers) {
      buffer.reset();
      if (isMissed) buffer.comeLate();
    }
    this.stop();
  }

  /** Nobody listens any more, or does again. */
  stop() {
    this.#running = false;
    this.#receiving!.forgetReady();
    this.#trim.reset();
  }

  /** Fills a frame, made at `nowMs`, whose first sample is heard at `heardMs`. */
  read(frame: Int16Array, nowMs: number, heardMs: number) {
    const leadMs = Math.min(heardMs - nowMs, Math.max(0, this.#delayMs - LEAST_FOR_NETWORK_MS));
    for (const buffer of this.#buffers) buffer.leadMs = leadMs;
    this.#heardMs = nowMs + leadMs;
    const from = this.#running ? 0 : this.#startsAt(frame.length);
    frame.fill(0, 0, from);
    if (this.#running) this.#trim.read(frame, from);
  }

  /** The sample of the frame with which it begins; its length where that is not in it. */
  #startsAt(length: number): number {
    const firstMs = this.#heardMs + this.#receiving!.lagMs;
    let leastMs = Number.POSITIVE_INFINITY;
    for (const buffer of this.#buffers) leastMs = Math.min(leastMs, buffer.startsInMs(firstMs));
    const from = Math.round((leastMs * this.#rate) / 1000);
    if (from >= length) return length;
    this.#running = true;
    return from;
  }

  #fill(chunk: Int16Array, index: number) {
    this.#receiving!.read(chunk, this.#heardMs + (index * 1000) / this.#rate);
    this.#onSound(chunk);
    // Only one of them flows.
    let earlyMs = 0;
    for (const buffer of this.#buffers) earlyMs += buffer.earlyMs;
    this.#trim.correct(earlyMs);
  }
}
