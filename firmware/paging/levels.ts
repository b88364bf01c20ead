/** How urgent a page is, in our own words: vendors number their priorities in opposite directions. */

/** From the least to the most urgent. */
export const levels = ['background', 'normal', 'high', 'emergency'] as const;
export type Level = (typeof levels)[number];

/** What a page does to other sound: beside it, over it, in its place; or it is not heard at all. */
export type Effect = 'mix' | 'duck' | 'interrupt' | 'ignore';

/** What the pages of one level do. */
export interface LevelRule {
  /** To a call that is up. */
  call: Effect;
  /** To pages of lower levels. */
  pages: Exclude<Effect, 'ignore'>;
  /** Added to the loudspeaker's gain. */
  volumeDb: number;
  /** The loudspeaker's gain is at least this, however low it is set. */
  leastDb: number;
  /** A gong over its beginning. */
  gong: boolean;
}

export type LevelRules = Readonly<Record<Level, LevelRule>>;

export const rankOf = (level: Level): number => levels.indexOf(level);
