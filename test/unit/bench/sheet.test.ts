import { describe, expect, test } from 'vitest';
import { type Figure, median, rounded, Sheet, spread } from '../../bench/sheet.ts';
import { table } from '../../bench/table.ts';

const sheet = () => new Sheet(() => {});

describe('a spread', () => {
  test('gives median, least and most of unsorted values', () => {
    expect(spread([5, 1, 3])).toEqual({ count: 3, median: 3, min: 1, max: 5 });
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  test('gives the 99th percentile from 100 values on', () => {
    const values = Array.from({ length: 200 }, (_, index) => index + 1);
    expect(spread(values).p99).toBe(198);
    expect(spread(values.slice(0, 99))).not.toHaveProperty('p99');
  });

  test('of nothing is an error, not a figure', () => {
    expect(() => spread([])).toThrow('nothing was measured');
  });

  test.each([
    [0, 0],
    [0.012345, 0.0123],
    [12.345, 12.3],
    [999.4, 999],
    [123_456.7, 123_457],
    [Number.POSITIVE_INFINITY, 0],
  ])('%d is written as %d', (value, written) => expect(rounded(value)).toBe(written));
});

describe('a sheet', () => {
  test('sets a peer beside a figure, with the ratio of the medians', () => {
    const filled = sheet();
    filled.add('CPU', '%', [3, 3, 6], { peer: { name: 'baresip', values: [1.5, 2, 1] } });
    expect(filled.rows[0]).toMatchObject({ median: 3, peers: [{ name: 'baresip', median: 1.5, count: 3, ratio: 2 }] });
  });

  test('of decibels tells the difference: a ratio of them means nothing', () => {
    const filled = sheet();
    filled.add('SNR', 'dB', [3, 4, 5], { peer: { name: 'libopus', values: [-1] } });
    const [peer] = (filled.rows[0] as Figure).peers!;
    expect(peer).toMatchObject({ difference: 5 });
    expect(peer).not.toHaveProperty('ratio');
  });

  test('sets several peers beside a figure', () => {
    const filled = sheet();
    const peers = [
      { name: 'one', values: [2] },
      { name: 'other', values: [8] },
    ];
    filled.add('parse', 'messages/s', [4], { peers });
    expect((filled.rows[0] as Figure).peers).toMatchObject([{ ratio: 2 }, { ratio: 0.5 }]);
  });

  test('has no ratio to a peer that took nothing, and no peer that was not measured', () => {
    const filled = sheet();
    filled.add('CPU', '%', [3], { peer: { name: 'baresip', values: [0] } });
    filled.add('CPU', '%', [3], { peer: { name: 'baresip', values: [] } });
    expect((filled.rows[0] as Figure).peers![0]).not.toHaveProperty('ratio');
    expect((filled.rows[1] as Figure).peers).toBeUndefined();
  });
});

test('the table fits 80 columns and tells what is missing and what failed', () => {
  const filled = sheet();
  const long = 'a figure with a name that is longer than its column is wide';
  filled.add(long, 'messages/s', [123_456_789], {
    peer: { name: 'baresip 1.0.0', values: [1] },
    note: 'x '.repeat(90),
  });
  filled.unavailable('another', 'because '.repeat(20));
  filled.failed('a third', 'half of it was missing');
  const machine = { cpu: 'Some CPU', cores: 2, kernel: '6.1', node: 'v24', load: { before: 1, after: 2 } };
  const entries = [
    { name: 'first', how: 'by looking '.repeat(20), figures: filled.rows, seconds: 75.2 },
    { name: 'second', how: 'not at all', figures: [], seconds: 1, unavailable: 'no card' },
    { name: 'third', how: 'badly', figures: [], seconds: 1, failed: 'it broke' },
  ];
  const text = table({ machine, entries });
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  expect(text).toContain('123456789');
  expect(text).toContain('unavailable: no card');
  expect(text).toContain('FAILED: it broke');
  expect(text).toContain('a third: FAILED: half of it was missing');
  expect(text).toContain('first, 75 s');
});
