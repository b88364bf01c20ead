/** SDES: the keys of SRTP within a description (RFC 4568), one `a=crypto` line a suite. Suites are names and lengths here. */
import type { Attribute, MediaDescription } from './types.ts';

/** A way to encrypt, by its name in RFC 4568 §6.2, RFC 6188 or RFC 7714. */
export interface CryptoSuite {
  name: string;
  /** Of master key and master salt together. */
  keyBytes: number;
  /** Taken where it is offered, but not offered: a short tag. */
  onlyTaken?: boolean;
}

/**
 * What a call may do: nothing of it encrypted; encrypted where the other side offers that; offered, and plain where the
 * other side does not take it; never plain.
 */
export type EncryptionPolicy = 'off' | 'taken' | 'offered' | 'required';

export interface Encryption {
  policy: EncryptionPolicy;
  /** In order of preference. */
  suites: readonly CryptoSuite[];
  /** Our master key with its salt, the same for a suite as long as the call lasts (RFC 4568 §7.1.4). */
  keyFor(suite: CryptoSuite): Uint8Array;
}

/** Master key followed by master salt, each way. */
export interface NegotiatedCrypto {
  suite: string;
  ours: Uint8Array;
  theirs: Uint8Array;
}

export interface CryptoLine {
  tag: string;
  suite: string;
  key: Uint8Array;
}

/** Lines of one medium that are read; nobody offers more ways than this. */
const LINE_LIMIT = 16;
/** `1 AES_CM_128_HMAC_SHA1_80 inline:d0Rm…|2^20|1:4 WSH=64`: tag, suite, key, lifetime or MKI, session parameters. */
const LINE = /^(\d{1,9})\s+([\w-]{1,64})\s+inline:([\w+/]+={0,2})((?:\|[^\s;|]*)*)((?:\s+\S+)*)\s*$/i;
/** Session parameters that change nothing for us. Any other makes the line useless (RFC 4568 §6.3). */
const HARMLESS = /^(?:KDR=0|WSH=\d+|-\S*)$/i;

/** The lines that can be used: one key, no MKI, no parameter that we do not know. */
export function cryptoLines({ attributes }: MediaDescription): CryptoLine[] {
  return attributes
    .filter(([name]) => name === 'crypto')
    .slice(0, LINE_LIMIT)
    .map(parse)
    .filter(line => line !== undefined);
}

function parse([, value = '']: Attribute): CryptoLine | undefined {
  const match = LINE.exec(value);
  if (match === null) return undefined;
  const [, tag = '', suite = '', key = '', more = '', parameters = ''] = match;
  // RFC 4568 §6.1: `|1:4` is a master key identifier, which each packet would carry; `|2^48` is a lifetime.
  if (more.includes(':')) return undefined;
  if (!parameters.split(/\s+/).every(parameter => parameter === '' || HARMLESS.test(parameter))) return undefined;
  return { tag, suite: suite.toUpperCase(), key: Uint8Array.from(Buffer.from(key, 'base64')) };
}

export const cryptoAttribute = (tag: string, suite: CryptoSuite, { keyFor }: Encryption): Attribute => [
  'crypto',
  `${tag} ${suite.name} inline:${Buffer.from(keyFor(suite)).toString('base64')}`,
];

/** Lines for an offer. */
export const offeredCrypto = (encryption: Encryption): Attribute[] =>
  encryption.suites
    .filter(({ onlyTaken }) => !onlyTaken)
    .map((suite, index) => cryptoAttribute(String(index + 1), suite, encryption));

/** The best of our suites that they offer, with a key of its length. */
export function chooseCrypto(
  theirs: readonly CryptoLine[],
  { suites }: Encryption,
): { line: CryptoLine; suite: CryptoSuite } | undefined {
  for (const suite of suites) {
    const line = theirs.find(({ suite: name, key }) => name === suite.name && key.length === suite.keyBytes);
    if (line !== undefined) return { line, suite };
  }
  return undefined;
}

export const isSecureProtocol = (protocol: string) => protocol.startsWith('RTP/SAVP');
