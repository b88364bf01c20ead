/** What two sound cards cost the echo canceller: the same room with one crystal and with two. */
import { TWO_CARDS_RATE, twoCards } from '../sim/two-cards.ts';
import type { Benchmark } from './benchmark.ts';
import { keep } from './keep.ts';

const ENGINES = ['two stage', 'speex', 'aec3'] as const;
const SECONDS = 90;
/** Both the card and the canceller have settled. */
const FROM_SPAN = 3;

export const audioCards: Benchmark = {
  name: 'audio-cards',
  title: 'echo taken out with microphone and loudspeaker on two cards',
  how:
    'Virtual time, 16 kHz, the real driver over two simulated cards; speech from the loudspeaker comes to the microphone ' +
    'after 30 ms, half as loud, the loudspeaker’s crystal the faster by so much. Microphone before against after, in each ' +
    '10 s from 30 s on. The peer is the same with one crystal.',
  async run(sheet, _bench, { keep: folder }) {
    for (const echo of ENGINES) {
      const one = await twoCards(echo, 0, SECONDS);
      for (const ppm of [20, 100, 200, -200]) {
        // Whoever interrupts is heard between two runs.
        await new Promise(resolve => setImmediate(resolve));
        const two = await twoCards(echo, ppm, SECONDS);
        keep(folder, `cards ${echo} ${ppm} ppm`, TWO_CARDS_RATE, two.left);
        sheet.add(`${echo}, ${ppm} ppm: echo taken out`, 'dB', two.echoDb.slice(FROM_SPAN), {
          peer: { name: 'one crystal', values: one.echoDb.slice(FROM_SPAN) },
          note: `learned ${two.driftPpm} ppm`,
        });
      }
    }
  },
};
