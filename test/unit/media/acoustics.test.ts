import { expect, test } from 'vitest';
import { chooseAcoustics } from '../../../firmware/audio/echo/choose.ts';
import { rms } from '../../../firmware/audio/frame.ts';
import { Acoustics } from '../../../firmware/media/acoustics.ts';
import { speechOf } from '../../sim/room.ts';

const RATE = 16_000;
const FRAME = 160;
const settings = {
  loudspeakerDb: 0,
  microphoneDb: 0,
  acoustics: {
    echo: 'auto' as const,
    noiseSuppression: true,
    automaticGain: true,
    volumeFollowsNoise: { upToDb: 6, quietDb: -50 },
  },
};

/** A loudspeaker whose sound comes to the microphone `delayMs` after it was written; the card admits to `admittedMs`. */
async function echoLeft(delayMs: number, admittedMs: number): Promise<{ left: number; acoustics: Acoustics }> {
  const engines = await chooseAcoustics({ echo: 'speex', noiseSuppression: true }, RATE);
  const acoustics = new Acoustics(RATE, settings, engines, () => admittedMs);
  const voice = speechOf('page');
  const played: Int16Array = new Int16Array(10 * RATE + FRAME);
  const captured = new Int16Array(FRAME);
  const microphone = new Int16Array(FRAME);
  const toPlay = new Int16Array(FRAME);
  let [before, after] = [0, 0];
  for (let at = 0; at < 10 * RATE; at += FRAME) {
    for (let index = 0; index < FRAME; index++) {
      captured[index] = 0.5 * (played[at + index - FRAME - delayMs * 16] ?? 0);
    }
    acoustics.hear(captured, microphone);
    if (at > 6 * RATE) {
      before += rms(captured) ** 2;
      after += rms(microphone) ** 2;
    }
    acoustics.play(
      Int32Array.from({ length: FRAME }, (_, index) => voice[(at + index) % voice.length]! / 2),
      toPlay,
    );
    played.set(toPlay, at);
  }
  return { left: 10 * Math.log10(after / before), acoustics };
}

test('the canceller is given the loudspeaker as late as the card says, and finds its echo', async () => {
  expect((await echoLeft(300, 300)).left).toBeLessThan(-25);
  // The echo is beyond what the canceller remembers: without the true delay nothing is found.
  expect((await echoLeft(300, 0)).left).toBeGreaterThan(-12);
});

test('the report and the chain say what runs, and why another does not', async () => {
  const { acoustics } = await echoLeft(40, 40);
  expect(acoustics.report()).toEqual(expect.objectContaining({ echo: 'speex', faults: [], delayMs: 36, raisedDb: 0 }));
  expect(acoustics.microphoneChain().map(({ name }) => name)).toEqual([
    'capture',
    'echo',
    'gain',
    'automatic gain',
    'microphone',
  ]);
  acoustics.close();
});

test('without engines the sound is left as it is', () => {
  const acoustics = new Acoustics(RATE, { loudspeakerDb: 0, microphoneDb: 0 });
  const frame = Int16Array.from({ length: FRAME }, (_, at) => at * 50 - 4000);
  const out = new Int16Array(FRAME);
  acoustics.hear(frame, out);
  expect(out).toEqual(frame);
  acoustics.play(Int32Array.from(frame), out);
  expect(out).toEqual(frame);
  expect(acoustics.report().echo).toBe('off');
});

test.each([
  ['everything', 500],
  ['pages', 300],
] as const)('the line out plays %s', (plays, level) => {
  const acoustics = new Acoustics(RATE, { loudspeakerDb: 0, microphoneDb: 0, lineOut: { plays, gainDb: 6.0206 } });
  const [toPlay, lineOut] = [new Int16Array(FRAME), new Int16Array(FRAME)];
  const pages = {
    addTo(sum: Int32Array) {
      for (let at = 0; at < sum.length; at++) sum[at]! += 150;
    },
  };
  acoustics.play(new Int32Array(FRAME).fill(100), toPlay, pages, lineOut);
  expect([toPlay.at(-1), lineOut.at(-1)]).toEqual([250, level]);
  expect(acoustics.loudspeakerChains().map(chain => chain.at(-1)?.name)).toEqual(['playback', 'line out']);
});
