import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openAudio } from '../../../hal/audio/open.ts';
import { SimulatedAudio } from '../../../hal/audio/simulated.ts';
import { readWav, wavHeader } from '../../../hal/audio/wav.ts';
import type { AudioSpec, AudioStatus } from '../../../hal/contracts.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { audioContract } from './audio-contract.ts';
import { codeOf } from './gpio-contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'porter-audio-'));
afterAll(() => rmSync(folder, { recursive: true }));

const spec: AudioSpec = {
  driver: 'simulated',
  capture: 'memory',
  playback: 'memory',
  rate: 16000,
  periodMs: 10,
  bufferMs: 40,
};

describe('the simulated card keeps the contract', () => {
  audioContract(() => {
    const clock = new VirtualClock();
    const played: number[] = [];
    let level = 0;
    const device = new SimulatedAudio({
      spec,
      clock,
      source: frame => void frame.fill(level),
      sink: frame => void played.push(...frame),
    });
    return {
      device,
      clock,
      hear: value => {
        level = value;
      },
      played: () => played,
      unplug: () => device.unplug(),
      plug: () => device.plug(),
    };
  });
});

describe('the simulated card', () => {
  const bell = join(folder, 'bell.wav');
  const samples = Int16Array.from({ length: 400 }, (_, i) => i + 1);
  writeFileSync(bell, Buffer.concat([wavHeader(16000, 800), Buffer.from(samples.buffer)]));

  test('hears a WAV file in a loop and plays into another', async () => {
    const clock = new VirtualClock();
    const tape = join(folder, 'tape.wav');
    const device = openAudio({ ...spec, captureFile: bell, playbackFile: tape }, clock);
    device.start(
      (captured, toPlay) => toPlay.set(captured),
      () => {},
    );
    clock.advance(50);
    await device.stop();
    const tapeSamples = readWav(tape).samples;
    expect(tapeSamples).toEqual(Int16Array.from({ length: 800 }, (_, i) => (i % 400) + 1));
  });

  test.each([
    ['that is not there', { captureFile: join(folder, 'none.wav') }, 'missing'],
    ['that is no sound', { captureFile: import.meta.filename }, 'unsupported'],
    ['of another rate', { captureFile: bell, rate: 8000 }, 'unsupported'],
    ['that cannot be written', { playbackFile: join(folder, 'no/such/place.wav') }, 'missing'],
  ])('is down with a file %s, and frames go on', (_, change, code) => {
    const clock = new VirtualClock();
    const device = new SimulatedAudio({ spec: { ...spec, ...change }, clock });
    const statuses: AudioStatus[] = [];
    let frames = 0;
    device.start(
      () => frames++,
      status => statuses.push(status),
    );
    clock.advance(1000);
    expect(statuses).toMatchObject([{ is: 'down', code }]);
    expect(frames).toBe(100);
    expect(device.counters.silentFrames).toBe(100);
  });

  test('is as silent as an empty file', () => {
    const empty = join(folder, 'empty.wav');
    writeFileSync(empty, wavHeader(16000, 0));
    const clock = new VirtualClock();
    const device = new SimulatedAudio({ spec: { ...spec, captureFile: empty }, clock });
    const heard: number[] = [];
    device.start(
      captured => heard.push(...captured),
      () => {},
    );
    clock.advance(20);
    expect(heard).toEqual(Array(320).fill(0));
  });

  test.each([0, 11025, 44100, Number.NaN])('has no rate of %s', rate => {
    expect(codeOf(() => openAudio({ ...spec, rate }, new VirtualClock()))).toBe('unsupported');
    expect(codeOf(() => openAudio({ ...spec, rate, driver: 'alsa' }, new VirtualClock()))).toBe('unsupported');
    expect(codeOf(() => openAudio({ ...spec, rate, driver: 'packages' }, new VirtualClock()))).toBe('unsupported');
  });
});
