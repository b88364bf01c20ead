/** How a line of sound is encrypted, as offer and answer agree on it (RFC 4568 §5.1). */
import {
  chooseCrypto,
  cryptoAttribute,
  cryptoLines,
  type Encryption,
  isSecureProtocol,
  type NegotiatedCrypto,
  offeredCrypto,
} from './crypto.ts';
import type { Attribute, MediaDescription, Refused } from './types.ts';

/** Inside a call its present way is offered again: keys that change would be heard, and plain stays plain. */
export function offerCrypto(
  audio: MediaDescription,
  encryption: Encryption | undefined,
  before: MediaDescription | undefined,
) {
  if (before !== undefined) {
    audio.protocol = before.protocol;
    audio.attributes.push(...before.attributes.filter(([name]) => name === 'crypto'));
    return;
  }
  if (encryption?.policy !== 'offered' && encryption?.policy !== 'required') return;
  // RFC 4568 wants RTP/SAVP; beside plain RTP the keys stand in RTP/AVP, as telephones have it, and may be passed over.
  if (encryption.policy === 'required') audio.protocol = 'RTP/SAVP';
  audio.attributes.push(...offeredCrypto(encryption));
}

/** How an offered medium is encrypted: not at all, or our line and both keys. */
export function protect(
  medium: MediaDescription,
  encryption: Encryption | undefined,
): { attribute?: Attribute; crypto?: NegotiatedCrypto } | Refused {
  const isSecure = isSecureProtocol(medium.protocol);
  if (encryption === undefined || encryption.policy === 'off') {
    return isSecure ? { refused: `${medium.protocol} is offered, and encryption is switched off here` } : {};
  }
  const chosen = chooseCrypto(cryptoLines(medium), encryption);
  if (chosen === undefined) {
    if (isSecure) return { refused: `no key of ${medium.protocol} can be used` };
    return encryption.policy === 'required'
      ? { refused: 'plain sound is offered, and encryption is required here' }
      : {};
  }
  const { line, suite } = chosen;
  return {
    attribute: cryptoAttribute(line.tag, suite, encryption),
    crypto: { suite: suite.name, ours: encryption.keyFor(suite), theirs: line.key },
  };
}

/** The way that their answer has taken of those that we offered; undefined: plain. */
export function agreedCrypto(ours: MediaDescription, theirs: MediaDescription): NegotiatedCrypto | Refused | undefined {
  const [line] = cryptoLines(theirs);
  const offered = line && cryptoLines(ours).find(({ tag, suite }) => tag === line.tag && suite === line.suite);
  if (line !== undefined && offered !== undefined && line.key.length === offered.key.length)
    return { suite: line.suite, ours: offered.key, theirs: line.key };
  if (isSecureProtocol(ours.protocol))
    return { refused: 'the answer has no key of ours: nothing is sent in the plain' };
  return isSecureProtocol(theirs.protocol) ? { refused: `the answer is ${theirs.protocol} without a key` } : undefined;
}
