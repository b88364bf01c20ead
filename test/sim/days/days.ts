/** Bad days one after the other, and the sum of them. */
import { agentDay } from './agent-day.ts';
import type { DayResult } from './day-result.ts';
import { deviceDay } from './device-day.ts';
import type { DayPreset } from './plan.ts';

/** Every so many seeds a whole device, which takes ten times as long; the user agent alone in between. */
const deviceEvery = 16;

/** The same seed plays the same day. */
export async function playDay(seed: number, preset?: DayPreset): Promise<DayResult> {
  return seed % deviceEvery === 0 ? deviceDay(seed, preset) : agentDay(seed, preset);
}

/** Lines of the trace that a failure shows. */
const shownLines = 60;

/** A failed day as a person needs it: what was wrong, how to see it again, and what went over the wire last. */
export function taleOf({ seed, kind, preset, faults, trace }: DayResult, lines = shownLines): string {
  const shown = trace.slice(-lines);
  const left = trace.length - shown.length;
  return [
    `seed ${seed}, ${kind}, ${preset}:`,
    ...faults.map(fault => `  ${fault}`),
    `again: scripts/sim --seed ${seed} --verbose`,
    ...(left > 0 ? [`  … ${left} lines before`] : []),
    ...shown.map(line => `  ${line}`),
  ].join('\n');
}

/** What many days were like. */
export class Tally {
  days = 0;
  virtualMs = 0;
  messages = 0;
  registrations = 0;
  readonly failed: number[] = [];
  readonly kinds: Record<string, number> = {};
  readonly presets: Record<string, number> = {};
  readonly outcomes: Record<string, number> = {};
  readonly troubles: Record<string, number> = {};
  readonly #recoveriesMs: number[] = [];

  add(result: DayResult) {
    const { seed, kind, preset, faults, trace, outcomes, troubles, registrations, recoveredAfterMs, virtualMs } =
      result;
    this.days++;
    this.virtualMs += virtualMs;
    this.registrations += registrations;
    this.messages += trace.length;
    if (faults.length > 0) this.failed.push(seed);
    count(this.kinds, kind);
    count(this.presets, preset);
    for (const outcome of outcomes) count(this.outcomes, outcome);
    for (const trouble of troubles) count(this.troubles, trouble);
    if (recoveredAfterMs !== undefined) this.#recoveriesMs.push(recoveredAfterMs);
  }

  /** Seconds after the last trouble until the registrar had the device again: half of the days, 99 of 100, the worst. */
  get recovery() {
    const sorted = this.#recoveriesMs.toSorted((a, b) => a - b);
    const at = (share: number) => Math.round((sorted[Math.floor(share * (sorted.length - 1))] ?? 0) / 1000);
    return { p50: at(0.5), p99: at(0.99), max: at(1) };
  }

  get summary() {
    const { days, virtualMs, messages, registrations, failed, kinds, presets, outcomes, troubles, recovery } = this;
    return {
      days,
      failed,
      virtualHours: Math.round(virtualMs / 3_600_000),
      messages,
      registrations,
      recoverySeconds: recovery,
      kinds: sorted(kinds),
      presets: sorted(presets),
      calls: sorted(outcomes),
      troubles: sorted(troubles),
    };
  }
}

function count(counts: Record<string, number>, what: string) {
  counts[what] = (counts[what] ?? 0) + 1;
}

const sorted = (counts: Record<string, number>) =>
  Object.fromEntries(Object.entries(counts).toSorted(([, a], [, b]) => b - a));
