/** How far apart fifty speakers play one page: with a common moment, and each by its own jitter buffer. */
import type { Random } from '../../firmware/lib/random.ts';
import { inOrder, losing, type Path, spikes, stalls, uniform } from '../sim/jitter-models.ts';
import { Building, type BuildingOptions } from '../sim/speakers.ts';
import type { Benchmark } from './benchmark.ts';

const SPEAKERS = 50;
const SECONDS = 60;
/** An hour of fifty would take half an hour. */
const SPEAKERS_FOR_AN_HOUR = 4;
const DELAY_MS = 200;
const LOSS = 0.02;

/** Half of the wall clocks are right to 1 ms and known to be, half wrong by up to 20 ms and known to be. */
const reports: BuildingOptions['reports'] = {
  wallClock: (index, random) => {
    const isRight = index % 2 === 0;
    return { offMs: (2 * random.next() - 1) * (isRight ? 1 : 20), vouched: isRight };
  },
};

const wire = (random: Random) => uniform(random, 0.3, 10);

const networks: Readonly<Record<string, Pick<BuildingOptions, 'path' | 'reports'>>> = {
  'wire, 2 ms of jitter': { path: random => uniform(random, 0.3, 2) },
  'wire, 10 ms of jitter': { path: wire },
  'the same, with sender reports': { path: wire, reports },
  'a queue of 40 ms every 10 s': { path: random => inOrder(spikes(random, 0.3, 2, 40, 10_000)) },
  'Wi-Fi, stalls of 80 ms every 4 s': { path: random => stalls(random, 1, 8, 80, 4_000) },
};

export const audioTogether: Benchmark = {
  name: 'audio-together',
  title: 'how far apart speakers play one page',
  how:
    `Virtual time: ${SPEAKERS} whole media engines hear a page of clicks for ${SECONDS} s, half of them switched on in its midst. ` +
    'Each has a crystal of its processor and of its sound card (±100 ppm), a card that keeps sound for 20 to 120 ms and says so ' +
    `within ±3 ms, 8, 16 or 48 kHz, and its own way through the network, which loses ${100 * LOSS} %. A value is one click: from ` +
    `the first speaker to the last. Ours: paging.delay ${DELAY_MS} ms; the peer is the same firmware with 0 s, each by its own jitter buffer.`,
  async run(sheet) {
    for (const [name, { path, reports }] of Object.entries(networks)) {
      const lossy = (random: Random): Path => losing(random, path(random), LOSS);
      const options = { seed: 1, path: lossy, ...(reports && { reports }) };
      const ours = await paged({ ...options, delayMs: DELAY_MS }, SPEAKERS, SECONDS);
      const alone = await paged({ ...options, delayMs: 0 }, SPEAKERS, SECONDS);
      sheet.add(name, 'ms', ours, { peer: { name: 'each by itself', values: alone } });
    }
    const hour = await paged({ seed: 1, delayMs: DELAY_MS, path: wire }, SPEAKERS_FOR_AN_HOUR, 3_600);
    sheet.add(`wire, 10 ms of jitter, ${SPEAKERS_FOR_AN_HOUR} speakers for an hour`, 'ms', hour);
  },
};

async function paged(options: BuildingOptions, speakers: number, seconds: number): Promise<number[]> {
  const building = new Building(options);
  building.add(speakers / 2);
  building.run(100);
  building.page();
  for (let second = 0; second < seconds; second++) {
    // Whoever wants to stop it is heard in between.
    await new Promise(resolve => setImmediate(resolve));
    if (second === Math.floor(Math.min(seconds / 3, 20))) building.add(speakers / 2);
    building.run(1_000);
  }
  building.hush();
  return building.spreads();
}
