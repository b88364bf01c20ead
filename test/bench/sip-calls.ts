/** Calls as a PBX would send them: how soon they ring or are answered, and how many a second go through. */
import { join } from 'node:path';
import { V8_FLAGS } from '../../scripts/v8-flags.ts';
import type { Bench } from '../peers/support/bench.ts';
import { sipPort } from '../peers/support/ports.ts';
import { baresipVersion, peerName, startBaresip } from './baresip.ts';
import type { Benchmark } from './benchmark.ts';
import { calling } from './calling.ts';
import { HOST, startPorter } from './porter.ts';
import { Measured } from './processes.ts';
import type { Sheet } from './sheet.ts';
import { sippLoad, sippVersion } from './sipp-load.ts';
import { longSpeech } from './speech.ts';

/** No call lasts so long. Seconds. */
const ANSWERED_S = 10;
/** The first calls run through code that is not compiled yet; they are told apart. */
const FIRST_CALLS = 20;
/** Of each kind, by everybody, before the calls that count: until then a compiler is not done with what a call needs. */
const WARM_CALLS = 2_000;
const WARM_CALLS_PER_SECOND = 100;
/** As many as the device is configured to take at once. */
const MAX_CALLS = 32;
const ANSWERING = join(import.meta.dirname, 'answering.ts');
const BARE = join(import.meta.dirname, 'bare-answers.ts');
const CALLS_PER_SECOND = [10, 100] as const;
/** So that five calls are slower than the 99th percentile, and no single one decides about it. */
const LEAST_CALLS = 500;
/** Calls a second, tried from the first on until one is not borne in two tries. */
const RAMP = [25, 50, 100, 150, 200, 250, 300, 400, 500, 700, 1000];
const TRIES = 2;

interface Callee {
  name: string;
  port: number;
  user: string;
}

export const sipCalls: Benchmark = {
  name: 'sip-calls',
  title: 'calls: INVITE to 180 and to 200, calls per second',
  how:
    `INVITE to 180 and to 200, of the whole device: by a caller in a process of its own, which calls device and peers in turn, call by call; timed ` +
    'where it sends the INVITE and where the answer arrives, on loopback. A page is answered by itself and hung up at ' +
    'once; a ringing call is cancelled. "Node alone" is a socket that answers at once without reading: below it no program of ' +
    'this runtime can be; "user agent" is ours alone, in a process without device and sound. ' +
    `What is told apart as the first comes first; then each has ${WARM_CALLS} calls of each kind, at ${WARM_CALLS_PER_SECOND} a second, before the others. ` +
    'Calls per second: SIPp sets calls up and hangs them up at ever higher rates; ' +
    `the figure is the highest at which none failed and nothing was sent twice, in one of ${TRIES} tries. The ` +
    'device answers one call at a time by itself and refuses the next as busy, so that rate is of its user agent alone, in ' +
    'a process of its own, without sound; the peer opens its sound, and has no limit of calls.',
  async run(sheet, bench, { seconds }) {
    const porter = await startPorter(bench, { user: 'porter', maxCalls: MAX_CALLS });
    await porter.ready();
    const ours: Callee = { name: 'porter', port: porter.port, user: 'porter' };
    const theirs = (rings: boolean) => startPeer(bench, rings);
    const bare = await startNode(bench, 'Node alone', [BARE]);
    const agent = await startNode(bench, 'user agent', [...V8_FLAGS, ANSWERING]);
    const answering = [ours, agent, ...(await theirs(false)), bare];
    const ringing = [ours, agent, ...(await theirs(true)), bare];

    const first = { host: HOST, callees: [ours], callsPerSecond: 10, calls: FIRST_CALLS, kind: 'answered' } as const;
    sheet.add(`INVITE to 200: the first ${FIRST_CALLS}`, 'ms', (await calling(bench, first))[0]!.to200);
    const kinds = [
      { callees: answering, kind: 'answered' },
      { callees: ringing, kind: 'rings' },
    ] as const;
    for (const kind of kinds)
      await answers(sheet, bench, { ...kind, callsPerSecond: CALLS_PER_SECOND[0], isFirst: true, seconds });
    for (const kind of kinds) {
      sheet.tell(`${WARM_CALLS} calls more, ${kind.kind}`);
      await calling(bench, { host: HOST, ...kind, callsPerSecond: WARM_CALLS_PER_SECOND, calls: WARM_CALLS });
    }
    for (const callsPerSecond of CALLS_PER_SECOND)
      for (const kind of kinds) await answers(sheet, bench, { ...kind, callsPerSecond, isFirst: false, seconds });
    await ramp(sheet, bench, answering.slice(1, -1), seconds);
  },
};

