/** A sound card that is pulled out in a call and put back: how long after its return the call is heard. */
import type { Bench } from '../peers/support/bench.ts';
import { passes, until } from '../peers/support/until.ts';
import { cardAway } from '../sim/card-away.ts';
import { sine } from '../sim/tone.ts';
import type { Benchmark } from './benchmark.ts';
import { RATE } from './chirps.ts';
import { startPorter } from './porter.ts';
import { Unavailable } from './sheet.ts';
import { PCM, startSoundCard } from './sound-card.ts';

const CALLS = 40;
const PULLS = 6;
const HZ = 1_000;
const LOUD = 8_000;
/** What stays under this is not heard. */
const HEARD = 1_000;
/** Heard so shortly before is heard now. */
const RECENT_MS = 200;
const SETTLE_MS = 1_500;
const AWAY_MS = 2_000;
/** Longer than all of it takes. */
const MOST_S = 300;
const PULLED = [
  ['both', 'one card'],
  ['capture', 'two cards, that of the microphone'],
  ['playback', 'two cards, that of the loudspeaker'],
] as const;

export const audioReturn: Benchmark = {
  name: 'audio-return',
  title: 'a sound card pulled out: heard how soon after its return',
  how:
    'Virtual time: the whole media engine in a call, on the real ALSA driver over simulated cards. The card is away for 2 to ' +
    `3 s, from a moment and to a moment that a seed chooses; ${CALLS} calls each. From its return until the tone of the far ` +
    'end leaves the loudspeaker, and until the tone at the microphone has come to the far end. “On PulseAudio” is real time: two ' +
    `processes, one pages the other; a source or a sink is unloaded and loaded, ${PULLS} times; until a recorder has it.`,
  async run(sheet, bench) {
    for (const [pulled, name] of PULLED) {
      // Whoever interrupts is heard between two rows.
      await new Promise(resolve => setImmediate(resolve));
      const returns = Array.from({ length: CALLS }, (_, index) => cardAway(pulled, index + 1));
      const heard = returns.flatMap(({ loudspeakerMs }) => loudspeakerMs ?? []);
      const spoken = returns.flatMap(({ microphoneMs }) => microphoneMs ?? []);
      if (heard.length > 0) sheet.add(`${name}: it plays`, 'ms', heard);
      if (spoken.length > 0) sheet.add(`${name}: the far end hears`, 'ms', spoken);
    }
    try {
      for (const { name, values } of await inRealTime(bench)) sheet.add(name, 'ms', values);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      sheet.unavailable('two devices on PulseAudio', error.message);
    }
  },
};

/** Two devices, one pages the other, on a sound server that takes away a source or a sink and brings it back. */
async function inRealTime(bench: Bench) {
  const card = await startSoundCard(bench);
  const { env } = card;
  const end = (user: string, capture: string, playback: string) =>
    startPorter(bench, { user, audio: { driver: 'alsa', capture, playback }, env });
  const listener = await end('listener', PCM.silence, PCM.ear);
  const speaker = await end('speaker', PCM.mic, PCM.aside);
  await listener.ready();
  await speaker.ready();
  await speaker.do(`page ${listener.uri}`);
  card.speak(sine(HZ, LOUD, RATE, 1), MOST_S);
  let heardMs = Number.NEGATIVE_INFINITY;
  /** The first of what is heard now without a break. */
  let sinceMs = heardMs;
  card.listen(sound => {
    if (!sound.some(sample => Math.abs(sample) >= HEARD)) return;
    if (!isHeard()) sinceMs = performance.now();
    heardMs = performance.now();
  });
  const isHeard = () => performance.now() - heardMs < RECENT_MS;
  const figures = [
    { side: 'microphone', name: 'on PulseAudio, the source back: the other device plays', values: [] as number[] },
    { side: 'ear', name: 'on PulseAudio, the sink back: it plays', values: [] as number[] },
  ] as const;
  for (let time = 0; time < PULLS; time++) {
    for (const { side, values } of figures) {
      await until('the tone is heard', isHeard);
      await passes(SETTLE_MS);
      const putBack = card.pull(side);
      // Every moment between two looks for the card.
      await passes(AWAY_MS + (time * 1_000) / PULLS);
      if (isHeard()) throw new Error(`the tone is heard without the ${side}`);
      putBack();
      const backMs = performance.now();
      await until('the tone is heard again', () => heardMs > backMs);
      values.push(sinceMs - backMs);
    }
  }
  return figures;
}
