/** Who is heard: of all pages that come in at once, and of the call that is up. A table of effects, and one walk over it. */
import { type Effect, type Level, type LevelRules, rankOf } from './levels.ts';

export type Loudness = 'full' | 'low' | 'silent';

/** A page that comes in, whether it is heard or not. */
export interface Claim {
  readonly level: Level;
  /** Counts up: which began first. */
  readonly began: number;
}

export interface Place {
  loudness: Loudness;
  /** Where it is silent: why. */
  why?: string;
}

/** What an effect leaves of the sound that it is done to. */
const leaves: Readonly<Record<Effect, Loudness>> = { mix: 'full', duck: 'low', interrupt: 'silent', ignore: 'full' };
const quieter = (a: Loudness, b: Loudness): Loudness =>
  a === 'silent' || b === 'silent' ? 'silent' : a === 'low' || b === 'low' ? 'low' : 'full';

/**
 * Levels from the top: of each, the page that began first is heard; the others of its level wait until it ends. What is
 * heard does its level's effect to the pages below, and to the call.
 */
export function arbitrate<C extends Claim>(
  claims: readonly C[],
  callIsUp: boolean,
  rules: LevelRules,
): { call: Loudness; places: Map<C, Place> } {
  const places = new Map<C, Place>();
  let call: Loudness = 'full';
  let below: Loudness = 'full';
  let leader: C | undefined;
  for (const claim of [...claims].sort(urgentFirst)) {
    const rule = rules[claim.level];
    if (callIsUp && rule.call === 'ignore') {
      places.set(claim, { loudness: 'silent', why: 'a call is up' });
      continue;
    }
    if (leader?.level === claim.level) {
      places.set(claim, { loudness: 'silent', why: 'another page of its level came first' });
      continue;
    }
    if (leader !== undefined) below = quieter(below, leaves[rules[leader.level].pages]);
    places.set(claim, below === 'silent' ? { loudness: below, why: 'a more urgent page' } : { loudness: below });
    if (below !== 'silent') call = quieter(call, leaves[rule.call]);
    leader = claim;
  }
  return { call, places };
}

const urgentFirst = (a: Claim, b: Claim) => rankOf(b.level) - rankOf(a.level) || a.began - b.began;
