/** The control thread blocked for two seconds in mid-call: whoever listens must not notice. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { readWav, wavHeader } from '../../hal/audio/wav.ts';
import { blockSnr, longestGapMs, sine } from '../sim/tone.ts';
import { Bench } from './support/bench.ts';
import { knowing, startDesk } from './support/desk.ts';
import { startDevice } from './support/device.ts';
import { passes, until } from './support/until.ts';

const RATE = 16_000;
const HZ = 1_000;
const STALL_MS = 2_000;

const bench = new Bench();
afterEach(() => bench.stop());

test('a stall of 2 s on the control thread leaves no gap in what the desk records', async () => {
  const room = bench.room('stall');
  const microphone = join(room, 'tone.wav');
  const samples = sine(HZ, 8_000, RATE, 1);
  writeFileSync(microphone, Buffer.concat([wavHeader(RATE, samples.byteLength), Buffer.from(samples.buffer)]));

  const desk = await startDesk(bench);
  const device = await startDevice(bench, { microphone, config: knowing(desk) });
  await device.do('press front');
  await device.event('call', 'answered');
  const call = await desk.call();
  await passes(1_500);
  call.record(room, 'desk');
  await passes(1_000);
  const before = performance.now();
  await device.do(`stall ${STALL_MS} ms`);
  // It really stood still: the answer to the action comes after it.
  expect(performance.now() - before).toBeGreaterThan(STALL_MS * 0.95);
  await passes(1_000);
  await device.do('hang up');
  await until('the call has ended', () => call.state === 'ended');
  await desk.stop();

  const { samples: heard, rate } = readWav(join(room, 'desk-heard.wav'));
  expect(heard.length / rate).toBeGreaterThan(3.5);
  // Without the ends, where the call begins and stops.
  const middle = heard.subarray(rate / 4, heard.length - rate / 2);
  expect(longestGapMs(middle, rate, 1_000)).toBeLessThan(10);
  expect(blockSnr(middle, HZ, rate)).toBeGreaterThan(20);
});
