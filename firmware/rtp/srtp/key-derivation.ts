/** Session keys from a master key (RFC 3711 §4.3, with a key derivation rate of zero: once for all packets). */
import { createCipheriv } from 'node:crypto';
import { type MasterKey, suites } from './suite.ts';

/** RFC 3711 §4.3.1: what each session key is for. */
const LABELS = {
  rtp: { encryption: 0, authentication: 1, salt: 2 },
  rtcp: { encryption: 3, authentication: 4, salt: 5 },
};

/** HMAC-SHA1 (RFC 3711 §5.2). Bytes. */
const AUTHENTICATION_KEY_BYTES = 20;

export interface SessionKeys {
  encryption: Buffer;
  /** Unused by GCM. */
  authentication: Buffer;
  salt: Buffer;
}

/** Throws where key or salt have not the length of their suite: whoever parsed them has looked. */
export function deriveKeys({ suite: name, key, salt }: MasterKey, kind: 'rtp' | 'rtcp'): SessionKeys {
  const { keyBytes, saltBytes } = suites[name];
  if (key.length !== keyBytes || salt.length !== saltBytes)
    throw new RangeError(`${name} needs a key of ${keyBytes} bytes and a salt of ${saltBytes}`);
  const derive = (label: number, bytes: number) => {
    // RFC 7714 §11: a salt of 96 bits is padded on the right. The label stands above the 48 bits of the index, here 0.
    const iv = Buffer.alloc(16);
    iv.set(salt);
    iv[7]! ^= label;
    return createCipheriv(keyBytes === 32 ? 'aes-256-ctr' : 'aes-128-ctr', key, iv).update(Buffer.alloc(bytes));
  };
  const labels = LABELS[kind];
  return {
    encryption: derive(labels.encryption, keyBytes),
    authentication: derive(labels.authentication, AUTHENTICATION_KEY_BYTES),
    salt: derive(labels.salt, saltBytes),
  };
}
