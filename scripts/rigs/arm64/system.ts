/**
 * The arm64 guest: Debian's stock kernel, an initramfs, a disk with Debian's arm64 programs and Node. Made once from
 * Debian's and npm's packages, kept in the cache, without a change to this machine's own packages or mounts.
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { kept, keyOf } from '../../lib/kept.ts';
import { fetchNode, NODE_VERSION } from '../../pack/fetch.ts';
import { mustHave } from '../lib/missing.ts';
import { initramfs } from './initramfs.ts';

export interface Arm64System {
  kernel: string;
  /** Mounts the disk and goes on with `guest/init.sh`. */
  initrd: Buffer;
  /** Raw ext4 image. */
  disk: string;
  /** The same files as a tree, for programs that run without a kernel of their own (`qemu-aarch64 -L`). */
  root: string;
  node: string;
  /** Of the kernel: `6.1.0-56-arm64`. */
  release: string;
}

const SUITE = 'bookworm';
const SOURCES = [
  `deb http://deb.debian.org/debian ${SUITE} main`,
  `deb http://deb.debian.org/debian-security ${SUITE}-security main`,
];
const PACKAGES = [
  'busybox-static',
  'kmod',
  'alsa-utils',
  'baresip-core',
  'libgcc-s1',
  'libstdc++6',
  'linux-image-arm64',
  // The package's machine: who installs it, who runs it, and what it depends on.
  ...['dpkg', 'tar', 'libc-bin', 'perl-base', 'base-passwd', 'init-system-helpers', 'systemd', 'udev'],
  ...['libasound2', 'libopus0', 'libspeexdsp1', 'ca-certificates'],
];
/** What nothing here reads, and most of the size. */
const LEFT_OUT = [
  './dev/*',
  './boot/config*',
  './boot/System.map*',
  './usr/lib/linux-image-*',
  './usr/lib/*/libLLVM*',
  './usr/lib/*/dri',
  './usr/lib/*/perl/*',
  './usr/lib/*/gconv',
  './usr/share/perl*',
  './usr/share/locale',
  './usr/share/doc',
  './usr/share/man',
];
/** For the disk, in the initramfs; with what these need. */
const DISK_MODULES = ['virtio_pci', 'virtio_blk', 'ext4', 'crc32c_generic'];
/** And later, by modprobe. */
const MODULES = [
  ...['9p', '9pnet_virtio', 'virtio_net', 'virtio_console', 'i6300esb'],
  ...['snd_aloop', 'snd_usb_audio', 'xhci_pci', 'xhci_hcd'],
];
const PLACES = ['proc', 'sys', 'dev', 'run', 'tmp', 'share', 'opt', 'root'];
const DISK_MIB = 1024;
/** Counts with the way in which the above becomes a disk. */
const VERSION = 2;
/** Of Debian 12, which keeps them for old paths. */
const MERGED = ['bin', 'sbin', 'lib'];
/** What scripts of the packages would make, were they run. */
const MADE = {
  'etc/passwd': 'usr/share/base-passwd/passwd.master',
  'etc/group': 'usr/share/base-passwd/group.master',
};

const NEEDED = {
  mmdebstrap: 'mmdebstrap',
  depmod: 'kmod',
  mke2fs: 'e2fsprogs',
  'qemu-system-aarch64': 'qemu-system-arm',
  npm: 'npm',
  '/usr/share/keyrings/debian-archive-keyring.gpg': 'debian-archive-keyring',
};
const guest = join(import.meta.dirname, 'guest');

/** Builds what is not in the cache: about a minute, most of it downloads. Throws with what is missing. */
export async function arm64System(say: (line: string) => void): Promise<Arm64System> {
  mustHave('arm64', NEEDED);
  const recipe = JSON.stringify([
    VERSION,
    SOURCES,
    PACKAGES,
    MADE,
    LEFT_OUT,
    DISK_MODULES,
    MODULES,
    NODE_VERSION,
    DISK_MIB,
  ]);
  const node = await fetchNode('arm64');
  const folder = await kept('arm64', keyOf(recipe), async work => build(work, node, say));
  const release = readdirSync(join(folder, 'root/lib/modules'))[0]!;
  return {
    release,
    kernel: join(folder, 'vmlinuz'),
    initrd: makeInitrd(join(folder, 'root')),
    disk: join(folder, 'disk.img'),
    root: join(folder, 'root'),
    node: join(folder, 'root/usr/local/bin/node'),
  };
}

