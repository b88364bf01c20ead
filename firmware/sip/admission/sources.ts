/** Who has sent us something lately: how much more it may send, and what it was told about. */
import type { Clock } from '../../lib/clock.ts';
import { Bucket, type Rate } from './bucket.ts';

/** Sources remembered; the one that was silent for longest is forgotten first, and would begin anew. */
export const sourceLimit = 1_024;

/** Of one source that is not trusted. */
export const sourceInvites: Rate = { perSecond: 20, burst: 40 };
export const sourceOthers: Rate = { perSecond: 50, burst: 100 };

export interface Source {
  readonly invites: Bucket;
  readonly others: Bucket;
  /** Messages given no answer, since that was last told. */
  ignored: number;
  toldAtMs: number;
}

export class Sources {
  readonly #clock: Clock;
  readonly #all = new Map<string, Source>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size() {
    return this.#all.size;
  }

  at(host: string): Source {
    const key = networkOf(host);
    const nowMs = this.#clock.now();
    const source = this.#all.get(key) ?? this.#make(nowMs);
    // Newest last.
    this.#all.delete(key);
    this.#all.set(key, source);
    if (this.#all.size > sourceLimit) this.#all.delete(this.#all.keys().next().value!);
    return source;
  }

  #make(nowMs: number): Source {
    return {
      invites: new Bucket(sourceInvites, nowMs),
      others: new Bucket(sourceOthers, nowMs),
      ignored: 0,
      toldAtMs: Number.NEGATIVE_INFINITY,
    };
  }
}

/** Who has one IPv6 address has all of its /64; an IPv4 address stands for itself. */
export function networkOf(host: string): string {
  if (!host.includes(':')) return host;
  const [head = ''] = host.split('::', 1);
  const groups = head === '' ? [] : head.split(':');
  while (groups.length < 4) groups.push('0');
  return groups
    .slice(0, 4)
    .map(group => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':');
}
