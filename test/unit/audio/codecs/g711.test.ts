import { describe, expect, test } from 'vitest';
import { BAD_PAYLOAD } from '../../../../firmware/audio/codecs/codec.ts';
import {
  compressALaw,
  compressULaw,
  expandALaw,
  expandULaw,
  g711Decoder,
  g711Encoder,
  type Law,
} from '../../../../firmware/audio/codecs/g711.ts';
import { sine, toneSnr } from '../../../sim/tone.ts';

/**
 * The laws restated as G.711 defines them: decision values x(n) on the half line, segment by segment, code counting up
 * from the smallest value. No bit is shifted here.
 */
function decisionValues(law: Law): number[] {
  const values: number[] = [];
  if (law === 'PCMA') {
    // Table 1a: 32 steps of 2, then 16 each of 4, 8 … 128, of a full scale of 4096; ×8 for 16 bits.
    let x = 0;
    for (let n = 0; n < 128; n++) {
      values.push(x * 8);
      x += n < 32 ? 2 : 2 ** Math.floor(n / 16);
    }
  } else {
    // Table 2a: the first step is 1, then 15 of 2, 16 of 4, … 16 of 256, of a full scale of 8159; ×4 for 16 bits.
    let x = 0;
    for (let n = 0; n < 128; n++) {
      values.push(x * 4);
      x += n === 0 ? 1 : 2 ** (Math.floor(n / 16) + 1);
    }
  }
  return values;
}

const decisions = { PCMA: decisionValues('PCMA'), PCMU: decisionValues('PCMU') };

/** The code by searching the decision values. */
function searched(law: Law, sample: number): number {
  const positive = sample >= 0;
  const magnitude = positive ? sample : law === 'PCMA' ? -sample - 1 : -sample;
  let n = 127;
  while (decisions[law][n]! > magnitude) n--;
  return law === 'PCMA' ? ((positive ? 0x80 : 0) | n) ^ 0x55 : ~((positive ? 0 : 0x80) | n) & 0xff;
}

describe.each(['PCMA', 'PCMU'] as const)('%s', law => {
  const compress = law === 'PCMA' ? compressALaw : compressULaw;
  const expand = law === 'PCMA' ? expandALaw : expandULaw;

  test('compresses each of the 65,536 samples by the decision values of the recommendation', () => {
    const wrong: number[] = [];
    for (let sample = -32_768; sample < 32_768; sample++) {
      if (compress(sample) !== searched(law, sample)) wrong.push(sample);
    }
    expect(wrong).toEqual([]);
  });

  test('expands each code to the middle of its step', () => {
    for (let n = 0; n < 127; n++) {
      const code = law === 'PCMA' ? (0x80 | n) ^ 0x55 : ~n & 0xff;
      const middle = law === 'PCMU' && n === 0 ? 0 : (decisions[law][n]! + decisions[law][n + 1]!) / 2;
      expect(expand(code)).toBe(middle);
      expect(expand(code ^ 0x80) + middle).toBe(0);
    }
  });

  test('gives every code back after expansion, but for the negative zero of µ-law', () => {
    const changed = Array.from({ length: 256 }, (_, code) => code).filter(code => compress(expand(code)) !== code);
    expect(changed).toEqual(law === 'PCMU' ? [0x7f] : []);
  });

  test('a tone passes with the 37 dB that 8 companded bits give', () => {
    const tone = sine(1000, 12_000, 8000, 0.1);
    const bytes = new Uint8Array(tone.length);
    const heard = new Int16Array(960);
    expect(g711Encoder(law).encode(tone, bytes)).toBe(800);
    expect(g711Decoder(law).decode(bytes, heard)).toBe(800);
    expect(toneSnr(heard.subarray(0, 800), 1000, 8000)).toBeGreaterThan(37);
  });

  test('refuses an empty payload and one of more than 120 ms', () => {
    const into = new Int16Array(960);
    expect(g711Decoder(law).decode(new Uint8Array(0), into)).toBe(BAD_PAYLOAD);
    expect(g711Decoder(law).decode(new Uint8Array(961), into)).toBe(BAD_PAYLOAD);
    expect(g711Decoder(law).decode(new Uint8Array(960), into)).toBe(960);
  });
});

test('the codes that everybody knows', () => {
  expect([compressALaw(0), compressALaw(-1), compressALaw(32_767), compressALaw(-32_768)]).toEqual([
    0xd5, 0x55, 0xaa, 0x2a,
  ]);
  expect([compressULaw(0), compressULaw(32_767), compressULaw(-32_768)]).toEqual([0xff, 0x80, 0x00]);
});