function build(work: string, node: string, say: (line: string) => void) {
  const root = join(work, 'root');
  mkdirSync(root);
  say(`arm64: fetching Debian ${SUITE} for arm64 (about 200 MB, once) ...`);
  debian(root, work);
  mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
  cpSync(join(node, 'bin/node'), join(root, 'usr/local/bin/node'));
  say('arm64: making the disk ...');
  prune(root);
  renameSync(globSync(join(root, 'boot/vmlinuz-*'))[0]!, join(work, 'vmlinuz'));
  for (const place of PLACES) mkdirSync(join(root, place), { recursive: true });
  imageOf(root, join(work, 'disk.img'), DISK_MIB);
}

/** Packages unpacked and not configured: nothing of another processor is run. */
function debian(root: string, work: string) {
  const tarball = join(work, 'root.tar');
  run('mmdebstrap', [
    ...['--arch=arm64', '--variant=extract', '--skip=check/qemu', '--quiet', '--format=tar'],
    ...[`--include=${PACKAGES.join(',')}`, SUITE, tarball, ...SOURCES],
  ]);
  for (const folder of MERGED) {
    mkdirSync(join(root, 'usr', folder), { recursive: true });
    symlinkSync(join('usr', folder), join(root, folder));
  }
  run('tar', [
    '-xf',
    tarball,
    '-C',
    root,
    '--no-same-owner',
    '--keep-directory-symlink',
    '--wildcards',
    ...LEFT_OUT.map(path => `--exclude=${path}`),
  ]);
  rmSync(tarball);
  for (const [file, from] of Object.entries(MADE)) cpSync(join(root, from), join(root, file));
  // Of dpkg, which has installed none of this.
  mkdirSync(join(root, 'var/lib/dpkg/updates'), { recursive: true });
  mkdirSync(join(root, 'var/lib/dpkg/info'), { recursive: true });
  writeFileSync(join(root, 'var/lib/dpkg/status'), '');
}

/** Of 3,600 modules, those named above and what they need. */
function prune(root: string) {
  const release = readdirSync(join(root, 'lib/modules'))[0]!;
  run('depmod', ['-b', root, release]);
  const modules = new Modules(join(root, 'lib/modules', release));
  const wanted = new Set(modules.closure([...DISK_MODULES, ...MODULES]));
  for (const path of modules.paths) if (!wanted.has(path)) rmSync(join(modules.folder, path));
  run('depmod', ['-b', root, release]);
}

function makeInitrd(root: string): Buffer {
  const modules = new Modules(join(root, 'lib/modules', readdirSync(join(root, 'lib/modules'))[0]!));
  const files = modules.closure(DISK_MODULES);
  return initramfs(
    ['dev', 'bin', 'root', 'modules.d'],
    [
      { path: 'init', content: readFileSync(join(guest, 'initrd.sh')) },
      { path: 'init.sh', content: readFileSync(join(guest, 'init.sh')) },
      { path: 'bin/busybox', content: readFileSync(join(root, 'bin/busybox')) },
      { path: 'modules', content: Buffer.from(files.map(file => `/modules.d/${basename(file)}\n`).join('')) },
      ...files.map(file => ({
        path: `modules.d/${basename(file)}`,
        content: readFileSync(join(modules.folder, file)),
      })),
    ],
  );
}

/** modules.dep: `path: what it needs, the nearest first`. */
class Modules {
  readonly folder: string;
  readonly #needs = new Map<string, string[]>();

  constructor(folder: string) {
    this.folder = folder;
    for (const line of readFileSync(join(folder, 'modules.dep'), 'utf8').split('\n')) {
      const [path, needs] = line.split(':');
      if (needs !== undefined) this.#needs.set(path!, needs.split(' ').filter(Boolean));
    }
  }

  get paths() {
    return [...this.#needs.keys()];
  }

  /** In the order in which they can be loaded. */
  closure(names: readonly string[]): string[] {
    const byName = new Map(this.paths.map(path => [basename(path, '.ko').replaceAll('-', '_'), path]));
    const order = new Set<string>();
    for (const name of names) {
      const path = byName.get(name);
      if (path === undefined) throw new Error(`the kernel has no module ${name}`);
      for (const needed of this.#needs.get(path)!.toReversed()) order.add(needed);
      order.add(path);
    }
    return [...order];
  }
}

/** A file system image of a folder, to be a second disk. */
export function imageOf(folder: string, file: string, mib: number) {
  run('mke2fs', ['-q', '-t', 'ext4', '-d', folder, '-O', '^has_journal', '-E', 'root_owner=0:0', file, `${mib}M`]);
}

/** Its output. What it said is in the error when it fails. */
function run(command: string, words: readonly string[]): string {
  try {
    return execFileSync(command, words, {
      cwd: tmpdir(),
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 64 << 20,
    });
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new Error(
      `${command} ${words.slice(0, 3).join(' ')} …: ${stderr?.trim().split('\n').slice(-8).join('\n') || message}`,
    );
  }
}
