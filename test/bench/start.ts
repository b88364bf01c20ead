/** From nothing to reachable: the process is spawned, the registrar has written its binding down. */
import { spawnSync } from 'node:child_process';
import type { Bench } from '../peers/support/bench.ts';
import { passes, until } from '../peers/support/until.ts';
import { baresipVersion, peerName, startBaresip } from './baresip.ts';
import type { Benchmark } from './benchmark.ts';
import { startPorter } from './porter.ts';
import type { Measured } from './processes.ts';
import { type Station, startStation } from './station.ts';
import { within } from './within.ts';

const STARTS = 9;
const PAUSE_MS = 200;

export const start: Benchmark = {
  name: 'start',
  title: 'spawn to registered',
  how:
    `${STARTS} starts of each, in turn: from spawn to the moment the registrar (in the bench, on loopback, digest MD5) ` +
    'accepts the binding. Once as the sources are, once with a filled NODE_COMPILE_CACHE, which spares Node the ' +
    'stripping of types and the compiling. `node -e 0` is the time of an empty process of the same Node, spawn to exit: no program on ' +
    'Node starts sooner.',
  async run(sheet, bench) {
    const station = await startStation(bench, ['porter', 'peer']);
    const ours: number[] = [];
    const theirs: number[] = [];
    const cached: number[] = [];
    const empty: number[] = [];
    const env = { NODE_COMPILE_CACHE: bench.room('compile-cache') };
    const fromCache = () =>
      once(bench, station, 'porter', inner => startPorter(inner, { ...spec('porter', station), env }));
    await fromCache();
    for (let index = 0; index < STARTS; index++) {
      sheet.tell(`start ${index + 1} of ${STARTS}`);
      empty.push(emptyNode());
      ours.push(await once(bench, station, 'porter', inner => startPorter(inner, spec('porter', station))));
      cached.push(await fromCache());
      if (baresipVersion === undefined) continue;
      const peer = (inner: Bench) => startBaresip(inner, { ...spec('peer', station), source: 'ausine,440' });
      theirs.push(await once(bench, station, 'peer', peer));
    }
    sheet.add('node -e 0', 'ms', empty);
    const beside = { peer: { name: peerName, values: theirs } };
    sheet.add('spawn to registered', 'ms', ours, beside);
    sheet.add('with a compile cache', 'ms', cached, beside);
  },
};

const spec = (user: string, station: Station) => ({ user, registrarPort: station.port });

async function once(
  outer: Bench,
  station: Station,
  user: string,
  begin: (bench: Bench) => Promise<{ process: Measured }>,
): Promise<number> {
  station.registeredMs.delete(user);
  const tookMs = await within(outer, async bench => {
    const { process } = await begin(bench);
    const registered = () => station.registeredMs.get(user);
    return (await until(`${user} is registered`, registered, { detail: () => process.tail() })) - process.startedMs;
  });
  await passes(PAUSE_MS);
  return tookMs;
}

function emptyNode(): number {
  const startedMs = performance.now();
  spawnSync(process.execPath, ['-e', '0']);
  return performance.now() - startedMs;
}
