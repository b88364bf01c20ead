/** One fault more in some bytes: what links, bad implementations and attackers do to a message. */
import type { Random } from '../../../firmware/lib/random.ts';

/** Bytes that mean something to the grammar, and some that should not. */
// biome-ignore format: a list to read across
const SALT = [
  '\r\n', '\n', '\r', '\r\n ', '\r\n\r\n', '\t', ' ', '\0', ',', ';', '"', '\\', '<', '>', '=', ':', '@', '?', '%', '%00',
  '%zz', '[', ']', '*', 'SIP/2.0', 'SIP/2.0/UDP ', 'sip:', 'sips:a@b', 'tel:+1', ';tag=', ';lr', 'Via: ', 'v:',
  'Contact: *', 'Content-Length: ', 'l: 0', '-1', '4294967296', '99999999999999999999', 'CSeq: 1 INVITE', '__proto__',
  '\xff\xfe', '\xc3\xbc', '\xef\xbb\xbf', 'Digest realm="', 'nonce="', ', ',
].map(text => Buffer.from(text, 'latin1'));

/** Numbers at the edges of what somebody may have thought large enough. */
const NUMBERS = [
  '0',
  '-1',
  '007',
  '255',
  '256',
  '65535',
  '65536',
  '2147483647',
  '2147483648',
  '4294967295',
  '4294967296',
]
  .concat(['9007199254740993', '18446744073709551616', '1e9', '9'.repeat(40), '0'.repeat(300)])
  .map(text => Buffer.from(text));

/** Nested and repeated without end. */
const NESTS = ['<', '"', '\\', ';', ',', '(', '[', '%', '=', ' ', '\r\n ', ';a=b', ',<sip:a@b>', '"<'].map(text =>
  Buffer.from(text),
);

export const below = (random: Random, limit: number) => Math.floor(random.next() * limit);
export const pick = <T>(random: Random, items: readonly T[]): T => items[below(random, items.length)]!;

/** `others`: where pieces of other inputs come from. */
export function mutate(random: Random, bytes: Buffer, others: readonly Buffer[]): Buffer {
  const at = below(random, bytes.length + 1);
  const to = Math.min(bytes.length, at + below(random, 40));
  const before = bytes.subarray(0, at);
  switch (below(random, 13)) {
    case 0: // one byte changed
      return Buffer.concat([before, Buffer.from([below(random, 256)]), bytes.subarray(at + 1)]);
    case 1: // a piece lost
      return Buffer.concat([before, bytes.subarray(to)]);
    case 2: // a piece repeated
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
    case 3: // cut short
      return before;
    case 4: // the end of another message
      return Buffer.concat([before, pick(random, others).subarray(at)]);
    case 5: // one bit flipped
      return withBitFlipped(random, bytes);
    case 6: // a number as large as somebody can make it
      return withNumber(bytes, at, pick(random, NUMBERS));
    case 7: // nested, or repeated without end
      return Buffer.concat([before, Buffer.alloc(below(random, 3_000), pick(random, NESTS)), bytes.subarray(at)]);
    case 8: // a line of another, in front of one of these
      return withLine(bytes, at, lineAt(pick(random, others), random));
    case 9: // one of its own lines once more, somewhere else
      return withLine(bytes, at, lineAt(bytes, random));
    default: // something meaningful in the wrong place
      return Buffer.concat([before, pick(random, SALT), bytes.subarray(at)]);
  }
}

/** Up to four faults. */
export function mutated(random: Random, corpus: readonly Buffer[]): Buffer {
  let bytes = pick(random, corpus);
  for (let rounds = below(random, 5); rounds > 0; rounds--) bytes = mutate(random, bytes, corpus);
  return bytes;
}

function withBitFlipped(random: Random, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length > 0) copy[below(random, copy.length)]! ^= 1 << below(random, 8);
  return copy;
}

const isDigit = (byte: number | undefined) => byte !== undefined && byte >= 0x30 && byte <= 0x39;

/** In place of the first number at or behind `at`. */
function withNumber(bytes: Buffer, at: number, number: Buffer): Buffer {
  let from = at;
  while (from < bytes.length && !isDigit(bytes[from])) from++;
  let end = from;
  while (isDigit(bytes[end])) end++;
  return Buffer.concat([bytes.subarray(0, from), number, bytes.subarray(end)]);
}

function lineAt(bytes: Buffer, random: Random): Buffer {
  const from = bytes.lastIndexOf(0x0a, below(random, bytes.length + 1)) + 1;
  const end = bytes.indexOf(0x0a, from);
  return bytes.subarray(from, end < 0 ? bytes.length : end + 1);
}

function withLine(bytes: Buffer, at: number, line: Buffer): Buffer {
  const from = bytes.lastIndexOf(0x0a, at) + 1;
  return Buffer.concat([bytes.subarray(0, from), line, bytes.subarray(from)]);
}
