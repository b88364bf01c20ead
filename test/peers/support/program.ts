/** A real program as a child process: its output in a file, its end awaited, stopped by its own pid. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** How long a program may take to leave when asked, before it is killed. Milliseconds. */
const LEAVE_MS = 4_000;
/** Characters of a log that an error message quotes. */
const TAIL = 3_000;

/** Where a missing program is found. A peer that is not there is a failure: its tests would prove nothing. */
const PACKAGES: Readonly<Record<string, string>> = {
  sipp: 'sip-tester',
  baresip: 'baresip-core',
  kamailio: 'kamailio',
  linphonec: 'linphone-cli',
  tshark: 'tshark',
  dumpcap: 'wireshark-common',
  taskset: 'util-linux',
  'qemu-system-aarch64': 'qemu-system-arm',
};

export class Program {
  readonly log: string;
  /** The exit code, or the name of the signal. */
  readonly ended: Promise<number | string>;
  readonly #child: ChildProcess;
  readonly #command: string;
  #outcome: number | string | undefined;

  /** Starts at once. `log` takes both outputs; `typed`: it has a console that `type` writes to. */
  constructor(
    command: string,
    args: readonly string[],
    {
      log,
      cwd,
      environment,
      typed = false,
    }: { log: string; cwd: string; environment?: Readonly<Record<string, string>>; typed?: boolean },
  ) {
    this.log = log;
    this.#command = command;
    const output = openSync(log, 'a');
    this.#child = spawn(command, args, {
      cwd,
      stdio: [typed ? 'pipe' : 'ignore', output, output],
      ...(environment !== undefined && { env: { ...process.env, ...environment } }),
    });
    // What is typed to a program that has gone is lost; whoever waits for the answer hears why.
    this.#child.stdin?.on('error', () => {});
    closeSync(output);
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', (error: NodeJS.ErrnoException) => {
        this.#outcome = error.code ?? 'error';
        reject(error.code === 'ENOENT' ? new Error(missing(command)) : error);
      });
      this.#child.once('exit', (code, signal) => {
        this.#outcome = code ?? signal ?? 'gone';
        resolve(this.#outcome);
      });
    });
    // Whoever waits hears of it; nobody else has to.
    this.ended.catch(() => {});
  }

  get pid() {
    return this.#child.pid;
  }

  /** Throws where the program has ended though it should be running. */
  assertRunning() {
    if (this.#outcome === 'ENOENT') throw new Error(missing(this.#command));
    if (this.#outcome !== undefined)
      throw new Error(`${this.#command} has ended with ${this.#outcome}:\n${this.tail()}`);
  }

  type(line: string) {
    this.#child.stdin?.write(`${line}\n`);
  }

  signal(signal: NodeJS.Signals) {
    if (this.#outcome === undefined) this.#child.kill(signal);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM') {
    if (this.#outcome !== undefined) return;
    this.#child.kill(signal);
    const left = await Promise.race([this.ended.then(() => true), delay(LEAVE_MS, false)]);
    if (!left) this.#child.kill('SIGKILL');
    await this.ended;
  }

  tail(): string {
    return this.output().slice(-TAIL);
  }

  output(): string {
    return readFileSync(this.log, 'utf8');
  }
}

const missing = (command: string) =>
  `${command} is not installed, so this cannot be tested: apt-get install ${PACKAGES[command] ?? command}`;
