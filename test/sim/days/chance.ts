/** Words for drawing from a seed. */
import type { Random } from '../../../firmware/lib/random.ts';

export const pick = <T>(random: Random, items: readonly T[]): T => items[Math.floor(random.next() * items.length)]!;

export const between = (random: Random, least: number, most: number) => least + random.next() * (most - least);

export const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
