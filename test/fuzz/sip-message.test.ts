/** Whatever bytes arrive, the parser answers with a value, soon, and what it accepts it can print and read again. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Random } from '../../firmware/lib/random.ts';
import { parseDigest } from '../../firmware/sip/digest/parameters.ts';
import { parseCSeq } from '../../firmware/sip/message/cseq.ts';
import { isMalformed, type Malformed, type Message } from '../../firmware/sip/message/message.ts';
import { parseNameAddress, printNameAddress } from '../../firmware/sip/message/name-addr.ts';
import { parseMessage } from '../../firmware/sip/message/parse.ts';
import { printMessage } from '../../firmware/sip/message/print.ts';
import { parseUri, printUri, sameUri } from '../../firmware/sip/message/uri.ts';
import { parseVia, printVia } from '../../firmware/sip/message/via.ts';
import { seeded } from '../sim/seeded.ts';

const torture = join(import.meta.dirname, '../fixtures/torture');
const corpus = ['rfc4475', 'rfc5118'].flatMap(folder =>
  readdirSync(join(torture, folder)).map(file => readFileSync(join(torture, folder, file))),
);

/** Bytes that mean something to the grammar, and some that should not. */
// biome-ignore format: a list to read across
const SALT = [
  '\r\n', '\n', '\r', '\r\n ', '\r\n\r\n', '\t', ' ', '\0', ',', ';', '"', '\\', '<', '>', '=', ':', '@', '?', '%', '%00',
  '%zz', '[', ']', '*', 'SIP/2.0', 'SIP/2.0/UDP ', 'sip:', 'sips:a@b', 'tel:+1', ';tag=', ';lr', 'Via: ', 'v:',
  'Contact: *', 'Content-Length: ', 'l: 0', '-1', '4294967296', '99999999999999999999', 'CSeq: 1 INVITE', '__proto__',
  '\xff\xfe', '\xc3\xbc', '\xef\xbb\xbf', 'Digest realm="', 'nonce="', ', ',
].map(text => Buffer.from(text, 'latin1'));

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

const below = (random: Random, limit: number) => Math.floor(random.next() * limit);
const pick = <T>(random: Random, items: readonly T[]): T => items[below(random, items.length)]!;

function mutate(random: Random, bytes: Buffer): Buffer {
  const at = below(random, bytes.length + 1);
  const to = Math.min(bytes.length, at + below(random, 40));
  const before = bytes.subarray(0, at);
  switch (below(random, 7)) {
    case 0: // one byte changed
      return Buffer.concat([before, Buffer.from([below(random, 256)]), bytes.subarray(at + 1)]);
    case 1: // a piece lost
      return Buffer.concat([before, bytes.subarray(to)]);
    case 2: // a piece repeated
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
    case 3: // cut short
      return before;
    case 4: // the end of another message
      return Buffer.concat([before, pick(random, corpus).subarray(at)]);
    default: // something meaningful in the wrong place
      return Buffer.concat([before, pick(random, SALT), bytes.subarray(at)]);
  }
}

function readEverything(message: Message) {
  if (message.kind === 'request') checkUri(message.uri);
  for (const [name, value] of message.headers) {
    for (const text of [value, ...message.headers.all(name)]) {
      checkStable(text, parseVia, printVia);
      checkStable(text, parseNameAddress, printNameAddress);
      checkUri(text);
      parseCSeq(text);
      parseDigest(text);
      parseDigest(`Digest ${text}`);
    }
  }
}

function checkUri(text: string) {
  checkStable(text, parseUri, printUri);
  const uri = parseUri(text);
  if (!isMalformed(uri) && !sameUri(uri, uri)) throw new Error(`${text} is not itself`);
}

/** What is read, printed and read again prints the same. */
function checkStable<T extends object>(
  text: string,
  parse: (text: string) => T | Malformed,
  print: (value: T) => string,
) {
  const value = parse(text);
  if (isMalformed(value)) return;
  const printed = print(value);
  const again = parse(printed);
  if (isMalformed(again) || print(again) !== printed)
    throw new Error(`${JSON.stringify(text)} became ${JSON.stringify(printed)}`);
}

function check(bytes: Buffer): 'accepted' | 'answered' | 'dropped' {
  const result = parseMessage(bytes);
  if (isMalformed(result)) {
    if (!/^[A-Za-z0-9 \-<>]+$/.test(result.why)) throw new Error(`not a reason phrase: ${result.why}`);
    if (result.request === undefined) return 'dropped';
    if (result.status < 400 || result.request.method === 'ACK') throw new Error(`cannot be answered: ${result.status}`);
    for (const name of ['Via', 'From', 'To', 'Call-ID', 'CSeq']) {
      if (result.request.headers.get(name) === undefined) throw new Error(`answered without ${name}`);
    }
    readEverything(result.request);
    return 'answered';
  }
  readEverything(result);
  const printed = printMessage(result);
  const again = parseMessage(printed);
  if (isMalformed(again)) throw new Error(`printed message refused: ${again.why}`);
  if (!Buffer.from(printMessage(again)).equals(printed)) throw new Error('printed message changes');
  if (!Buffer.from(again.body).equals(result.body)) throw new Error('body changes');
  return 'accepted';
}

test('20,000 mutated torture messages', () => {
  const tally = { accepted: 0, answered: 0, dropped: 0 };
  for (let seed = 0; seed < 20_000; seed++) {
    const random = seeded(seed);
    let bytes: Buffer = pick(random, corpus);
    for (let rounds = 1 + below(random, 4); rounds > 0; rounds--) bytes = mutate(random, bytes);
    try {
      tally[check(bytes)]++;
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
    expect(check(bytes), `seed ${seed}`).toBe('dropped');
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
      check(Buffer.from(`${head}${line}\r\n\r\n`, 'latin1'));
    check(Buffer.from(`${text} sip:a@b SIP/2.0\r\n${head}\r\n`, 'latin1'));
    check(Buffer.from(`OPTIONS ${text} SIP/2.0\r\n${head}\r\n`, 'latin1'));
    check(Buffer.from(text, 'latin1'));
  });

  test.each(REPEATED_LINES)('lines of %j', piece => {
    check(Buffer.from(fill(piece)));
    check(Buffer.from(`${head}${fill(piece)}`));
    check(Buffer.from(`${head}Subject: ${fill(piece)}\r\n\r\n`));
    check(Buffer.from(`OPTIONS sip:a@b SIP/2.0\r\n${fill(piece)}${head.slice(25)}\r\n`));
  });
});
