/** Serial number arithmetic: RFC 1982. */
import { describe, expect, test } from 'vitest';
import { add16, add32, distance16, distance32 } from '../../../firmware/lib/serial.ts';

describe('16 bits', () => {
  test('counts distance the short way round', () => {
    expect(distance16(5, 3)).toBe(2);
    expect(distance16(3, 5)).toBe(-2);
    expect(distance16(2, 65534)).toBe(4);
    expect(distance16(65534, 2)).toBe(-4);
    expect(distance16(32767, 0)).toBe(32767);
  });

  test('takes exactly half the circle for behind, from both ends', () => {
    expect(distance16(32768, 0)).toBe(-32768);
    expect(distance16(0, 32768)).toBe(-32768);
  });

  test('adds across the wrap', () => {
    expect(add16(65535, 1)).toBe(0);
    expect(add16(0, -1)).toBe(65535);
  });
});

describe('32 bits', () => {
  test('counts distance the short way round', () => {
    expect(distance32(160, 0xffffffff)).toBe(161);
    expect(distance32(0xffffffff, 160)).toBe(-161);
    expect(distance32(0x7fffffff, 0)).toBe(0x7fffffff);
  });

  test('adds across the wrap and stays unsigned', () => {
    expect(add32(0xffffffff, 1)).toBe(0);
    expect(add32(0x7fffffff, 1)).toBe(0x80000000);
  });
});
