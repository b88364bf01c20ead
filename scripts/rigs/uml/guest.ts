/** A guest: the rig's kernel with one command to run, a folder that both sides write, and an end that is always seen. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { mustHave, RigError } from '../lib/missing.ts';
import type { RigKernel } from './kernel.ts';

const INIT = join(import.meta.dirname, 'init.sh');
/** Of the guest, taken only as it is used. */
const MEMORY_MB = 2_048;
/** Characters of output that a failure quotes. */
const QUOTED = 6_000;

const NEEDED = { ip: 'iproute2', perl: 'perl-base' };

export interface GuestSpec {
  kernel: RigKernel;
  /** A folder of this machine, at the same path inside; made and removed with the guest when it is not named. */
  share?: string;
  /** The program and its arguments. */
  command: readonly string[];
  environment?: Readonly<Record<string, string>>;
  /** Time passes only while everybody waits, and then at once: computing takes none of it. */
  timeTravel?: boolean;
  /** Of real time: a guest that hangs is killed. */
  withinMs: number;
}

export class Guest {
  readonly share: string;
  /** Resolves when the kernel has ended by itself or was killed; rejects with RigError when it never ran the command. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #ownsShare: boolean;
  #console = '';
  #killed: string | undefined;

  /** Boots at once. */
  constructor({ kernel, share, command, environment = {}, timeTravel = false, withinMs }: GuestSpec) {
    mustHave('uml', NEEDED);
    this.#ownsShare = share === undefined;
    this.share = share ?? mkdtempSync(join(tmpdir(), 'porter-rig-'));
    mkdirSync(this.share, { recursive: true });
    for (const file of ['code', 'output', 'command']) rmSync(join(this.share, file), { force: true });
    const lines = Object.entries(environment).map(([name, value]) => `export ${name}=${quoted(value)}\n`);
    writeFileSync(join(this.share, 'command'), `${lines.join('')}exec ${command.map(quoted).join(' ')}\n`);
    this.#child = spawn(
      kernel.program,
      [
        `mem=${MEMORY_MB}M`,
        ...['root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'ro', `init=${INIT}`],
        ...['con0=fd:0,fd:1', 'con=null', 'loglevel=4', 'panic=-1'],
        // From one moment on, so that two runs see the same dates.
        ...(timeTravel ? ['time-travel=inf-cpu', `time-travel-start=${START_OF_TIME_S}`] : []),
        // snd-aloop is the first sound card.
        'snd_dummy.index=1',
        // What the kernel does not know becomes the environment of init.
        `rig_share=${this.share}`,
        `rig_path=${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      ],
      // A group of its own: the kernel's helpers go with it.
      { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env: { PATH: process.env.PATH, HOME: this.share } },
    );
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#console = (this.#console + text).slice(-4 * QUOTED);
      });
    const timer = setTimeout(() => this.kill(`it was not done within ${withinMs / 1000} s`), withinMs);
    const stopWithUs = () => this.kill('the rig was stopped');
    process.once('exit', stopWithUs);
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', error => reject(new RigError(`the rig's kernel cannot be started: ${error.message}`)));
      this.#child.once('close', () => {
        clearTimeout(timer);
        process.off('exit', stopWithUs);
        if (this.#killed === undefined && !existsSync(join(this.share, 'output')))
          reject(new RigError(`the rig's kernel does not run here. ${ADVICE}\n${this.console()}`));
        else resolve();
      });
    });
    this.ended.catch(() => {});
  }

  /** The exit code of the command; undefined when it never came to an end. */
  get code(): number | undefined {
    const file = join(this.share, 'code');
    return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
  }

  /** What the command has printed, and where it did not end the kernel's words. */
  story(): string {
    const file = join(this.share, 'output');
    const output = existsSync(file) ? readFileSync(file, 'utf8').slice(-QUOTED) : '';
    const end = this.#killed ?? (this.code === undefined ? 'the kernel ended by itself' : `exit code ${this.code}`);
    return `${output}\n--- ${end}${this.code === undefined ? `\n${this.console()}` : ''}`;
  }

  /** The kernel's own words. */
  console(): string {
    return this.#console.slice(-QUOTED);
  }

  /** As a cut of the power: nothing inside is asked. */
  kill(why = 'killed') {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
    this.#killed ??= why;
    try {
      process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }

  /** Forgets what it left. */
  discard() {
    if (this.#ownsShare) rmSync(this.share, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** 1 March 2026, midnight UTC. */
const START_OF_TIME_S = 1_772_323_200;

const ADVICE =
  'It needs ptrace (in a container: --cap-add SYS_PTRACE, and no seccomp profile that forbids it) and a /dev/shm or TMPDIR without noexec:';

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;
