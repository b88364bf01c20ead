/** Durations as people write them (`"3 s"`, `"1.5 min"`) and as the firmware counts them (milliseconds). */

const unitMs = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;

type Unit = keyof typeof unitMs;

/** As a regular expression that JSON Schema can carry. */
export const durationPattern = '^\\d{1,12}(\\.\\d{1,6})? ?(ms|s|min|h|d)$';

const form = new RegExp(durationPattern);

/** What to tell somebody whose duration could not be read; follows the value in a sentence. */
export const notADuration = 'is not a duration; write a number and a unit such as "30 s", "5 min"';

/** Milliseconds, whole; undefined where the text is no duration. Units: ms, s, min, h, d. */
export function parseDuration(text: string): number | undefined {
  const match = form.exec(text.trim());
  if (!match) return undefined;
  const unit = match[2] as Unit;
  const number = Number.parseFloat(text);
  const ms = Math.round(number * unitMs[unit]);
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** The shortest exact form: 90000 → `90 s`, 300000 → `5 min`. */
export function printDuration(ms: number): string {
  const units: Unit[] = ['d', 'h', 'min', 's'];
  const unit = ms === 0 ? 's' : (units.find(candidate => ms % unitMs[candidate] === 0) ?? 'ms');
  return `${ms / unitMs[unit]} ${unit}`;
}
