/** SDES in offers and answers (RFC 4568): who encrypts with whom, and who rather does not talk. */
import { describe, expect, test } from 'vitest';
import { cryptoSuites } from '../../../firmware/media/protection.ts';
import { cryptoLines, type EncryptionPolicy } from '../../../firmware/sdp/crypto.ts';
import { acceptAnswer, type Capabilities, makeAnswer, makeOffer } from '../../../firmware/sdp/negotiate.ts';
import type { Local } from '../../../firmware/sdp/our-line.ts';
import { parseSdp } from '../../../firmware/sdp/parse.ts';
import { printSdp } from '../../../firmware/sdp/print.ts';
import type { SessionDescription } from '../../../firmware/sdp/types.ts';

const US: Local = { host: '192.0.2.1', rtpPort: 4000, sessionId: '77', version: 1 };
const THEM: Local = { host: '192.0.2.2', rtpPort: 5000, sessionId: '88', version: 1 };

/** Every key of a side is one byte over and over. */
const side = (policy: EncryptionPolicy, fill: number): Capabilities => ({
  codecs: ['PCMA'],
  ptimeMs: 20,
  telephoneEvent: false,
  opusFec: false,
  encryption: { policy, suites: cryptoSuites, keyFor: ({ keyBytes }) => new Uint8Array(keyBytes).fill(fill) },
});

/** As it goes over the wire. */
function sent(session: SessionDescription): SessionDescription {
  const parsed = parseSdp(Buffer.from(printSdp(session)));
  if ('malformed' in parsed) throw new Error(parsed.malformed);
  return parsed;
}

/** What comes of an offer of one to the other: both views, or why not. */
function agree(offerer: EncryptionPolicy, answerer: EncryptionPolicy) {
  const offer = makeOffer(side(offerer, 1), US, 'sendrecv');
  const answer = makeAnswer(sent(offer), side(answerer, 2), THEM, 'sendrecv');
  if ('refused' in answer) return { refused: answer.refused };
  const result = acceptAnswer(offer, sent(answer.answer));
  if ('refused' in result) return { refused: result.refused };
  return { offerer: result.crypto, answerer: answer.negotiated.crypto, protocol: answer.answer.media[0]!.protocol };
}

const audio = (...lines: string[]) =>
  sent(parseOrThrow(['v=0', 'o=- 1 1 IN IP4 192.0.2.2', 's=-', 'c=IN IP4 192.0.2.2', 't=0 0', ...lines].join('\r\n')));

function parseOrThrow(text: string) {
  const parsed = parseSdp(Buffer.from(text));
  if ('malformed' in parsed) throw new Error(parsed.malformed);
  return parsed;
}

const KEY = Buffer.alloc(30, 9).toString('base64');

describe('policies', () => {
  const plain = [
    ['off', 'off'],
    ['off', 'taken'],
    ['off', 'offered'],
    ['taken', 'taken'],
    ['taken', 'offered'],
    ['offered', 'off'],
  ] as const;
  test.each(plain)('%s calls %s: plain', (offerer, answerer) => {
    expect(agree(offerer, answerer)).toEqual({ offerer: undefined, answerer: undefined, protocol: 'RTP/AVP' });
  });

  const encrypted = [
    ['offered', 'taken', 'RTP/AVP'],
    ['offered', 'offered', 'RTP/AVP'],
    ['offered', 'required', 'RTP/AVP'],
    ['required', 'taken', 'RTP/SAVP'],
    ['required', 'offered', 'RTP/SAVP'],
    ['required', 'required', 'RTP/SAVP'],
  ] as const;
  test.each(encrypted)('%s calls %s: encrypted, each with its own key', (offerer, answerer, protocol) => {
    const [one, two] = [new Uint8Array(44).fill(1), new Uint8Array(44).fill(2)];
    expect(agree(offerer, answerer)).toEqual({
      offerer: { suite: 'AEAD_AES_256_GCM', ours: one, theirs: two },
      answerer: { suite: 'AEAD_AES_256_GCM', ours: two, theirs: one },
      protocol,
    });
  });

  test.each([
    ['required', 'off', 'encryption is switched off'],
    ['off', 'required', 'encryption is required here'],
    ['taken', 'required', 'encryption is required here'],
  ] as const)('%s calls %s: no call, and the reason in words', (offerer, answerer, why) => {
    expect(agree(offerer, answerer).refused).toContain(why);
  });

  test('an answer without a key to an offer that must be encrypted ends the call', () => {
    const offer = makeOffer(side('required', 1), US, 'sendrecv');
    const result = acceptAnswer(offer, audio('m=audio 5000 RTP/AVP 8'));
    expect(result).toEqual({ refused: 'the answer has no key of ours: nothing is sent in the plain' });
  });
});

