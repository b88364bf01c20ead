/** The unit tests as a program of arm64: qemu-aarch64 plays the processor, this machine's kernel does the rest. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { kept, keyOf } from '../../lib/kept.ts';
import { runStep } from '../../lib/step.ts';
import { mustHave } from '../lib/missing.ts';
import type { Arm64System } from './system.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
/** What a copy of the project does without: its packages are those of another processor. */
const NOT_COPIED = ['node_modules', '.cache', '.git', 'out'];
/** As the machine has, and so no instruction that a small board lacks. */
const PROCESSOR = 'cortex-a53';
/** Times that a test waits for: a processor that is played by another one is slow. Milliseconds. */
const PATIENCE_MS = 600_000;
/** Then it hangs. Milliseconds. */
const PARTS_WITHIN_MS = 1_500_000;
const ALL_WITHIN_MS = 10_800_000;
const LAST_WORDS = 4_000;

const NOT_HERE = [
  // They start Node anew, and this machine's kernel knows no programs of arm64.
  ...[
    'unit/hal/board',
    'unit/hal/packages',
    'unit/config/store-kill',
    'unit/bench/command',
    'unit/provisioning/server',
  ],
  // They set the umask, which only the first thread of a process may.
  ...['unit/rpc/socket', 'unit/cli/program', 'sim/process'],
  // qemu-aarch64 does not know the option that asks the kernel when a packet has come.
  'unit/media/polled-arrival',
  // Too much for a processor that is played: 200,000 inputs within four minutes, and 1,200 bad days.
  // The other files of test/fuzz and test/sim have some of each.
  ...['fuzz/bounded', 'sim/bad-days-1', 'sim/bad-days-2'],
].map(name => `test/${name}.test.ts`);

/** What another processor could have otherwise: system calls, packets, codecs, ciphers, messages. A minute or two. */
export const NATIVE_PARTS = [
  ...['chardev', 'sysfs', 'kernel', 'watchdog', 'wav'].map(name => `test/unit/hal/${name}.test.ts`),
  ...['packet', 'rtcp', 'telephone-event'].map(name => `test/unit/rtp/${name}.test.ts`),
  ...['gcm', 'hmac-sha1'].map(name => `test/unit/rtp/srtp/${name}.test.ts`),
  'test/unit/audio/codecs',
  'test/unit/sip/message',
  'test/unit/sip/digest/client.test.ts',
];

export interface UnitRun {
  /** vitest's report, as JSON. */
  report: string;
  output: string;
  code: number | undefined;
}

/** `filters`: parts of the paths of test files; none: every unit test, which takes about an hour. */
export async function runUnits(
  { root, node }: Arm64System,
  filters: readonly string[],
  say: (line: string) => void,
): Promise<UnitRun> {
  mustHave('arm64', { 'qemu-aarch64': 'qemu-user' });
  const packages = await packagesForArm64(say);
  const folder = mkdtempSync(join(tmpdir(), 'porter-arm64-'));
  try {
    for (const name of readdirSync(ROOT))
      if (!NOT_COPIED.includes(name)) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    symlinkSync(packages, join(folder, 'node_modules'));
    const report = join(folder, 'report.json');
    const { code, output } = await runStep(
      'qemu-aarch64',
      [
        ...['-cpu', PROCESSOR, '-L', root, node, 'node_modules/vitest/vitest.mjs', 'run', '--project=unit'],
        // One process: another could not be started without the kernel's knowing programs of arm64.
        ...['--pool=threads', '--maxWorkers=2', `--testTimeout=${PATIENCE_MS}`, `--hookTimeout=${PATIENCE_MS}`],
        ...NOT_HERE.map(file => `--exclude=${file}`),
        ...['--reporter=dot', '--reporter=json', `--outputFile.json=${report}`, ...filters],
      ],
      { cwd: folder, withinMs: filters.length > 0 ? PARTS_WITHIN_MS : ALL_WITHIN_MS },
    );
    if (!existsSync(report)) throw new Error(`no unit test has run on arm64:\n${output.slice(-LAST_WORDS)}`);
    return { report: readFileSync(report, 'utf8'), output, code };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The packages of the lock file for arm64. Without what is compiled: `epoll` serves one thread only; the machine has it. */
const packagesForArm64 = async (say: (line: string) => void) => {
  const lists = ['package.json', 'package-lock.json'].map(name => readFileSync(join(ROOT, name)));
  const folder = await kept('arm64-packages', keyOf(...lists), async into => {
    say('arm64: fetching the packages for arm64 from npm (about 60 MB, once) ...');
    for (const name of ['package.json', 'package-lock.json']) cpSync(join(ROOT, name), join(into, name));
    const words = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    const { code, output } = await runStep('npm', [...words, '--os=linux', '--cpu=arm64', '--libc=glibc'], {
      cwd: into,
    });
    if (code !== 0) throw new Error(`npm cannot fetch the packages for arm64:\n${output.slice(-LAST_WORDS)}`);
  });
  return join(folder, 'node_modules');
};
