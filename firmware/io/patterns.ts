/** What an LED does to say something: a rhythm of on and off, in milliseconds, beginning with on. */

export interface Pattern {
  name: string;
  /** Absent: steady. */
  rhythmMs?: readonly number[];
  /** The level when steady. */
  steady: boolean;
}

export const off: Pattern = { name: 'off', steady: false };
export const on: Pattern = { name: 'on', steady: true };
export const blinkFast: Pattern = { name: 'blink-fast', rhythmMs: [125, 125], steady: true };
export const blinkSlow: Pattern = { name: 'blink-slow', rhythmMs: [500, 500], steady: true };
export const doubleFlash: Pattern = { name: 'double-flash', rhythmMs: [100, 100, 100, 700], steady: true };