describe('an offer from elsewhere', () => {
  const answered = (...lines: string[]) => makeAnswer(audio(...lines), side('taken', 2), US, 'sendrecv');

  test('the line that can be used is taken, with its tag; those with an MKI or a strange parameter are not', () => {
    const result = answered(
      'm=audio 5000 RTP/SAVP 8',
      `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^20|1:4`,
      `a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:${KEY} UNENCRYPTED_SRTCP`,
      'a=crypto:3 F8_128_HMAC_SHA1_80 inline:AAAA',
      `a=crypto:7 aes_cm_128_hmac_sha1_80 inline:${KEY}|2^48 KDR=0 WSH=128`,
    );
    if ('refused' in result) throw new Error(result.refused);
    expect(result.negotiated.crypto).toMatchObject({
      suite: 'AES_CM_128_HMAC_SHA1_80',
      theirs: new Uint8Array(30).fill(9),
    });
    expect(result.answer.media[0]!.attributes).toEqual([
      ['crypto', `7 AES_CM_128_HMAC_SHA1_80 inline:${Buffer.alloc(30, 2).toString('base64')}`],
    ]);
  });

  test('a short tag is taken where there is no other', () => {
    const result = answered('m=audio 5000 RTP/SAVP 8', `a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:${KEY}`);
    expect('negotiated' in result && result.negotiated.crypto?.suite).toBe('AES_CM_128_HMAC_SHA1_32');
  });

  test.each([
    ['no key', []],
    ['a key of another length', ['a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA']],
    ['a suite of nobody', [`a=crypto:1 ROT13 inline:${KEY}`]],
    ['what is no line', ['a=crypto:', 'a=crypto', 'a=crypto:x y z', `a=crypto:1 AES_CM_128_HMAC_SHA1_80 ${KEY}`]],
  ])('%s: refused', (_what, lines) => {
    expect(answered('m=audio 5000 RTP/SAVP 8', ...lines)).toEqual({ refused: 'no key of RTP/SAVP can be used' });
  });

  test('RTP with feedback is answered as such (RFC 4585)', () => {
    const result = answered('m=audio 5000 RTP/AVPF 8');
    expect('answer' in result && result.answer.media[0]!.protocol).toBe('RTP/AVPF');
  });

  test('hundreds of lines cost sixteen', () => {
    const lines = Array.from({ length: 400 }, (_, tag) => `a=crypto:${tag} X inline:AA`);
    expect(cryptoLines(audio('m=audio 5000 RTP/SAVP 8', ...lines).media[0]!).length).toBe(16);
  });
});

describe('inside a call', () => {
  test('what is encrypted is offered again with the same keys, whoever called', () => {
    const answer = makeAnswer(
      audio('m=audio 5000 RTP/SAVP 8', `a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`),
      side('taken', 2),
      US,
      'sendrecv',
    );
    if ('refused' in answer) throw new Error(answer.refused);
    const again = makeOffer(side('taken', 2), { ...US, version: 2 }, 'inactive', answer.answer);
    expect(again.media[0]!.protocol).toBe('RTP/SAVP');
    expect(again.media[0]!.attributes).toEqual(answer.answer.media[0]!.attributes);
  });

  test('what is plain is not offered keys', () => {
    const plain = makeAnswer(audio('m=audio 5000 RTP/AVP 8'), side('offered', 2), US, 'sendrecv');
    if ('refused' in plain) throw new Error(plain.refused);
    const again = makeOffer(side('offered', 2), { ...US, version: 2 }, 'sendrecv', plain.answer);
    expect(again.media[0]).toMatchObject({ protocol: 'RTP/AVP', attributes: [] });
  });
});
