/** Networks as a packet meets them: how long it takes, or that it never comes. Each from numbers one can measure. */
import type { Random } from '../../firmware/lib/random.ts';

/** Milliseconds on the way for a packet sent at `sentMs`; undefined: lost. Asked in the order of sending. */
export type Path = (sentMs: number) => number | undefined;

/** A quiet wire: a constant delay and a little evenly spread jitter. */
export function uniform(random: Random, baseMs: number, jitterMs: number): Path {
  return () => baseMs + random.next() * jitterMs;
}

/** A busy queue: a gamma-like body (the sum of two exponentials), and now and then a spike that drains away. */
export function spikes(random: Random, baseMs: number, meanMs: number, spikeMs: number, everyMs: number): Path {
  let queueMs = 0;
  let lastMs = 0;
  return sentMs => {
    queueMs = Math.max(0, queueMs - (sentMs - lastMs) / 2);
    if (random.next() < (sentMs - lastMs) / everyMs) queueMs += spikeMs * (0.5 + random.next());
    lastMs = sentMs;
    const body = -(meanMs / 2) * Math.log(1 - random.next()) - (meanMs / 2) * Math.log(1 - random.next());
    return baseMs + body + queueMs;
  };
}

/** First in, first out: what most networks do within one stream. */
export function inOrder(path: Path): Path {
  let lastArrivalMs = 0;
  return sentMs => {
    const delay = path(sentMs);
    if (delay === undefined) return undefined;
    lastArrivalMs = Math.max(lastArrivalMs, sentMs + delay);
    return lastArrivalMs - sentMs;
  };
}

/** Wi-Fi that goes off channel or retries: for `stallMs` nothing comes, then everything at once. */
export function stalls(random: Random, baseMs: number, jitterMs: number, stallMs: number, everyMs: number): Path {
  let stalledUntilMs = 0;
  let lastMs = 0;
  return sentMs => {
    if (sentMs >= stalledUntilMs && random.next() < (sentMs - lastMs) / everyMs) stalledUntilMs = sentMs + stallMs;
    lastMs = sentMs;
    return Math.max(0, stalledUntilMs - sentMs) + baseMs + random.next() * jitterMs;
  };
}

/** From `atMs` on the way is longer (or shorter) by `byMs`. */
export function routeChange(path: Path, atMs: number, byMs: number): Path {
  return sentMs => {
    const delay = path(sentMs);
    return delay === undefined ? undefined : delay + (sentMs >= atMs ? byMs : 0);
  };
}

/** Loses `share` of the packets, in runs of `meanRun` on average (Gilbert's two states). */
export function losing(random: Random, path: Path, share: number, meanRun = 1): Path {
  const leave = 1 / meanRun;
  const enter = (share * leave) / (1 - share);
  let bad = false;
  return sentMs => {
    bad = bad ? random.next() >= leave : random.next() < enter;
    const delay = path(sentMs);
    return bad ? undefined : delay;
  };
}
