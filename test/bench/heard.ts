/** One figure of latency out of several calls. */
import { delays, type Found } from './chirps.ts';
import type { Sheet } from './sheet.ts';

/** Calls for one figure. Each meets the clocks of the two sides at another phase. */
export const CALLS = 3;
/** Jitter buffers learn for a while; what is heard before is counted apart. Milliseconds. */
export const LEARNING_MS = 4_000;
/** Fewer chirps found than this share: what was measured was not a call. */
const LEAST_HEARD = 0.7;
/** At the ends of a call nothing counts: it may not be up yet, and the last may not have come through. Milliseconds. */
const HEAD_MS = 500;
const TAIL_MS = 700;

/** Delays of one call, each with the time since the answer. Milliseconds. */
export type Heard = { delayMs: number | undefined; afterMs: number }[];

export async function several(once: () => Promise<Heard> | Heard) {
  const heard: Heard = [];
  for (let call = 0; call < CALLS; call++) heard.push(...(await once()));
  const known = heard.filter(({ delayMs }) => delayMs !== undefined);
  if (known.length < LEAST_HEARD * heard.length)
    throw new Error(`of ${heard.length} chirps only ${known.length} were heard`);
  const some = (when: (afterMs: number) => boolean) =>
    known.filter(({ afterMs }) => when(afterMs)).map(({ delayMs }) => delayMs!);
  return {
    settled: some(afterMs => afterMs >= LEARNING_MS),
    first: some(afterMs => afterMs < LEARNING_MS),
    missed: heard.length - known.length,
  };
}

export async function measured(
  sheet: Sheet,
  name: string,
  once: () => Promise<Heard>,
  more: Parameters<Sheet['add']>[3] = {},
) {
  const { settled, first, missed } = await several(once);
  const note = missed > 0 ? { note: `${missed} of ${missed + settled.length + first.length} chirps not found` } : {};
  sheet.add(name, 'ms', settled, { ...more, ...note });
  sheet.add(`${name}, first ${LEARNING_MS / 1000} s`, 'ms', first);
}

/** Leaves out what was spoken so late that its end may not have been heard. */
export function inCall(spoken: readonly Found[], heard: readonly Found[], answeredMs: number, hungUpMs: number): Heard {
  const within = spoken.filter(({ atMs }) => atMs > answeredMs + HEAD_MS && atMs < hungUpMs - TAIL_MS);
  return delays(within, heard).map((delayMs, index) => ({ delayMs, afterMs: within[index]!.atMs - answeredMs }));
}
