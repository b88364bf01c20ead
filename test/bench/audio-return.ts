/** A sound card that is pulled out in a call and put back: how long after its return the call is heard. */
import { cardAway } from '../sim/card-away.ts';
import type { Benchmark } from './benchmark.ts';

const CALLS = 40;
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
    'end leaves the loudspeaker, and until the tone at the microphone has come to the far end.',
  async run(sheet) {
    for (const [pulled, name] of PULLED) {
      // Whoever interrupts is heard between two rows.
      await new Promise(resolve => setImmediate(resolve));
      const returns = Array.from({ length: CALLS }, (_, index) => cardAway(pulled, index + 1));
      const heard = returns.flatMap(({ loudspeakerMs }) => loudspeakerMs ?? []);
      const spoken = returns.flatMap(({ microphoneMs }) => microphoneMs ?? []);
      if (heard.length > 0) sheet.add(`${name}: it plays`, 'ms', heard);
      if (spoken.length > 0) sheet.add(`${name}: the far end hears`, 'ms', spoken);
    }
  },
};
