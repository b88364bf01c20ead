/** How fast others may open connections: a TLS greeting costs milliseconds, and whoever begins one need not end it. */
import type { Clock } from '../../lib/clock.ts';
import { Bucket, type Rate } from '../admission/bucket.ts';
import { networkOf } from '../admission/sources.ts';

/** Of one address. */
export const hostOpenings: Rate = { perSecond: 5, burst: 20 };
/** Of all together. */
export const allOpenings: Rate = { perSecond: 20, burst: 100 };
/** Addresses remembered; the one that was silent for longest is forgotten first. */
export const openerLimit = 256;

export class Doorkeeper {
  readonly #clock: Clock;
  readonly #all: Bucket;
  /** Newest last. */
  readonly #hosts = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#all = new Bucket(allOpenings, clock.now());
  }

  get size() {
    return this.#hosts.size;
  }

  admits(host: string): boolean {
    const nowMs = this.#clock.now();
    const key = networkOf(host);
    const bucket = this.#hosts.get(key) ?? new Bucket(hostOpenings, nowMs);
    this.#hosts.delete(key);
    this.#hosts.set(key, bucket);
    if (this.#hosts.size > openerLimit) this.#hosts.delete(this.#hosts.keys().next().value!);
    return bucket.take(nowMs) && this.#all.take(nowMs);
  }
}
