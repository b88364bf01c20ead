/** The command line, asked by a test: what a shell would see. */
import { runCli } from '../../../firmware/cli/program.ts';
import { systemClock } from '../../../firmware/lib/clock.ts';
import { findBoard } from '../../../hal/boards/catalog.ts';

export async function porter(args: readonly string[], socket: string, signal?: AbortSignal) {
  let out = '';
  let err = '';
  const code = await runCli(args, {
    out: text => {
      out += text;
    },
    err: text => {
      err += text;
    },
    clock: systemClock,
    version: '0.0.0',
    socket,
    board: findBoard,
    run: () => Promise.reject(new Error('nobody asked to run')),
    ...(signal && { signal }),
  });
  return { code, out, err };
}
