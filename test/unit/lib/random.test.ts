/** The machine's chance: used up piece by piece, and no piece twice. */
import { expect, test } from 'vitest';
import { systemRandom } from '../../../firmware/lib/random.ts';

test('tokens are as long as asked, and never the same, however many are taken', () => {
  const tokens = Array.from({ length: 2_000 }, () => systemRandom.token(8));
  for (const token of tokens) expect(token).toMatch(/^[0-9a-f]{16}$/);
  expect(new Set(tokens).size).toBe(tokens.length);
  expect(systemRandom.token(1_024)).toHaveLength(2_048);
});

test('no token shares bytes with its neighbour, whatever their lengths', () => {
  const text = Array.from({ length: 200 }, (_, index) => systemRandom.token(16 + (index % 48))).join(' ');
  const pieces = text.split(' ').flatMap(token => token.match(/.{16}/g) ?? []);
  expect(new Set(pieces).size).toBe(pieces.length);
});

test('numbers spread over their whole range', () => {
  const numbers = Array.from({ length: 4_000 }, () => systemRandom.next());
  expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...numbers)).toBeLessThan(1);
  for (const quarter of [0, 1, 2, 3]) {
    const share = numbers.filter(number => Math.floor(4 * number) === quarter).length / numbers.length;
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.3);
  }
  const high = Array.from({ length: 4_000 }, () => systemRandom.uint32()).filter(number => number >= 2 ** 31).length;
  expect(high / 4_000).toBeGreaterThan(0.4);
  expect(high / 4_000).toBeLessThan(0.6);
});
