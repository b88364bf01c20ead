/** Whether a router or switch asks who is a member of groups: where nobody does, switches forget members. */
import type { Clock } from '../lib/clock.ts';
import { querierOf } from '../lib/igmp.ts';
import type { IgmpSocket } from '../lib/igmp-socket.ts';
import type { QuerierReport } from './protocol.ts';

/** What waits is read so often. Milliseconds. */
const LOOK_MS = 5_000;
/** At each look at most; more is a flood, and says nothing new. */
const PACKETS_A_LOOK = 64;
/** Who has asked asks again within this; then he is gone (RFC 2236 §8.5, RFC 3376 §8.5). Milliseconds. */
const PRESENT_MS = 255_000;
const PACKET_BYTES = 256;

export class QuerierWatch {
  readonly #clock: Clock;
  readonly #open: () => IgmpSocket | { why: string };
  readonly #packet = new Uint8Array(PACKET_BYTES);
  #socket: IgmpSocket | undefined;
  #why = 'nobody listens to IGMP';
  #sinceMs = 0;
  #from = '';
  #heardMs = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, open: () => IgmpSocket | { why: string }) {
    this.#clock = clock;
    this.#open = open;
  }

  start() {
    const socket = this.#open();
    if ('why' in socket) {
      this.#why = socket.why;
      return;
    }
    this.#socket = socket;
    this.#sinceMs = this.#clock.now();
    this.#lookLater();
  }

  #lookLater() {
    this.#cancel = this.#clock.after(
      LOOK_MS,
      () => {
        this.#look();
        this.#lookLater();
      },
      'IGMP look',
    );
  }

  #look() {
    for (let count = 0; count < PACKETS_A_LOOK; count++) {
      const bytes = this.#socket?.read(this.#packet);
      if (bytes === undefined) return;
      const from = querierOf(this.#packet.subarray(0, bytes));
      if (from === undefined) continue;
      this.#from = from;
      this.#heardMs = this.#clock.now();
    }
  }

  report(): QuerierReport {
    if (this.#socket === undefined) return { is: 'unknown', why: this.#why };
    this.#look();
    const nowMs = this.#clock.now();
    if (nowMs - this.#heardMs < PRESENT_MS) return { is: 'heard', from: this.#from, agoMs: nowMs - this.#heardMs };
    const forMs = nowMs - Math.max(this.#sinceMs, this.#heardMs);
    return { is: forMs < PRESENT_MS ? 'not yet' : 'none', forMs, leftMs: Math.max(0, PRESENT_MS - forMs) };
  }

  stop() {
    this.#cancel?.();
    this.#socket?.close();
    this.#socket = undefined;
  }
}
