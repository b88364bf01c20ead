/** From nothing to reachable: the process is spawned, the registrar has written its binding down. */
import { spawnSync } from 'node:child_process';
import type { Bench } from '../peers/support/bench.ts';
import { passes, until } from '../peers/support/until.ts';
import { baresipVersion, peerName, startBaresip } from './baresip.ts';
import type { Benchmark } from './benchmark.ts';
import { startPorter } from './porter.ts';
import { type Measured, memoryMb } from './processes.ts';
import { type Station, startStation } from './station.ts';
import { within } from './within.ts';

const STARTS = 9;
const PAUSE_MS = 200;
/** The memory of a process that has just started is looked at so long after it registered. Milliseconds. */
const SETTLE_MS = 1_000;

export const start: Benchmark = {
  name: 'start',
  title: 'spawn to registered',
  how:
    `${STARTS} starts of each, in turn: from spawn to the moment the registrar (in the bench, on loopback, digest MD5) ` +
    'accepts the binding; Rss a second later. Once as the sources are, once with a filled NODE_COMPILE_CACHE, which ' +
    'spares Node the stripping of types and the compiling. `node -e 0` is an empty process of the same Node, spawn to ' +
    'exit: no program on Node starts sooner.',
  async run(sheet, bench) {
    const station = await startStation(bench, ['porter', 'peer']);
    const common = { registrarPort: station.port };
    const porter = (env: Record<string, string>) =>
      once(bench, station, 'porter', inner => startPorter(inner, { ...common, user: 'porter', env }));
    const fromSources = () => porter({ NODE_DISABLE_COMPILE_CACHE: '1' });
    const cache = { NODE_COMPILE_CACHE: bench.room('compile-cache') };
    const peer = () =>
      once(bench, station, 'peer', inner => startBaresip(inner, { ...common, user: 'peer', source: 'ausine,440' }));

    const empty: number[] = [];
    const sources: Start[] = [];
    const cached: Start[] = [];
    const peers: Start[] = [];
    // Fills the cache.
    await porter(cache);
    for (let index = 0; index < STARTS; index++) {
      sheet.tell(`start ${index + 1} of ${STARTS}`);
      empty.push(emptyNode());
      sources.push(await fromSources());
      cached.push(await porter(cache));
      if (baresipVersion !== undefined) peers.push(await peer());
    }
    sheet.add('node -e 0', 'ms', empty);
    for (const [name, starts] of [
      ['from sources', sources],
      ['with a compile cache', cached],
    ] as const) {
      const of = (key: keyof Start) => ({ peer: { name: peerName, values: peers.map(one => one[key]) } });
      sheet.add(
        `spawn to registered, ${name}`,
        'ms',
        starts.map(({ tookMs }) => tookMs),
        of('tookMs'),
      );
      sheet.add(
        `RSS, ${name}`,
        'MB',
        starts.map(({ rssMb }) => rssMb),
        of('rssMb'),
      );
    }
  },
};

interface Start {
  tookMs: number;
  rssMb: number;
}

async function once(
  outer: Bench,
  station: Station,
  user: string,
  begin: (bench: Bench) => Promise<{ process: Measured }>,
): Promise<Start> {
  station.registeredMs.delete(user);
  const result = await within(outer, async bench => {
    const { process } = await begin(bench);
    const registered = () => station.registeredMs.get(user);
    const atMs = await until(`${user} is registered`, registered, { detail: () => process.tail() });
    await passes(SETTLE_MS);
    return { tookMs: atMs - process.startedMs, rssMb: memoryMb(process.pid).rss };
  });
  await passes(PAUSE_MS);
  return result;
}

function emptyNode(): number {
  const startedMs = performance.now();
  spawnSync(process.execPath, ['-e', '0']);
  return performance.now() - startedMs;
}
