/**
 * Two cancellers side by side. AEC3 takes all of the echo, and lowers the visitor while both speak; our own filter leaves
 * the visitor as he is, and some of the echo, which his voice then covers. AEC3's output is heard unless the visitor
 * speaks, and whether he does AEC3 itself tells: it takes away nearly all of what our filter leaves, or not.
 */
import { frameSamples, rms, saturate } from '../frame.ts';
import { aec3Canceller, aec3DelaySamples } from './aec3.ts';
import type { EchoCanceller, NotHere } from './canceller.ts';
import { KalmanFilter } from './kalman.ts';

/** What AEC3 gives against what our filter leaves: below the first it is all echo, above the second it is the visitor. */
const ECHO_DB = -20;
const VISITOR_DB = -12;
/**
 * And what our filter leaves must stand out of what it is known to leave of such an echo: below the first it is that echo,
 * above the second it is the visitor.
 */
const LEAK_DB = 3;
const ABOVE_LEAK_DB = 6;
/** How that is learnt a frame: up slowly, since it may be the visitor who stands out. */
const LEAK_UP = 0.02;
const LEAK_DOWN = 0.03;
/** Powers are those of about so many frames. */
const SMOOTH_FRAMES = 3;
/** Our filter's part goes back within about so many frames after the visitor's last word. */
const RELEASE_FRAMES = 8;

/** 0 below `low`, 1 above `high`. */
const between = (low: number, high: number, value: number) => Math.min(1, Math.max(0, (value - low) / (high - low)));

export async function twoStageCanceller(rate: number): Promise<EchoCanceller | NotHere> {
  const aec3 = await aec3Canceller(rate);
  if ('why' in aec3) return aec3;
  const filter = new KalmanFilter(rate);
  const filtered = new Int16Array(frameSamples(rate));
  const late = aec3DelaySamples(rate);
  /** The filter's output of lately, the newest frame last. */
  const lately = new Int16Array(late + filtered.length);
  let filteredPower = 1;
  let aec3Power = 1;
  let echoPower = 1;
  /** What our filter leaves, as a part of the echo that it finds. */
  let leak = 1;
  let share = 0;
  return {
    name: 'two stage',
    loudspeakerFactor: 1,
    process(microphone, loudspeaker) {
      filtered.set(microphone);
      filter.process(filtered, loudspeaker);
      lately.copyWithin(0, filtered.length);
      lately.set(filtered, late);
      let echo = 0;
      for (let at = 0; at < filtered.length; at++) echo += (microphone[at]! - filtered[at]!) ** 2;
      aec3.process(microphone, loudspeaker);
      echoPower += (1 + echo / filtered.length - echoPower) / SMOOTH_FRAMES;
      filteredPower += (1 + rms(lately, 0, filtered.length) ** 2 - filteredPower) / SMOOTH_FRAMES;
      aec3Power += (1 + rms(microphone) ** 2 - aec3Power) / SMOOTH_FRAMES;
      const keptDb = 10 * Math.log10(aec3Power / filteredPower);
      const seen = filteredPower / echoPower;
      if (keptDb < ECHO_DB) leak += (seen - leak) * (seen > leak ? LEAK_UP : LEAK_DOWN);
      const standsOutDb = 10 * Math.log10(seen / leak);
      const wanted = between(ECHO_DB, VISITOR_DB, keptDb) * between(LEAK_DB, ABOVE_LEAK_DB, standsOutDb);
      const before = share;
      share = wanted > share ? wanted : share + (wanted - share) / RELEASE_FRAMES;
      for (let at = 0; at < microphone.length; at++) {
        const part = before + ((share - before) * (at + 1)) / microphone.length;
        microphone[at] = saturate(microphone[at]! + part * (lately[at]! - microphone[at]!));
      }
    },
    close: () => aec3.close(),
  };
}
