/** Finds how long one period of a voice is: what concealment repeats, and what time compression leaves out. */

export interface Pitch {
  /** Samples in one period. */
  lag: number;
  /** How alike two neighbouring periods are: 1 the same, 0 nothing in common. */
  likeness: number;
}

/**
 * Compares the `window` samples that end at `end` with those one lag earlier, for each lag from `minLag` to `maxLag`,
 * by normalised cross-correlation. Reads `window + maxLag` samples before `end`. Writes its answer into `result`.
 *
 * Two passes, coarse at half the rate and then fine, as G.711 Appendix I does it, for a fifth of the work.
 */
export function findPitch(
  samples: Int16Array | Float32Array,
  end: number,
  window: number,
  minLag: number,
  maxLag: number,
  result: Pitch,
): Pitch {
  result.lag = minLag;
  result.likeness = -1;
  scan(samples, end, window, minLag, maxLag, 2, result);
  const around = result.lag;
  result.likeness = -1;
  scan(samples, end, window, Math.max(minLag, around - 1), Math.min(maxLag, around + 1), 1, result);
  return result;
}

function scan(
  samples: Int16Array | Float32Array,
  end: number,
  window: number,
  minLag: number,
  maxLag: number,
  step: number,
  result: Pitch,
) {
  const start = end - window;
  let energyHere = 0;
  for (let index = start; index < end; index += step) energyHere += samples[index]! * samples[index]!;
  for (let lag = minLag; lag <= maxLag; lag += step) {
    let product = 0;
    let energyThere = 0;
    for (let index = start; index < end; index += step) {
      const there = samples[index - lag]!;
      product += samples[index]! * there;
      energyThere += there * there;
    }
    // Silence on one side is like nothing; silence on both is perfectly alike.
    const scale = Math.sqrt(energyHere * energyThere);
    const likeness = scale > 0 ? product / scale : energyHere === energyThere ? 1 : 0;
    if (likeness > result.likeness) {
      result.likeness = likeness;
      result.lag = lag;
    }
  }
}