async function startPeer(bench: Bench, rings: boolean): Promise<Callee[]> {
  if (baresipVersion === undefined) return [];
  const user = rings ? 'ringing-peer' : 'peer';
  const { port } = await startBaresip(bench, {
    user,
    source: `aufile,${longSpeech(bench, ANSWERED_S)}`,
    rate: 16_000,
    rings,
  });
  return [{ name: peerName, port, user }];
}

async function startNode(bench: Bench, name: string, program: readonly string[]): Promise<Callee> {
  const port = await sipPort();
  const log = join(bench.room(name.replace(' ', '-')), 'log');
  const child = new Measured(process.execPath, [...program, String(port)], { log, cwd: bench.folder });
  bench.onStop(() => child.stop());
  return { name, port, user: 'porter' };
}

interface Series {
  callees: readonly Callee[];
  kind: 'answered' | 'rings';
  callsPerSecond: number;
  /** Not warm yet. */
  isFirst: boolean;
  seconds: number;
}

async function answers(sheet: Sheet, bench: Bench, { callees, kind, callsPerSecond, isFirst, seconds }: Series) {
  const calls = Math.ceil(Math.max(callsPerSecond * seconds, LEAST_CALLS));
  const outcomes = await calling(bench, { host: HOST, callees, callsPerSecond, calls, kind });
  const values = outcomes.map(({ to180, to200 }) => (kind === 'rings' ? to180 : to200));
  const trouble = callees.flatMap(({ name }, index) => {
    const { failed, retransmissions, why } = outcomes[index]!;
    return [
      ...(failed > 0 ? [`${name}: ${failed} of ${calls} calls failed, ${JSON.stringify(why)}`] : []),
      ...(retransmissions > 0 ? [`${name}: ${retransmissions} sent again`] : []),
    ];
  });
  const rate = `${callsPerSecond}/s${isFirst ? `, the first ${calls}` : ''}`;
  const what = `${kind === 'rings' ? 'INVITE to 180, it rings' : 'INVITE to 200, a page'}, ${rate}`;
  const peers = callees.slice(2).map(({ name }, index) => ({ name, values: values[index + 2]! }));
  const note = trouble.length > 0 ? { note: trouble.join('; ') } : {};
  sheet.add(what, 'ms', values[0]!, { peers, ...note });
  sheet.add(`${what}: the user agent alone`, 'ms', values[1]!, { peers });
}

/** Both climb in turn, so that whatever disturbs the machine disturbs both. */
async function ramp(sheet: Sheet, bench: Bench, callees: readonly Callee[], seconds: number) {
  const name = 'the user agent alone: set up and hung up without a failure';
  if (sippVersion === undefined) return sheet.unavailable(name, 'SIPp is not installed');
  const highest = callees.map(() => 0);
  const ends = callees.map(() => '');
  for (const callsPerSecond of RAMP) {
    for (const [index, to] of callees.entries()) {
      for (let tried = 0; tried < TRIES && ends[index] === '' && highest[index]! < callsPerSecond; tried++) {
        const { failed, retransmissions } = await sippLoad(bench, { to, callsPerSecond, seconds });
        sheet.tell(`${to.name}, ${callsPerSecond}/s: ${failed} failed, ${retransmissions} sent again`);
        if (failed + retransmissions === 0) highest[index] = callsPerSecond;
        else if (tried === TRIES - 1)
          ends[index] = `${to.name} at ${callsPerSecond}/s: ${failed} failed, ${retransmissions} sent again`;
      }
    }
  }
  const peers = callees.slice(1).map((callee, index) => ({ name: callee.name, values: [highest[index + 1]!] }));
  const note = ends.filter(end => end !== '').join('; ');
  sheet.add(name, 'calls/s', [highest[0]!], { peers, ...(note !== '' && { note }) });
}
