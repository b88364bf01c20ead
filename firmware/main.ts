/** The process: arguments, environment, signals, exit code. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { findBoard } from '../hal/boards/catalog.ts';
import { findSystemd } from '../hal/systemd.ts';
import { CliError, EXIT_FAILED } from './cli/environment.ts';
import { runCli } from './cli/program.ts';
import { systemClock } from './lib/clock.ts';
import { wiringErrors } from './wiring.ts';

/** How long the device may take to put itself at rest after a fault of its own. Milliseconds. */
const LEAVE_MS = 8_000;
/** And then, for what it has to say of it. Milliseconds. */
const LAST_WORD_MS = 200;

const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../package.json'), 'utf8')) as {
  version: string;
};

const interrupted = new AbortController();
const ended = new Promise<string>(end => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      interrupted.abort();
      end(signal);
    });
  }
});
// `porter config show | head`: whoever reads has had enough.
process.stdout.on('error', () => process.exit());

process.exitCode = await runCli(process.argv.slice(2), {
  out: text => process.stdout.write(text),
  err: text => process.stderr.write(text),
  clock: systemClock,
  version,
  socket: process.env.PORTER_SOCKET,
  signal: interrupted.signal,
  board: findBoard,
  checkBoard: wiringErrors,
  probe: async (request, config) => {
    const { probeAlone } = await import('./probe-alone.ts');
    return probeAlone(request, config, version);
  },
  selfTest: async request => {
    const { selfTest } = await import('./self-test/self-test.ts');
    return selfTest(request, version);
  },
  run: async options => {
    const { run } = await import('./run.ts');
    const broken = new Promise<Error>(tell => process.once('uncaughtException', tell));
    // Whatever the fault has left running, the process ends, and what supervises it starts a sound one.
    let leave = (_withinMs: number) => {};
    void broken.then(() => {
      let cancel = () => {};
      leave = withinMs => {
        cancel();
        cancel = systemClock.after(withinMs, () => process.exit(EXIT_FAILED));
      };
      leave(LEAVE_MS);
    });
    const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdogUs, WATCHDOG_PID: watchdogPid } = process.env;
    const systemd = findSystemd({ socket, watchdogUs, watchdogPid }, process.pid);
    await run(options, version, systemd, Promise.race([ended, broken]))
      .catch((error: Error) => {
        throw new CliError(EXIT_FAILED, error.message);
      })
      .finally(() => leave(LAST_WORD_MS));
  },
});
