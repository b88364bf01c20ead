import { expect, test } from 'vitest';
import { aec3Canceller } from '../../../firmware/audio/echo/aec3.ts';
import type { EchoCanceller, NotHere } from '../../../firmware/audio/echo/canceller.ts';
import { chooseAcoustics } from '../../../firmware/audio/echo/choose.ts';
import { HalfDuplex } from '../../../firmware/audio/echo/half-duplex.ts';
import { KalmanFilter } from '../../../firmware/audio/echo/kalman.ts';
import { speexCanceller } from '../../../firmware/audio/echo/speexdsp.ts';
import { twoStageCanceller } from '../../../firmware/audio/echo/two-stage.ts';
import { cancel, type EchoScore, makeRoom, type RoomOptions, score } from '../../sim/room.ts';

// Floors: what was measured in this room, less 3 dB.
const engines: Record<string, () => EchoCanceller | NotHere | Promise<EchoCanceller | NotHere>> = {
  'half duplex': () => new HalfDuplex(),
  speex: () => speexCanceller(16_000, true),
  'two stage': () => twoStageCanceller(16_000),
  aec3: () => aec3Canceller(16_000),
};

async function scoreOf(engine: string, options: RoomOptions): Promise<EchoScore> {
  const room = makeRoom(options);
  const canceller = await engines[engine]!();
  if ('why' in canceller) throw new Error(canceller.why);
  const result = score(room, cancel(room, canceller));
  canceller.close();
  return result;
}

function expectAtLeast(scored: EchoScore, floors: Partial<EchoScore>) {
  for (const [name, floor] of Object.entries(floors)) {
    expect(scored[name as keyof EchoScore], name).toBeGreaterThan(floor);
  }
}

test('half duplex silences the echo whatever the room, and opens for the visitor', { timeout: 60_000 }, async () => {
  for (const options of [{}, { driftPpm: 100, clipAt: 9000 }]) {
    const scored = await scoreOf('half duplex', options);
    expectAtLeast(scored, { early: 39, late: 37, moved: 38, nearSdr: 33, nearGain: -1, talkGain: -7 });
  }
});

test('speex learns the room and keeps the visitor while both speak', { timeout: 60_000 }, async () => {
  expectAtLeast(await scoreOf('speex', {}), {
    early: 10,
    late: 27,
    movedLate: 21,
    talkSdr: 9,
    talkGain: -1.5,
    nearGain: -1.5,
  });
});

test('AEC3 is there at once, and stays while clocks drift and the loudspeaker clips', { timeout: 60_000 }, async () => {
  for (const options of [{ driftPpm: 100 }, { clipAt: 9000 }]) {
    expectAtLeast(await scoreOf('aec3', options), { early: 27, late: 32, moved: 28, nearSdr: 33, talkGain: -7 });
  }
});

test('two stages take out what AEC3 does, and lower the visitor less while both speak', {
  timeout: 60_000,
}, async () => {
  const scored = await scoreOf('two stage', {});
  expectAtLeast(scored, { early: 27, late: 32, movedLate: 28, nearSdr: 33 });
  const alone = await scoreOf('aec3', {});
  expect(scored.talkGain).toBeGreaterThan(alone.talkGain + 0.8);
  expect(scored.talkSdr).toBeGreaterThan(alone.talkSdr + 2);
});

test('the visitor who speaks louder than the echo gets the word, and the loudspeaker is lowered for it', () => {
  const canceller = new HalfDuplex();
  const tone = (level: number) => Int16Array.from({ length: 160 }, (_, at) => level * Math.sin(at / 3));
  const run = (frames: number, heard: number, played: number) => {
    for (let frame = 0; frame < frames; frame++) canceller.process(tone(heard), tone(played));
    return canceller.word;
  };
  expect(run(100, 0, 0)).toBe('nobody');
  expect(run(5, 2000, 8000)).toBe('loudspeaker');
  expect(canceller.loudspeakerFactor).toBe(1);
  expect(run(10, 30_000, 2000)).toBe('microphone');
  expect(canceller.loudspeakerFactor).toBeCloseTo(0.1);
  expect(run(100, 0, 0)).toBe('nobody');
});

test('our filter alone subtracts the echo and leaves the visitor as he is', { timeout: 60_000 }, () => {
  const room = makeRoom();
  const filter = new KalmanFilter(16_000);
  const scored = score(room, cancel(room, filter));
  expectAtLeast(scored, { early: 10, late: 23, movedLate: 17, talkSdr: 15, talkGain: -0.3, nearGain: -0.3 });
});

test.each([8000, 16_000, 32_000, 48_000])('every engine takes frames of %i samples a second', async rate => {
  for (const echo of ['half duplex', 'speex', 'aec3', 'two stage'] as const) {
    const { canceller, denoiser, faults } = await chooseAcoustics({ echo, noiseSuppression: true }, rate);
    expect(faults).toEqual([]);
    expect(canceller!.name).toBe(echo);
    // Speex does both in one.
    expect(denoiser === undefined).toBe(echo === 'speex');
    const frame = new Int16Array(rate / 100);
    for (let count = 0; count < 20; count++) {
      canceller!.process(frame, frame);
      denoiser?.process(frame);
    }
    expect(Math.max(...frame)).toBeLessThan(50);
    canceller!.close();
    denoiser?.close();
    // What comes after the end is nobody's sound.
    canceller!.process(frame, frame);
    denoiser?.process(frame);
    canceller!.close();
  }
});

test('nothing is done where nothing is wanted', async () => {
  const { canceller, denoiser, faults } = await chooseAcoustics({ echo: 'off', noiseSuppression: false }, 16_000);
  expect([canceller, denoiser, faults]).toEqual([undefined, undefined, []]);
});

test('full scale and silence, in any turn, harm no engine', async () => {
  for (const echo of ['half duplex', 'speex', 'aec3', 'two stage'] as const) {
    const { canceller } = await chooseAcoustics({ echo, noiseSuppression: true }, 16_000);
    const square = Int16Array.from({ length: 160 }, (_, at) => (at % 8 < 4 ? 32_767 : -32_768));
    const silence = new Int16Array(160);
    for (let count = 0; count < 300; count++) {
      canceller!.process(count % 3 === 0 ? square.slice() : silence.slice(), count % 7 < 3 ? square : silence);
    }
    // A second of quiet, and it is quiet.
    let last = silence;
    for (let count = 0; count < 100; count++) {
      last = silence.slice();
      canceller!.process(last, silence);
    }
    expect(Math.max(...last.map(Math.abs)), echo).toBeLessThan(100);
    canceller!.close();
  }
});
