/** Calls at a steady rate from a process of their own, so that nothing of the bench stands between them and the clock. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Bench } from '../peers/support/bench.ts';
import type { Order, Outcome } from './caller.ts';

const CALLER = join(import.meta.dirname, 'caller.ts');

/** What became of the calls, callee by callee. */
export function calling(bench: Bench, order: Order): Promise<readonly Outcome[]> {
  const child = spawn(process.execPath, [CALLER, JSON.stringify(order)], { stdio: ['ignore', 'pipe', 'inherit'] });
  bench.onStop(() => void child.kill());
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', text => {
    printed += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => {
      if (code === 0) resolve(JSON.parse(printed));
      else reject(new Error(`the caller ended with ${code}`));
    });
  });
}
