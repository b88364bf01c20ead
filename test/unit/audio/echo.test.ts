import { expect, test } from 'vitest';
import { aec3Canceller } from '../../../firmware/audio/echo/aec3.ts';
import type { EchoCanceller, NotHere } from '../../../firmware/audio/echo/canceller.ts';
import { chooseAcoustics } from '../../../firmware/audio/echo/choose.ts';
import { HalfDuplex } from '../../../firmware/audio/echo/half-duplex.ts';
import { KalmanFilter } from '../../../firmware/audio/echo/kalman.ts';
import { speexCanceller } from '../../../firmware/audio/echo/speexdsp.ts';
import { TwoStage } from '../../../firmware/audio/echo/two-stage.ts';
import { cancel, type EchoScore, makeRoom, type RoomOptions, score } from '../../sim/room.ts';

// Floors: what was measured in this room, less 3 dB.
const engines: Record<string, () => EchoCanceller | NotHere | Promise<EchoCanceller | NotHere>> = {
  'half duplex': () => new HalfDuplex(),
  speex: () => speexCanceller(16_000, true),
  'two stage': () => new TwoStage(16_000),
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

test('half duplex silences the echo whatever the room, and opens for the visitor', { timeout: 120_000 }, async () => {
  for (const options of [{}, { driftPpm: 100, clipAt: 9000 }]) {
    const scored = await scoreOf('half duplex', options);
    expectAtLeast(scored, { early: 39, late: 37, moved: 38, nearSdr: 33, nearGain: -1, talkGain: -7 });
  }
});

test('speex learns the room and keeps the visitor while both speak', { timeout: 120_000 }, async () => {
  expectAtLeast(await scoreOf('speex', {}), {
    early: 10,
    late: 27,
    movedLate: 21,
    talkSdr: 9,
    talkGain: -1.5,
    nearGain: -1.5,
  });
});

test('AEC3 is there at once, and stays while clocks drift and the loudspeaker clips', {
  timeout: 120_000,
}, async () => {
  for (const options of [{ driftPpm: 100 }, { clipAt: 9000 }]) {
    expectAtLeast(await scoreOf('aec3', options), { early: 27, late: 32, moved: 28, nearSdr: 33, talkGain: -7 });
  }
});

test('two stages take out the echo, and leave the visitor as loud as he is while both speak', {
  timeout: 120_000,
}, async () => {
  for (const options of [{}, { driftPpm: 100 }, { driftPpm: -60, clipAt: 9000 }]) {
    const scored = await scoreOf('two stage', options);
    expectAtLeast(scored, { early: 40, late: 35, moved: 35, movedLate: 35, nearSdr: 33, nearGain: -0.3 });
    expectAtLeast(scored, { talkSdr: 16, talkGain: -0.8 });
  }
});

test('two stages do not take the first words in a changed room for a visitor, be the echo loud or soft', {
  timeout: 120_000,
}, async () => {
  const floors = [
    { coupling: 1.5, movedFirst: 36, moved: 39 },
    { coupling: 0.7, movedFirst: 34, moved: 36 },
    { coupling: 0.15, movedFirst: 23, moved: 22 },
  ];
  for (const { coupling, ...floor } of floors) expectAtLeast(await scoreOf('two stage', { coupling }), floor);
});

test('two stages keep a visitor whose echo is 5 dB louder than he', { timeout: 120_000 }, async () => {
  expectAtLeast(await scoreOf('two stage', { coupling: 1.5 }), { talkSdr: 14, talkGain: -0.8, nearGain: -0.3 });
});

test('two stages let the visitor through untouched where the loudspeaker is not heard', {
  timeout: 120_000,
}, async () => {
  expectAtLeast(await scoreOf('two stage', { coupling: 0.001 }), { talkSdr: 33, talkGain: -0.3, nearSdr: 33 });
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

test('our filter alone subtracts the echo, leaves the visitor as he is, and finds how far the clocks are apart', {
  timeout: 120_000,
}, () => {
  for (const driftPpm of [100, -60]) {
    const room = makeRoom({ driftPpm });
    const filter = new KalmanFilter(16_000);
    const process = (microphone: Int16Array, loudspeaker: Int16Array) => {
      filter.process(microphone, loudspeaker);
      for (let at = 0; at < microphone.length; at++) microphone[at] = Math.round(filter.left[at]! * 32_768);
    };
    const scored = score(room, cancel(room, { process }));
    expectAtLeast(scored, { early: 8, late: 20, movedLate: 17, talkSdr: 10, talkGain: -0.3, nearGain: -0.3 });
    expect(Math.abs(filter.driftPpm - driftPpm)).toBeLessThan(10);
  }
});

test('two stages cost 2 ms of delay at every rate, and a long silence turns nothing into another room', () => {
  for (const rate of [8000, 16_000, 48_000]) expect(new TwoStage(rate).delaySamples).toBe(rate / 500);
  const filter = new KalmanFilter(16_000);
  const room = makeRoom({ driftPpm: 100 });
  const frame = new Int16Array(160);
  const play = (from: number, to: number) => {
    for (let at = from * 160; at < to * 160; at += 160) {
      frame.set(room.microphone.subarray(at, at + 160));
      filter.process(frame, room.far.subarray(at, at + 160));
    }
  };
  play(0, 800);
  const known = filter.driftPpm;
  const silence = new Int16Array(160);
  for (let count = 0; count < 2000; count++) filter.process(silence, silence);
  expect(filter.driftPpm).toBeCloseTo(known, 0);
  expect(Math.max(...filter.left)).toBe(0);
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
