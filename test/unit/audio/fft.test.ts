import { expect, test } from 'vitest';
import { Fft } from '../../../firmware/audio/fft.ts';

test.each([2, 8, 256, 1024])('%i points: a cosine is two lines, and the inverse gives it back', size => {
  const fft = new Fft(size);
  const turns = size / 4 > 1 ? 2 : 0;
  const given = Float64Array.from({ length: size }, (_, at) => Math.cos((2 * Math.PI * turns * at) / size));
  const re = given.slice();
  const im = new Float64Array(size);
  fft.forward(re, im);
  for (let bin = 0; bin < size; bin++) {
    const expected = turns === 0 ? (bin === 0 ? size : 0) : bin === turns || bin === size - turns ? size / 2 : 0;
    expect(re[bin]).toBeCloseTo(expected, 8);
    expect(im[bin]).toBeCloseTo(0, 8);
  }
  fft.inverse(re, im);
  for (let at = 0; at < size; at++) expect(re[at]).toBeCloseTo(given[at]!, 10);
});
