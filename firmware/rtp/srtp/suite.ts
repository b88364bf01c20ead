/** The ways to protect RTP, as a table, with the names that SDP knows them by (RFC 4568 §6.2, RFC 6188, RFC 7714 §14.2). */

export const suiteNames = [
  'AEAD_AES_256_GCM',
  'AEAD_AES_128_GCM',
  'AES_256_CM_HMAC_SHA1_80',
  'AES_CM_128_HMAC_SHA1_80',
  'AES_256_CM_HMAC_SHA1_32',
  'AES_CM_128_HMAC_SHA1_32',
] as const;
export type SuiteName = (typeof suiteNames)[number];

export interface Suite {
  /** AES in counter mode with an HMAC beside it (RFC 3711 §4.1.1), or with authentication built in (RFC 7714). */
  kind: 'counter' | 'gcm';
  /** Of the master key, and of the session keys that encrypt. Bytes. */
  keyBytes: 16 | 32;
  /** Of the master salt. Bytes. */
  saltBytes: 14 | 12;
  /** What each RTP packet grows by. Bytes. */
  rtpTagBytes: number;
  /** The same of RTCP, without the index: never the short one (RFC 4568 §6.2.2). Bytes. */
  rtcpTagBytes: number;
}

const counter = (keyBytes: 16 | 32, rtpTagBytes: 10 | 4): Suite => ({
  kind: 'counter',
  keyBytes,
  saltBytes: 14,
  rtpTagBytes,
  rtcpTagBytes: 10,
});
const gcm = (keyBytes: 16 | 32): Suite => ({ kind: 'gcm', keyBytes, saltBytes: 12, rtpTagBytes: 16, rtcpTagBytes: 16 });

export const suites: Readonly<Record<SuiteName, Suite>> = {
  AEAD_AES_256_GCM: gcm(32),
  AEAD_AES_128_GCM: gcm(16),
  AES_256_CM_HMAC_SHA1_80: counter(32, 10),
  AES_CM_128_HMAC_SHA1_80: counter(16, 10),
  AES_256_CM_HMAC_SHA1_32: counter(32, 4),
  AES_CM_128_HMAC_SHA1_32: counter(16, 4),
};

/** A master key with its salt, as a key exchange gives it. */
export interface MasterKey {
  suite: SuiteName;
  key: Uint8Array;
  salt: Uint8Array;
}

export const isSuiteName = (text: string): text is SuiteName => (suiteNames as readonly string[]).includes(text);

/** The longest that a packet grows by: tag, and the index of RTCP. Bytes. */
export const LONGEST_TRAILER_BYTES = 16 + 4;
