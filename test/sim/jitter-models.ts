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

/** Two networks in turn: the other one while `isOther` says so. */
export function inTurn(path: Path, other: Path, isOther: (sentMs: number) => boolean): Path {
  return sentMs => {
    const [here, there] = [path(sentMs), other(sentMs)];
    return isOther(sentMs) ? there : here;
  };
}

/**
 * A line that one bulk transfer keeps full: its queue grows to `fullMs`, overflows, TCP halves its window, and it grows
 * anew. A voice packet waits for it, and for the rest of the one packet that is being sent, `packetMs`.
 */
export function bulkTransfer(random: Random, baseMs: number, fullMs: number, everyMs: number, packetMs: number): Path {
  return sentMs => baseMs + fullMs * (0.5 + (0.5 * (sentMs % everyMs)) / everyMs) + random.next() * packetMs;
}

/** Nothing comes for `gapMs` from each of these moments, then all of it at once. */
export function gapsAt(path: Path, atMs: readonly number[], gapMs: number): Path {
  return sentMs => {
    const delay = path(sentMs);
    const at = atMs.find(moment => sentMs >= moment && sentMs < moment + gapMs);
    return delay === undefined || at === undefined ? delay : delay + at + gapMs - sentMs;
  };
}

/**
 * LTE: a voice packet waits up to 10 ms for its turn; one in ten transmissions fails, and is made again 8 ms later (HARQ);
 * two in a thousand fail as often as is tried, and the layer above takes 50 ms to see it. Sharing the cell with others
 * adds a wait of `sharedMs` on average.
 */
export function lte(random: Random, baseMs: number, sharedMs: number): Path {
  return () => {
    let delay = baseMs + random.next() * 10 - sharedMs * Math.log(1 - random.next());
    while (random.next() < 0.1) delay += 8;
    return random.next() < 0.002 ? delay + 50 : delay;
  };
}
