/**
 * A device on one core, in a call, while somebody floods it: with each kind of message in turn, several times what the
 * core can answer. The call keeps its sound, can be hung up in the middle of it, and afterwards all is as before.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { readWav } from '../../hal/audio/wav.ts';
import { Authority } from '../sim/certificates.ts';
import { toneSnr } from '../sim/tone.ts';
import { Bench } from './support/bench.ts';
import { startDesk } from './support/desk.ts';
import { HOST, type RunningDevice, startDevice } from './support/device.ts';
import { connectionKinds, datagramKinds, type FloodTally } from './support/flood-kinds.ts';
import { writeTone } from './support/hearing.ts';
import { sipPort } from './support/ports.ts';
import { passes, until } from './support/until.ts';

const HZ = 1_000;
/** How long each flood lasts, and the time without one before them. Seconds. */
const PHASE_S = 3;
/** Of a phase its ends are left out: where a flood begins and stops is not known to the millisecond. Seconds. */
const EDGE_S = 0.5;
const BLOCK_MS = 20;

let authority: Authority;
let bench: Bench;
beforeAll(() => {
  authority = new Authority();
});
afterAll(() => authority.stop());
afterEach(() => bench.stop());

function flood(kind: string, port: number, seconds: number): Promise<FloodTally> {
  const script = join(import.meta.dirname, 'support/flood.ts');
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [script, kind, HOST, String(port), String(seconds)], (error, output) => {
      if (error === null) resolve(JSON.parse(output) as FloodTally);
      else reject(error);
    });
  });
}

/** Share of the blocks between two moments in which the tone is. */
function share(samples: Int16Array, rate: number, fromS: number, toS: number): number {
  const block = (rate * BLOCK_MS) / 1_000;
  let all = 0;
  let good = 0;
  for (let at = Math.round(fromS * rate); at + block <= Math.min(samples.length, toS * rate); at += block) {
    all++;
    if (toneSnr(samples.subarray(at, at + block), HZ, rate) > 6) good++;
  }
  return all === 0 ? 0 : good / all;
}

const residentKb = ({ pid }: RunningDevice) =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);

test('the call keeps its sound under each of seven floods, and is hung up in the middle of one', async () => {
  bench = new Bench();
  const tone = join(bench.folder, 'tone.wav');
  writeTone(tone, { hz: HZ, levelDb: -12, rate: 16_000, seconds: 1 });
  const desk = await startDesk(bench, { passwords: { front: 'front-secret' } });
  const port = await sipPort();
  const own = authority.sign('front', `IP:${HOST}`);
  const device = await startDevice(bench, {
    microphone: tone,
    within: ['taskset', '-c', '0'],
    config: {
      sip: {
        listen: { host: HOST, port },
        tls: { port: port + 1, ...own },
        // Registered anew in the middle of it all.
        accounts: { pbx: { uri: desk.uri.replace('desk@', 'front@'), password: 'front-secret', expires: '10 s' } },
      },
      contacts: { desk: { uri: desk.uri } },
      // Else one of the flood rings as soon as the line is free, as any caller may.
      calls: { incoming: 'refuse' },
      // Nobody can write a line for each of eight thousand messages.
      log: { level: 'info' },
    },
  });
  await device.registered('pbx');
  await device.do('press front');
  const call = await desk.call();
  await device.event('call', 'answered');
  await passes(1_500);
  call.record(bench.folder, 'desk');
  const beganMs = performance.now();
  const nowS = () => (performance.now() - beganMs) / 1_000;
  await passes(1_000 * (PHASE_S + EDGE_S));
  const quiet = { fromS: EDGE_S, toS: nowS() };
  const beforeKb = residentKb(device);

  const phases: { kind: string; fromS: number; toS: number; tally: FloodTally }[] = [];
  for (const kind of [...datagramKinds, ...connectionKinds]) {
    const fromS = nowS();
    const tally = await flood(kind, kind === 'slow TLS' ? port + 1 : port, PHASE_S);
    phases.push({ kind, fromS: fromS + EDGE_S, toS: nowS() - EDGE_S, tally });
    expect(call.state, kind).toBe('talking');
  }

  const last = flood('INVITE for us', port, PHASE_S);
  await passes((1_000 * PHASE_S) / 3);
  call.hangUp();
  await device.event('call', 'ended', { by: 'them' });
  await last;
  await until('nothing is up', async () => (await device.status()).call.state === 'idle');
  await device.registered('pbx');
  const { sip } = await device.status();
  const afterKb = residentKb(device);
  await desk.stop();

  const { samples, rate } = readWav(join(bench.folder, 'desk-heard.wav'));
  const before = share(samples, rate, quiet.fromS, quiet.toS);
  const shares = phases.map(({ kind, fromS, toS }) => ({ kind, share: share(samples, rate, fromS, toS) }));
  const story = JSON.stringify({ before, shares, phases, sip, beforeKb, afterKb }, null, 1);
  expect(before, story).toBeGreaterThan(0.8);
  // What a machine that others use does to the sound without a flood, it may do with one.
  for (const { share: during } of shares) expect(during, story).toBeGreaterThan(0.95 * before);

  const answers = Object.fromEntries(phases.map(({ kind, tally }) => [kind, tally]));
  expect(answers['INVITE for us']!.statuses['503'], story).toBeGreaterThan(0);
  expect(answers['INVITE for us']!.retryAfter, story).toBe(answers['INVITE for us']!.statuses['503']);
  for (const kind of ['INVITE for nobody', 'REGISTER', 'garbage']) expect(answers[kind]!.statuses, story).toEqual({});
  expect(sip.scannerRequests, story).toBeGreaterThan(0);
  expect(sip.malformedMessages, story).toBeGreaterThan(0);
  expect(sip.overloadDrops, story).toBeGreaterThan(sip.overloadRefusals);
  expect(afterKb / beforeKb, story).toBeLessThan(1.5);
}, 120_000);
