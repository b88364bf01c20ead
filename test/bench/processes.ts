/** Programs that are measured: started, watched by their process id, stopped. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';

const LEAVE_MS = 4_000;
const TAIL = 2_000;

export class Measured {
  readonly pid: number;
  /** When it was spawned, by `performance.now()`. */
  readonly startedMs: number;
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #log: string;
  #running = true;

  /** Starts at once. Both outputs go to the file `log`. */
  constructor(
    command: string,
    args: readonly string[],
    { log, cwd, env = {} }: { log: string; cwd: string; env?: Record<string, string> },
  ) {
    this.#log = log;
    const output = openSync(log, 'a');
    this.startedMs = performance.now();
    this.#child = spawn(command, args, { cwd, stdio: ['ignore', output, output], env: { ...process.env, ...env } });
    closeSync(output);
    this.ended = new Promise(resolve => {
      const gone = () => {
        this.#running = false;
        resolve();
      };
      this.#child.once('exit', gone);
      this.#child.once('error', gone);
    });
    if (this.#child.pid === undefined) throw new Error(`${command} cannot be started`);
    this.pid = this.#child.pid;
  }

  assertRunning() {
    if (!this.#running) throw new Error(`a program has ended that should be running:\n${this.tail()}`);
  }

  async stop() {
    if (!this.#running) return;
    this.#child.kill('SIGTERM');
    const cancel = setTimeout(() => this.#child.kill('SIGKILL'), LEAVE_MS);
    await this.ended;
    clearTimeout(cancel);
  }

  /** All that it has said. */
  all(): string {
    return readFileSync(this.#log, 'utf8');
  }

  tail(): string {
    return this.all().slice(-TAIL);
  }
}

/** The first line that a program prints when asked for its version; undefined where it is not installed. */
export function versionOf(command: string, ...args: string[]): string | undefined {
  const { error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 5_000 });
  return error === undefined ? `${stdout}${stderr}`.trim().split('\n')[0] : undefined;
}

const TICKS_PER_S = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || 100;

/** Time that all threads of a process have run, user and kernel. Seconds, in steps of one tick. */
function ticked(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name before it may hold blanks and brackets; proc(5): utime is field 14, stime 15.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

/** What each thread of a process has run, to the nanosecond. Seconds by thread; undefined where this kernel does not count. */
function threadSeconds(pid: number): Map<string, { name: string; seconds: number }> | undefined {
  const threads = new Map<string, { name: string; seconds: number }>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const folder = `/proc/${pid}/task/${thread}`;
    try {
      const seconds = Number(readFileSync(`${folder}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
      threads.set(thread, { name: readFileSync(`${folder}/comm`, 'utf8').trim(), seconds });
    } catch {
      // It has ended, or its time is not counted.
    }
  }
  return threads.size === 0 ? undefined : threads;
}

export interface CpuUse {
  seconds: number;
  /** By the threads' names, where the kernel tells: threads of one name together. */
  threads: Map<string, number>;
}

/** Starts to count; the answer is what a process has used since then. */
export function cpuUse(pid: number): () => CpuUse {
  const before = threadSeconds(pid);
  const tickedBefore = ticked(pid);
  return () => {
    const after = threadSeconds(pid);
    const threads = new Map<string, number>();
    if (before === undefined || after === undefined) return { seconds: ticked(pid) - tickedBefore, threads };
    let seconds = 0;
    for (const [thread, { name, seconds: total }] of after) {
      const used = total - (before.get(thread)?.seconds ?? 0);
      seconds += used;
      threads.set(name, (threads.get(name) ?? 0) + used);
    }
    return { seconds, threads };
  };
}

/** Resident memory, and the share of it that is counted once among those who map it. MB. */
export function memoryMb(pid: number): { rss: number; pss: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1024;
  return { rss: field('Rss'), pss: field('Pss') };
}
