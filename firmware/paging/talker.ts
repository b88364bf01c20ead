/** Who holds a group: the first who talks, until he ends or falls silent. Two at once would be heard as neither. */
import type { Address } from '../lib/address.ts';

export type Turn =
  /** The group was free: a page begins. */
  | 'begins'
  | 'goes on'
  /** Somebody else has it. */
  | 'refused';

/** Packets in a row by which a sender's new stream takes the place of his old one. */
const NEW_STREAM_PACKETS = 2;

export class Talker {
  readonly #silenceMs: number;
  #talks = false;
  #host = '';
  #port = 0;
  #id = 0;
  #lastMs = 0;
  #newId = 0;
  #newIdPackets = 0;

  /** He is done after so long without a packet. */
  constructor(silenceMs: number) {
    this.#silenceMs = silenceMs;
  }

  get talks(): boolean {
    return this.#talks;
  }

  get host(): string {
    return this.#host;
  }

  /** A packet. `id` is his SSRC (RFC 3550 §8), or a Polycom host's serial number. */
  heard({ host, port }: Address, id: number, nowMs: number): Turn {
    if (!this.#talks) {
      this.#talks = true;
      this.#host = host;
      this.#port = port;
      this.#take(id, nowMs);
      return 'begins';
    }
    if (host !== this.#host || port !== this.#port) return 'refused';
    if (id !== this.#id && !this.#hasNewStream(id)) return 'refused';
    this.#take(id, nowMs);
    return 'goes on';
  }

  #hasNewStream(id: number): boolean {
    this.#newIdPackets = id === this.#newId ? this.#newIdPackets + 1 : 1;
    this.#newId = id;
    return this.#newIdPackets >= NEW_STREAM_PACKETS;
  }

  #take(id: number, nowMs: number) {
    this.#id = id;
    this.#lastMs = nowMs;
    this.#newIdPackets = 0;
  }

  /** True for the one who may say that it is over. */
  isHolder(host: string, id: number): boolean {
    return this.#talks && host === this.#host && id === this.#id;
  }

  isSilent(nowMs: number): boolean {
    return this.#talks && nowMs - this.#lastMs >= this.#silenceMs;
  }

  release() {
    this.#talks = false;
  }
}
