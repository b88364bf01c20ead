/** Whether memory grows with calls: of the user agent alone over many, of the whole device over as many as time allows. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Benchmark } from './benchmark.ts';
import { calling } from './calling.ts';
import { HOST, startPorter } from './porter.ts';
import { memoryMb } from './processes.ts';

const CALLS = [1_000, 10_000, 100_000];
/** Calls of the device before memory is looked at first; afterwards at this rate for ten times the time given. */
const FIRST_CALLS = 1_000;
const CALLS_PER_SECOND = 100;
const TIMES_SECONDS = 10;
const MB = 2 ** 20;

export const sipMemory: Benchmark = {
  name: 'sip-memory',
  title: 'memory after 1000 calls and after 100 000',
  how:
    'User agent alone, in a process of its own, on virtual time: calls come in, ring, are answered and hung up, 200 a ' +
    'second; heap after a collection, when every transaction has ended. Device: the real process, its Rss after ' +
    `${FIRST_CALLS} calls that are answered and hung up, ${CALLS_PER_SECOND} a second, and after as many as go into ` +
    `${TIMES_SECONDS} times the time given; no collection is asked for.`,
  async run(sheet, bench, { seconds }) {
    const program = join(import.meta.dirname, 'call-memory.ts');
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', program, JSON.stringify(CALLS)]);
    const heaps: number[] = JSON.parse(stdout);
    heaps.forEach((heap, index) => {
      const note = index === 0 ? {} : { note: `${percent(heap, heaps[0]!)} of what it was after ${CALLS[0]} calls` };
      sheet.add(`heap of the user agent after ${CALLS[index]} calls`, 'MB', [heap / MB], note);
    });

    const porter = await startPorter(bench, { user: 'porter', maxCalls: 32 });
    await porter.ready();
    const many = async (calls: number) => {
      const callees = [{ port: porter.port, user: 'porter' }];
      const order = { host: HOST, callees, callsPerSecond: CALLS_PER_SECOND, calls, kind: 'answered' } as const;
      const { failed, why } = (await calling(bench, order))[0]!;
      return {
        rss: memoryMb(porter.process.pid).rss,
        ...(failed > 0 && { note: `${failed} failed: ${JSON.stringify(why)}` }),
      };
    };
    const first = await many(FIRST_CALLS);
    const further = Math.round(seconds * TIMES_SECONDS * CALLS_PER_SECOND);
    const last = await many(further);
    sheet.add(`Rss of the device after ${FIRST_CALLS} calls`, 'MB', [first.rss], first);
    const note = [`${percent(last.rss, first.rss)} of what it was`, ...(last.note === undefined ? [] : [last.note])];
    sheet.add(`Rss of the device after ${FIRST_CALLS + further} calls`, 'MB', [last.rss], { note: note.join('; ') });
  },
};

const percent = (value: number, of: number) => `${((value / of) * 100).toFixed(1)} %`;
