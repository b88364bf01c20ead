/** What is made ahead is what each packet would be given alone. */
import { createCipheriv } from 'node:crypto';
import { expect, test } from 'vitest';
import { KeyStream, type PacketIndex } from '../../../../firmware/rtp/srtp/key-stream.ts';
import { seeded } from '../../../sim/seeded.ts';

const KEY = Buffer.alloc(16, 7);

const made = () =>
  new KeyStream(KEY, (counters, at, { ssrc, high, low }) => {
    counters.setUint32(at, ssrc);
    counters.setUint32(at + 4, high);
    counters.setUint32(at + 8, low);
    counters.setUint32(at + 12, 1);
  });

function alone({ ssrc, high, low }: PacketIndex, blocks: number): Buffer {
  const counter = Buffer.alloc(16);
  for (const [at, word] of [ssrc, high, low, 1].entries()) counter.writeUInt32BE(word, 4 * at);
  return createCipheriv('aes-128-ctr', KEY, counter).update(Buffer.alloc(16 * blocks));
}

const sought = (stream: KeyStream, index: PacketIndex, blocks: number) => {
  stream.seek(index, blocks);
  return Buffer.from(stream.bytes.subarray(stream.at, stream.at + 16 * blocks));
};

const at = (number: number, ssrc = 5): PacketIndex => ({
  ssrc,
  high: Math.floor(number / 65_536),
  low: number % 65_536,
});

test('packets in order, over a roll-over, have their own stream', () => {
  const stream = made();
  for (let number = 65_500; number < 65_600; number++) {
    expect(sought(stream, at(number), 11)).toEqual(alone(at(number), 11));
  }
});

test('lost, late, repeated, forged and longer packets have it too', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seeded(seed);
    const stream = made();
    const chance = (below: number) => Math.floor(random.next() * below);
    let number = chance(2 ** 34);
    for (let packet = 0; packet < 300; packet++) {
      const dice = chance(20);
      number += dice === 0 ? 3 : dice === 1 ? 40 : 1;
      const index = dice === 2 ? at(number - 3) : dice === 3 ? at(chance(2 ** 40)) : at(number, dice === 4 ? 9 : 5);
      const blocks = dice === 5 ? 130 : 1 + chance(12);
      expect(sought(stream, index, blocks)).toEqual(alone(index, blocks));
    }
  }
});

test('a packet that follows none costs no more than itself', () => {
  const stream = made();
  for (const number of [10, 500, 20, 499]) {
    sought(stream, at(number), 11);
    expect(stream.bytes).toHaveLength(11 * 16);
  }
});

test('a forged packet takes nothing from those that come in order', () => {
  const stream = made();
  for (const number of [10, 11]) sought(stream, at(number), 11);
  const ahead = stream.bytes;
  sought(stream, at(9_999, 6), 11);
  sought(stream, at(12), 11);
  expect(stream.bytes).toBe(ahead);
});
