/** Reads Retry-After (RFC 9110 §10.2.3): a number of seconds or a date. */

/** A server cannot send a device away for longer. */
export const retryAfterLimitMs = 24 * 3_600_000;

/** Milliseconds from `nowMs` (wall clock), 0 to `retryAfterLimitMs`; undefined where the field is absent or makes no sense. */
export function parseRetryAfter(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined;
  const text = value.trim();
  const delayMs = /^\d{1,9}$/.test(text)
    ? Number(text) * 1000
    : httpDate.test(text)
      ? Date.parse(text) - nowMs
      : Number.NaN;
  return Number.isNaN(delayMs) ? undefined : Math.min(retryAfterLimitMs, Math.max(0, delayMs));
}

/** IMF-fixdate, the only form that a sender may generate (RFC 9110 §5.6.7). */
const httpDate = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
