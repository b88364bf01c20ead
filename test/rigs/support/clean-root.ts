/**
 * A freshly installed Debian in a folder, whose own systemd runs it: namespaces of their own for mounts, processes, network
 * and cgroups, so that nothing of it is seen outside. Needs root; made once, kept in the cache.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kept, keyOf } from '../../../scripts/lib/kept.ts';
import type { Bench } from '../../peers/support/bench.ts';
import { Program } from '../../peers/support/program.ts';
import { until } from '../../peers/support/until.ts';

const SUITE = 'bookworm';
const MIRROR = 'http://deb.debian.org/debian';
/** What the package depends on: apt would bring it, but a test needs no network. */
const PACKAGES = [
  ...['systemd', 'udev', 'dbus', 'init-system-helpers', 'ca-certificates'],
  ...['libasound2', 'libstdc++6', 'libopus0', 'libspeexdsp1'],
];
/** On two cores shared with other work. */
const BOOT_MS = 60_000;
const MOUNTS = `
mount --make-rprivate /
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount -t sysfs sysfs "$1/sys"
mount -t cgroup2 cgroup2 "$1/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$1/run"
mount -t tmpfs -o mode=755 tmpfs "$1/dev"
for device in null zero full random urandom tty; do
  : >"$1/dev/$device"
  mount --bind "/dev/$device" "$1/dev/$device"
done
mkdir "$1/dev/shm" "$1/dev/pts"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$1/dev/pts"
ip link set lo up
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=porter-test chroot "$1" /lib/systemd/systemd --system
`;

export interface Answer {
  code: number;
  /** Both outputs. */
  said: string;
}

export class CleanRoot {
  readonly folder: string;
  readonly #machine: Program;

  constructor(folder: string, machine: Program) {
    this.folder = folder;
    this.#machine = machine;
  }

  /** Runs a command in it as root. */
  run(...command: readonly string[]): Answer {
    const words = ['-t', String(this.#init()), '-m', '-p', '-u', '-i', '-n', '-C', 'chroot', this.folder, ...command];
    try {
      // A shell's joining of both outputs, so that a failure can be read.
      const said = execFileSync('sh', ['-c', 'exec nsenter "$@" 2>&1', 'sh', ...words], { timeout: 120_000 });
      return { code: 0, said: said.toString() };
    } catch (error) {
      const { status, stdout, message } = error as { status: number | null; stdout?: Buffer; message: string };
      return { code: status ?? -1, said: `${stdout ?? ''}${status === null ? message : ''}` };
    }
  }

  /** The same, for commands that must not fail. */
  do(...command: readonly string[]): string {
    const { code, said } = this.run(...command);
    if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${said}`);
    return said;
  }

  /** What systemd knows of the service. */
  service(property: string): string {
    return this.run('systemctl', 'show', '--value', `--property=${property}`, 'porter.service').said.trim();
  }

  /** Its files, by path from its root, without what only lives while it runs. */
  files(...folders: readonly string[]): string[] {
    return this.do('find', ...folders, '-xdev', '-not', '-type', 'd')
      .trim()
      .split('\n')
      .filter(Boolean)
      .sort();
  }

  path(inside: string) {
    return join(this.folder, inside);
  }

  /** systemd, as this machine counts processes: the child of the `unshare` that was started. */
  #init(): number {
    const pid = this.#machine.pid!;
    this.#machine.assertRunning();
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
  }
}

/** Unpacks and boots it; it goes with the bench. */
export async function bootCleanRoot(bench: Bench): Promise<CleanRoot> {
  if (process.getuid?.() !== 0) throw new Error('a Debian of its own needs root: run this test as root');
  const tarball = join(await kept('clean-root', keyOf(SUITE, MIRROR, ...PACKAGES), makeRoot), 'root.tar');
  const folder = bench.room('root');
  execFileSync('tar', ['-xf', tarball, '-C', folder, '--numeric-owner']);
  const namespaces = ['--mount', '--pid', '--cgroup', '--uts', '--ipc', '--net', '--fork', '--kill-child'];
  const machine = new Program('unshare', [...namespaces, 'sh', '-ec', MOUNTS, 'sh', folder], {
    log: join(bench.room('machine'), 'log'),
    cwd: bench.folder,
  });
  bench.onStop(() => machine.stop());
  const root = new CleanRoot(folder, machine);
  const booted = () => {
    machine.assertRunning();
    if (!existsSync(`/proc/${machine.pid}/task/${machine.pid}/children`)) return false;
    const { said } = root.run('systemctl', 'is-system-running');
    return /^(?:running|degraded)/.test(said.trim());
  };
  await until('systemd has started in the clean root', booted, { withinMs: BOOT_MS, detail: () => machine.tail() });
  return root;
}

function makeRoot(folder: string) {
  process.stderr.write(
    'porter: installing a clean Debian for the test of the package (one to three minutes, once) ...\n',
  );
  mkdirSync(folder, { recursive: true });
  execFileSync(
    'mmdebstrap',
    [
      ...['--mode=root', '--variant=minbase', '--quiet', `--include=${PACKAGES.join(',')}`],
      ...[SUITE, join(folder, 'root.tar'), MIRROR],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
}
