import { expect, test } from 'vitest';
import { Fft, RealFft } from '../../../firmware/audio/fft.ts';

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

test.each([4, 8, 256, 1024])('%i real points: the spectrum is that of the complex transform, and goes back', size => {
  const given = Float64Array.from({ length: size }, (_, at) => Math.sin(at * at) + (at % 3) - 1);
  const [re, im] = [given.slice(), new Float64Array(size)];
  new Fft(size).forward(re, im);
  const [halfRe, halfIm] = [new Float64Array(size / 2 + 1), new Float64Array(size / 2 + 1)];
  const fft = new RealFft(size);
  fft.forward(given, halfRe, halfIm);
  for (let bin = 0; bin <= size / 2; bin++) {
    expect(halfRe[bin]).toBeCloseTo(re[bin]!, 8);
    expect(halfIm[bin]).toBeCloseTo(im[bin]!, 8);
  }
  const back = new Float64Array(size);
  fft.inverse(halfRe, halfIm, back);
  for (let at = 0; at < size; at++) expect(back[at]).toBeCloseTo(given[at]!, 10);
});
