/** Whatever bytes arrive, the parser answers with a value, soon, and what it accepts it can print and read again. */
import { describe, expect, test } from 'vitest';
import { parseDigest } from '../../firmware/sip/digest/parameters.ts';
import { parseCSeq } from '../../firmware/sip/message/cseq.ts';
import { parseNameAddress } from '../../firmware/sip/message/name-addr.ts';
import { parseUri } from '../../firmware/sip/message/uri.ts';
import { parseVia } from '../../firmware/sip/message/via.ts';
import { seeded } from '../sim/seeded.ts';
import { checkMessage } from './support/check-message.ts';
import { tortureMessages } from './support/corpus.ts';
import { below, mutated } from './support/mutate.ts';

// biome-ignore format: a list to read across
const REPEATED = [
  ',', ';', '"', '\\', '<', '>', '=', ' ', '\t', '@', ':', '%', '[', '"\\', '",', '<,', '>,<', ';;', ';a', ';a=', ', ',
  ' ,', '= ', 'a', 'a:', 'a ', '%41', '&', '?', '-', '.', '::', 'Digest ', 'a=b,', 'a="",', '\0', '\xff', '\xc3\xbc',
];

// biome-ignore format: a list to read across
const PREFIXES = [
  '', 'sip:', 'sip:a@', 'sip:a@b;', 'sip:a@b?', 'SIP/2.0/UDP ', 'SIP/2.0/UDP c;', '<sip:a@b>;', '"', '<', '1 ', 'Digest ',
];

// biome-ignore format: a list to read across
const REPEATED_LINES = [
  'a\r\n', 'a\n', '\r\n', '\n', '\r', '\n ', '\r\n ', '\r\n \r\n', 'a:b\r\n', 'a:b\n', 'v:\r\n', 'Via: x,\r\n ',
  'm:<sip:a@b>,,\r\n', '\r\r\n',
];

test('20,000 mutated torture messages', () => {
  const tally = { accepted: 0, answered: 0, dropped: 0 };
  for (let seed = 0; seed < 20_000; seed++) {
    const random = seeded(seed);
    const bytes = mutated(random, tortureMessages);
    try {
      tally[checkMessage(bytes)]++;
    } catch (error) {
      throw new Error(`seed ${seed}: ${JSON.stringify(bytes.toString('latin1'))}`, { cause: error });
    }
  }
  // The mutations are of use only while they reach all three ends.
  expect(Math.min(...Object.values(tally))).toBeGreaterThan(1000);
});

test('2,000 datagrams of noise are dropped', () => {
  for (let seed = 0; seed < 2_000; seed++) {
    const random = seeded(seed);
    const bytes = Buffer.from(Array.from({ length: below(random, 200) }, () => below(random, 256)));
    expect(checkMessage(bytes), `seed ${seed}`).toBe('dropped');
  }
});

describe('60 kB of one thing, where work that grows with the square would not end in time', () => {
  const SIZE = 60_000;
  const head =
    'OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c;branch=z9hG4bK1\r\nFrom: sip:a@b;tag=1\r\nTo: sip:a@b\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n';
  const fill = (piece: string) => piece.repeat(Math.floor(SIZE / piece.length));

  test.each(REPEATED)('%j', piece => {
    const text = fill(piece);
    for (const prefix of PREFIXES) {
      for (const suffix of ['', '!', '"', '>']) {
        const value = `${prefix}${text}${suffix}`;
        parseUri(value);
        parseVia(value);
        parseNameAddress(value);
        parseCSeq(value);
        parseDigest(value);
      }
    }
    for (const line of [text, `Contact: ${text}`, `${text}: x`, `X: ${text}`])
      checkMessage(Buffer.from(`${head}${line}\r\n\r\n`, 'latin1'));
    checkMessage(Buffer.from(`${text} sip:a@b SIP/2.0\r\n${head}\r\n`, 'latin1'));
    checkMessage(Buffer.from(`OPTIONS ${text} SIP/2.0\r\n${head}\r\n`, 'latin1'));
    checkMessage(Buffer.from(text, 'latin1'));
  });

  test.each(REPEATED_LINES)('lines of %j', piece => {
    checkMessage(Buffer.from(fill(piece)));
    checkMessage(Buffer.from(`${head}${fill(piece)}`));
    checkMessage(Buffer.from(`${head}Subject: ${fill(piece)}\r\n\r\n`));
    checkMessage(Buffer.from(`OPTIONS sip:a@b SIP/2.0\r\n${fill(piece)}${head.slice(25)}\r\n`));
  });
});
