/** However a byte stream is cut on its way, the same messages come out of it; and whatever it holds, it stays bounded. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Random } from '../../firmware/lib/random.ts';
import { type Frame, FrameReader } from '../../firmware/sip/transport/framing.ts';
import { seeded } from '../sim/seeded.ts';

const torture = join(import.meta.dirname, '../fixtures/torture/rfc4475');
const corpus = readdirSync(torture).map(file => readFileSync(join(torture, file)));
const below = (random: Random, limit: number) => Math.floor(random.next() * limit);

/** Sound messages, keep-alives, and now and then a torture message or noise. */
function stream(random: Random): Buffer {
  const parts: Buffer[] = [];
  for (let count = 1 + below(random, 8); count > 0; count--) {
    const body = 'b\r\n'.repeat(below(random, 60));
    const kind = below(random, 12);
    if (kind < 8) {
      const name = random.next() < 0.5 ? 'Content-Length' : 'l';
      parts.push(Buffer.from(`INFO sip:a@b SIP/2.0\r\nCall-ID: ${count}\r\n${name}: ${body.length}\r\n\r\n${body}`));
    } else if (kind < 10) parts.push(Buffer.from('\r\n'.repeat(below(random, 5))));
    else if (kind === 10) parts.push(corpus[below(random, corpus.length)]!);
    else parts.push(Buffer.from(Array.from({ length: below(random, 40) }, () => below(random, 256))));
  }
  return Buffer.concat(parts);
}

const show = (frame: Frame) =>
  frame.is === 'message' ? Buffer.from(frame.bytes).toString('latin1') : frame.is === 'fault' ? frame.why : frame.is;

function readInPieces(bytes: Buffer, random: Random, most: number): string[] {
  const reader = new FrameReader();
  const frames: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + below(random, most);
    // A copy, since a socket's buffer is another one each time.
    for (const frame of reader.push(Buffer.from(bytes.subarray(at, at + size)))) frames.push(show(frame));
    at += size;
  }
  return frames;
}

test('5,000 streams give the same frames whole, in bytes and in pieces', () => {
  const tally = { messages: 0, faults: 0 };
  for (let seed = 0; seed < 5_000; seed++) {
    const random = seeded(seed);
    const bytes = stream(random);
    const whole = readInPieces(bytes, random, 1_000_000);
    const reader = new FrameReader();
    const atOnce = reader.push(bytes).map(show);
    expect(whole, `seed ${seed}`).toEqual(atOnce);
    for (const most of [1, 7, 100]) expect(readInPieces(bytes, random, most), `seed ${seed}`).toEqual(atOnce);
    tally.messages += atOnce.filter(text => text.startsWith('INFO')).length;
    if (!reader.isInside && atOnce.length > 0 && !/^INFO|^p[io]ng$/.test(atOnce.at(-1)!)) tally.faults++;
  }
  // The streams are of use only while they reach both ends.
  expect(tally.messages).toBeGreaterThan(10_000);
  expect(tally.faults).toBeGreaterThan(500);
});

test('60 kB byte by byte, where work that grows with the square would not end in time', () => {
  for (const piece of ['a', 'a\r\n', 'a\n', ':', 'l:', 'a\r', '\r\n']) {
    const reader = new FrameReader();
    const bytes = Buffer.from(`INFO sip:a@b SIP/2.0\r\n${piece.repeat(60_000 / piece.length)}`);
    let last: Frame | undefined;
    for (const byte of bytes) last = reader.push(Buffer.from([byte])).at(-1) ?? last;
    // Line ends alone end the head of a message at once.
    expect(last, JSON.stringify(piece)).toHaveProperty('is', 'fault');
  }
});
