/** What the jitter buffer costs in delay: beside a fixed buffer that loses as much, on networks made of numbers. */
import type { Random } from '../../firmware/lib/random.ts';
import { listen } from '../sim/jitter-listener.ts';
import {
  bulkTransfer,
  gapsAt,
  inOrder,
  inTurn,
  losing,
  lte,
  type Path,
  routeChange,
  spikes,
  stalls,
  uniform,
} from '../sim/jitter-models.ts';
import { seeded } from '../sim/seeded.ts';
import type { Benchmark } from './benchmark.ts';
import { RATE } from './chirps.ts';
import { heardOver } from './heard-over.ts';
import { keep } from './keep.ts';

const SECONDS = 120;
const SEEDS = 10;
const PACKET_MS = 20;

const TRACES: Readonly<Record<string, (random: Random) => Path>> = {
  'wire, 4 ms of jitter': random => uniform(random, 10, 4),
  'busy office, a queue of 60 ms every 10 s': random => inOrder(spikes(random, 10, 6, 60, 10_000)),
  'Wi-Fi, stalls of 80 ms every 4 s': random => stalls(random, 5, 8, 80, 4_000),
  'mobile, jitter of 20 ms, a queue of 150 ms every 15 s': random => inOrder(spikes(random, 40, 20, 150, 15_000)),
  'route 60 ms longer after 40 s': random => routeChange(uniform(random, 20, 10), 40_000, 60),
  'Wi-Fi, stalls of 300 ms every 30 s, 2 % lost': random => losing(random, stalls(random, 5, 8, 300, 30_000), 0.02, 2),
  // 10 Mbit/s up, and 64 packets of 1500 bytes, 1.2 ms each, that a plain router keeps: 77 ms.
  'a backup fills the line from 40 to 60 s': random =>
    inOrder(
      inTurn(
        uniform(random, 10, 4),
        bulkTransfer(random, 10, 77, 2_500, 1.2),
        sentMs => sentMs >= 40_000 && sentMs < 60_000,
      ),
    ),
  'office, calm and crowded by the half minute': random =>
    inOrder(inTurn(uniform(random, 10, 6), spikes(random, 25, 15, 60, 3_000), sentMs => sentMs % 60_000 >= 30_000)),
  // With keys kept a change of access point takes 50 to 150 ms, and voice is said to bear 150.
  'Wi-Fi, a change of access point at 30 and 75 s': random =>
    inOrder(
      gapsAt(
        inTurn(uniform(random, 5, 8), uniform(random, 15, 8), sentMs => sentMs >= 30_000 && sentMs < 75_000),
        [30_000, 75_000],
        150,
      ),
    ),
  // A handover is silent for some 50 ms.
  'LTE, a quiet and a busy cell by the half minute, a handover in each': random =>
    inOrder(
      gapsAt(
        inTurn(lte(random, 30, 0), lte(random, 30, 15), sentMs => sentMs % 60_000 >= 30_000),
        [20_000, 50_000, 80_000, 110_000],
        50,
      ),
    ),
};

export const audioJitter: Benchmark = {
  name: 'audio-jitter',
  title: 'delay that the jitter buffer adds, beside a fixed one',
  how:
    `Virtual time: ${SECONDS} s of packets of ${PACKET_MS} ms on each of ${Object.keys(TRACES).length} modelled networks, ${SEEDS} seeds, one value each, ` +
    'the first seconds included. Delay: from sending to hearing, less the quickest packet’s way, on average. The peer is a ' +
    'buffer of fixed length, as short as it can be, to the millisecond, with as many holes as ours has, chosen with the ' +
    'whole trace known; no real buffer knows that. Holes are the share of the time in which ours had nothing to play, whether a ' +
    'packet was late or the delay had to grow; what the network lost is in neither. In the second row of each network the fixed ' +
    'buffer throws away only as many packets for being late as ours does, which plays most of them after a hole. ' +
    'Sound is cut in pauses, a quarter of the time, and drawn out before the buffer is empty where a period of the voice can be ' +
    'said twice, in seven tenths of the time; 10 ms at once. What is kept for ears is speech in G.722 over the same ' +
    'networks, through all of the way that a call takes, with pauses as they come.',
  async run(sheet, _bench, { keep: folder }) {
    for (const [name, make] of Object.entries(TRACES)) {
      const ours: number[] = [];
      const fixed: number[] = [];
      const fixedByLate: number[] = [];
      const holes: number[] = [];
      for (let seed = 1; seed <= SEEDS; seed++) {
        await new Promise(resolve => setImmediate(resolve));
        const heard = listen({
          path: make(seeded(seed)),
          seconds: SECONDS,
          maxMs: 400,
          quiet: 0.25,
          cutMs: 10,
          inventedMs: 10,
          lengthenMs: 10,
          phaseMs: (seed * 7) % PACKET_MS,
        });
        const { sorted, lost } = waysOf(make(seeded(seed)));
        const share = Math.max(0, heard.gapMs - lost * PACKET_MS) / (SECONDS * 1000);
        ours.push(heard.delayMs.mean);
        // As many of the slowest may be late as ours has holes.
        const shortest = (late: number) => sorted[sorted.length - 1 - late]! - sorted[0]!;
        fixed.push(shortest(Math.floor(share * sorted.length)));
        fixedByLate.push(shortest(heard.counters.late));
        holes.push(100 * share);
      }
      sheet.add(name, 'ms', ours, { peer: { name: 'fixed, known in advance', values: fixed } });
      sheet.add(`${name}: as many too late`, 'ms', ours, {
        peer: { name: 'fixed, known in advance', values: fixedByLate },
      });
      sheet.add(`${name}: holes`, '%', holes);
      if (folder !== undefined) keep(folder, `jitter ${name}`, RATE, heardOver(make(seeded(1)), SECONDS));
    }
  },
};

function waysOf(path: Path) {
  const ways: number[] = [];
  let lost = 0;
  for (let sentMs = 0; sentMs < SECONDS * 1000; sentMs += PACKET_MS) {
    const way = path(sentMs);
    if (way === undefined) lost++;
    else ways.push(way);
  }
  return { sorted: Float64Array.from(ways).sort(), lost };
}
