/** The order in which servers of one SRV name are tried (RFC 2782). */
import type { Random } from '../../lib/random.ts';
import type { Srv } from './services.ts';

/** Lowest priority first; within one priority by chance, each as often first as its weight says. */
export function orderServers(records: readonly Srv[], random: Random): Srv[] {
  const ordered: Srv[] = [];
  const priorities = [...new Set(records.map(({ priority }) => priority))].sort((a, b) => a - b);
  for (const priority of priorities) {
    // Those of weight 0 come first in the drawing, so that they are seldom chosen and yet can be.
    const left = records.filter(record => record.priority === priority).sort((a, b) => a.weight - b.weight);
    while (left.length > 0) {
      const total = left.reduce((sum, { weight }) => sum + weight, 0);
      let drawn = random.next() * total;
      const at = left.findIndex(({ weight }) => {
        drawn -= weight;
        return drawn < 0;
      });
      ordered.push(...left.splice(Math.max(at, 0), 1));
    }
  }
  return ordered;
}
