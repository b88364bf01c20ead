/** A microphone and a loudspeaker on two cards whose crystals differ, in one room: what of the echo is taken out. */
import { type AcousticSettings, chooseAcoustics } from '../../firmware/audio/echo/choose.ts';
import { Acoustics } from '../../firmware/media/acoustics.ts';
import { AlsaAudio } from '../../hal/audio/alsa.ts';
import { fakeCards } from '../unit/hal/fake-alsa.ts';
import { speechOf } from './room.ts';
import { VirtualClock } from './virtual-clock.ts';

export const TWO_CARDS_RATE = 16_000;
const FRAME = TWO_CARDS_RATE / 100;
/** From the loudspeaker's card to the microphone's, by the air and the simulation's own steps: 30 ms. Samples. */
const WAY = 0.03 * TWO_CARDS_RATE;
const COUPLING = 0.5;
/** One figure for so long. */
const SPAN_S = 10;

export interface TwoCards {
  /** Echo taken out in each 10 s, decibels. */
  echoDb: number[];
  /** From a frame to the loudspeaker, milliseconds, at the end of each. */
  delaysMs: number[];
  driftPpm: number;
  /** What the canceller left of the microphone. */
  left: Int16Array;
  xruns: number;
}

/** `ppm`: by so much the loudspeaker's crystal is faster. */
export async function twoCards(echo: AcousticSettings['echo'], ppm: number, seconds: number): Promise<TwoCards> {
  const clock = new VirtualClock();
  const { card, open } = fakeCards(clock);
  card.ppm = { capture: 0, playback: ppm };
  card.hears = n => COUPLING * between(card.played, n * (1 + ppm * 1e-6) - WAY);
  const spec = { capture: 'mic', playback: 'speaker', rate: TWO_CARDS_RATE, periodMs: 10, bufferMs: 40 };
  const device = new AlsaAudio({ spec: { driver: 'alsa', ...spec }, clock, load: () => open });
  const engines = await chooseAcoustics({ echo, noiseSuppression: false }, TWO_CARDS_RATE);
  const settings = { loudspeakerDb: 0, microphoneDb: 0 };
  const acoustics = new Acoustics(TWO_CARDS_RATE, settings, engines, () => device.playbackDelayMs());
  const voice = speechOf('page');
  const microphone = new Int16Array(FRAME);
  const sum = new Int32Array(FRAME);
  const left = new Int16Array(seconds * TWO_CARDS_RATE);
  let [n, before, after] = [0, 0, 0];
  device.start(
    (captured, toPlay) => {
      acoustics.hear(captured, microphone);
      if (n < left.length) left.set(microphone.subarray(0, left.length - n), n);
      for (let at = 0; at < FRAME; at++) {
        before += captured[at]! ** 2;
        after += microphone[at]! ** 2;
        sum[at] = voice[n++ % voice.length]! / 2;
      }
      acoustics.play(sum, toPlay);
    },
    () => {},
  );
  const echoDb: number[] = [];
  const delaysMs: number[] = [];
  for (let span = 0; span < seconds / SPAN_S; span++) {
    [before, after] = [0, 0];
    clock.advance(SPAN_S * 1000);
    echoDb.push(10 * Math.log10(before / after));
    delaysMs.push(device.playbackDelayMs());
  }
  acoustics.close();
  return { echoDb, delaysMs, left, driftPpm: device.counters.driftPpm, xruns: device.counters.xruns };
}

/** What was played at an instant between samples: a cubic through the four around it. */
function between(samples: readonly number[], at: number): number {
  const left = Math.floor(at);
  const part = at - left;
  const [a = 0, b = 0, c = 0, d = 0] = [samples[left - 1], samples[left], samples[left + 1], samples[left + 2]];
  return b + 0.5 * part * (c - a + part * (2 * a - 5 * b + 4 * c - d + part * (3 * (b - c) + d - a)));
}
