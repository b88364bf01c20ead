/** Pages that are encrypted with a key that all of a group have: only who has it is heard (SRTP, RFC 3711). */
import type { SuiteName } from '../rtp/srtp/suite.ts';
import { Protection } from './protection.ts';

/**
 * By the length of key and salt together, bytes. Counter mode only: under AES-GCM two senders that met in an SSRC would
 * betray the key (RFC 7714 §8.4), and senders of a group do not know of each other.
 */
const SUITES: Readonly<Record<number, SuiteName>> = { 30: 'AES_CM_128_HMAC_SHA1_80', 46: 'AES_256_CM_HMAC_SHA1_80' };
/**
 * Who comes late is not told how often the counter has rolled over (RFC 3711 §3.3.1), so so many are tried: an hour of
 * packets of 10 ms, the longest page there is, has six.
 */
const MOST_MISSED = 6;
/** Each page of a Porter has an SSRC of its own: so many pages are remembered, against who plays one again. Half a megabyte. */
const REMEMBERED_PAGES = 256;

/** Undefined where pages are plain. Throws for a key of another length. */
export function groupProtection(key: Uint8Array | undefined): Protection | undefined {
  if (key === undefined) return undefined;
  const suite = SUITES[key.length];
  if (suite === undefined) throw new RangeError(`a group key of ${key.length} bytes`);
  return new Protection({ suite, ours: key, theirs: key }, () => {}, MOST_MISSED, REMEMBERED_PAGES);
}
