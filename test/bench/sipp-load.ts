/** SIPp as a load: calls at a steady rate, and whether all of them went through without a word said twice. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../peers/support/bench.ts';
import { sipPort } from '../peers/support/ports.ts';
import { HOST } from './porter.ts';
import { Measured, versionOf } from './processes.ts';

export const sippVersion = /v[\d.]+/.exec(versionOf('sipp', '-v') ?? '')?.[0];

const SCENARIO = join(import.meta.dirname, 'load.xml');
/** What has not ended by then has failed. Seconds. */
const AFTERWARDS_S = 10;

export interface Load {
  to: { port: number; user: string };
  callsPerSecond: number;
  seconds: number;
}

export interface Borne {
  succeeded: number;
  failed: number;
  retransmissions: number;
}

export async function sippLoad(bench: Bench, { to, callsPerSecond, seconds }: Load): Promise<Borne> {
  const port = await sipPort();
  const folder = bench.room(`load-${port}`);
  const file = join(folder, 'statistics');
  const calls = Math.max(1, Math.round(callsPerSecond * seconds));
  const limit = `${Math.ceil(seconds + AFTERWARDS_S)}s`;
  const args = [
    ...['-sf', SCENARIO, '-s', to.user, '-i', HOST, '-p', String(port), '-nostdin', '-trace_stat', '-stf', file],
    ...['-fd', '1', '-r', String(callsPerSecond), '-m', String(calls), '-l', String(calls), '-timer_resol', '1'],
    ...['-recv_timeout', '8000', '-timeout', limit, `${HOST}:${to.port}`],
  ];
  const sipp = new Measured('sipp', args, { log: join(folder, 'log'), cwd: folder });
  bench.onStop(() => sipp.stop());
  await sipp.ended;
  return statistics(readFileSync(file, 'utf8'), calls);
}

/** SIPp writes a heading and a line each second; (C) counts since the start. */
function statistics(text: string, calls: number): Borne {
  const [heading, ...lines] = text.trim().split('\n');
  const last = lines.at(-1)?.split(';') ?? [];
  const count = (name: string) => Number(last[heading!.split(';').indexOf(`${name}(C)`)] ?? Number.NaN);
  const succeeded = count('SuccessfulCall');
  if (!Number.isFinite(succeeded)) throw new Error('SIPp has left no statistics');
  return { succeeded, failed: calls - succeeded, retransmissions: count('Retransmissions') };
}
