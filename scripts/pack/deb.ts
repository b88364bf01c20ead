/** The Debian package: the bundle, its Node, what systemd and udev need; the same bits whenever it is made of the same. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { LICENCE, makeBundle } from './bundle.ts';
import { copyright } from './copyright.ts';
import { type Arch, fetchNode, ROOT } from './fetch.ts';
import { writePages } from './pages.ts';

/** Who makes a package for others puts themselves here: `DEBFULLNAME` and `DEBEMAIL`, as for Debian's own tools. */
const MAINTAINER = `${process.env.DEBFULLNAME ?? 'Porter maintainers'} <${process.env.DEBEMAIL ?? 'maintainers@porter.example'}>`;
const STRIP: Record<Arch, string> = { amd64: 'x86_64-linux-gnu-strip', arm64: 'aarch64-linux-gnu-strip' };
const HERE = import.meta.dirname;

export interface PackageOptions {
  arch: Arch;
  /** Where the file is written. */
  folder: string;
  /** Debian's form. */
  version: string;
  /** What every file is dated. Seconds since 1970. */
  epoch: number;
  /** `quick` for a test that looks at it once. */
  compression?: 'small' | 'quick';
}

export interface Package {
  file: string;
  version: string;
  /** Of the file, and when installed. Bytes. */
  bytes: number;
  installedBytes: number;
}

/** The version and the date of the commit that is checked out. */
export function ofCommit(): { version: string; epoch: number } {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT }).toString().trim();
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const [epoch, hash] = git('log', '-1', '--format=%ct %H').split(' ') as [string, string];
  const at = new Date(Number(epoch) * 1000).toISOString().replaceAll(/[-:]|\.\d+Z/g, '');
  const changed = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+changed';
  return { version: `${version}+git${at}.${hash.slice(0, 12)}${changed}`, epoch: Number(epoch) };
}

export async function makePackage({ arch, folder, version, epoch, compression }: PackageOptions): Promise<Package> {
  const stage = mkdtempSync(join(tmpdir(), 'porter-package-'));
  try {
    const lib = join(stage, 'usr/lib/porter');
    const { packages } = await makeBundle({ arch, folder: lib });
    const node = await fetchNode(arch);
    cpSync(join(node, 'bin/node'), join(lib, 'bin/node'));
    execFileSync(STRIP[arch], ['--strip-unneeded', '--remove-section=.comment', join(lib, 'bin/node')]);
    // Their texts stand in one file, where Debian looks for them.
    for (const file of filesOf(lib)) if (LICENCE.test(file.split('/').at(-1)!)) rmSync(join(lib, file));

    cpSync(join(HERE, 'files'), stage, { recursive: true });
    mkdirSync(join(stage, 'usr/bin'));
    symlinkSync('../lib/porter/bin/porter', join(stage, 'usr/bin/porter'));
    const docs = join(stage, 'usr/share/doc/porter');
    writeFileSync(join(docs, 'copyright'), copyright(packages, node));
    writeFileSync(join(docs, 'changelog.gz'), zipped(changelog(version, epoch)));
    const manual = join(stage, 'usr/share/man/man1/porter.1');
    writeFileSync(`${manual}.gz`, zipped(readFileSync(manual)));
    rmSync(manual);
    writePages(docs);

    const installedBytes = setModes(stage);
    writeControl(stage, { arch, version, installedBytes });
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `porter_${version}_${arch}.deb`);
    // One thread: how many a machine has must not show in the file. The first level: Node shrinks to 31 MB by it, and to
    // 27 by the sixth in five times the time.
    const how = compression === 'quick' ? ['-Zgzip', '-z1'] : ['-Zxz', '-z1', '--threads-max=1'];
    execFileSync('dpkg-deb', ['--root-owner-group', ...how, '--build', stage, file], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return { file, version, bytes: lstatSync(file).size, installedBytes };
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** Sorted, so that what is written from it is the same each time. */
const filesOf = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => !entry.isDirectory())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)))
    .sort();

const PROGRAMS = /^usr\/lib\/porter\/bin\//;
/** Passwords stand in it. */
const PRIVATE = /^etc\/porter\//;

/** Whatever the umask was. Returns the bytes of all files. */
function setModes(stage: string): number {
  chmodSync(stage, 0o755);
  let bytes = 0;
  for (const entry of readdirSync(stage, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const inside = relative(stage, path);
    bytes += lstatSync(path).size;
    if (entry.isDirectory()) chmodSync(path, 0o755);
    else if (!entry.isSymbolicLink())
      chmodSync(path, PROGRAMS.test(inside) ? 0o755 : PRIVATE.test(inside) ? 0o640 : 0o644);
  }
  return bytes;
}

function writeControl(stage: string, parts: { arch: Arch; version: string; installedBytes: number }) {
  const files = filesOf(stage);
  const control = join(stage, 'DEBIAN');
  mkdirSync(control, { mode: 0o755 });
  for (const script of ['postinst', 'prerm', 'postrm']) {
    cpSync(join(HERE, 'control', script), join(control, script));
    chmodSync(join(control, script), 0o755);
  }
  const write = (name: string, lines: readonly string[]) => {
    writeFileSync(join(control, name), `${lines.join('\n')}\n`);
    chmodSync(join(control, name), 0o644);
  };
  const kept = files.filter(file => file.startsWith('etc/'));
  write(
    'conffiles',
    kept.map(file => `/${file}`),
  );
  const md5 = (file: string) =>
    createHash('md5')
      .update(readFileSync(join(stage, file)))
      .digest('hex');
  const summed = files.filter(file => !kept.includes(file) && lstatSync(join(stage, file)).isFile());
  write(
    'md5sums',
    summed.map(file => `${md5(file)}  ${file}`),
  );
  write('control', [
    'Package: porter',
    `Version: ${parts.version}`,
    `Architecture: ${parts.arch}`,
    `Maintainer: ${MAINTAINER}`,
    `Installed-Size: ${Math.ceil(parts.installedBytes / 1024)}`,
    // GLIBC_2.35 of epoll.node, GLIBCXX_3.4.22 of koffi and of Node.
    'Depends: libc6 (>= 2.35), libgcc-s1, libstdc++6 (>= 6), libasound2 | libasound2t64, init-system-helpers (>= 1.54~), systemd (>= 247), udev',
    'Recommends: ca-certificates, libopus0, libspeexdsp1',
    'Suggests: alsa-utils',
    'Section: comm',
    'Priority: optional',
    'Description: SIP intercom, help point and paging speaker',
    " The whole device in one service: a visitor presses the button, the desk's",
    ' telephone rings, both talk, the desk keys in a code and the door opens.',
    ' .',
    ' It brings its own Node. Buttons, lamps and relays are GPIO lines, sound is an',
    ' ALSA card; the configuration is /etc/porter/porter.json or a provisioning',
    ' server.',
  ]);
}

const changelog = (version: string, epoch: number) =>
  [
    `porter (${version}) unstable; urgency=medium`,
    '',
    '  * What is new stands in CHANGELOG.md of the project.',
    '',
    ` -- ${MAINTAINER}  ${new Date(epoch * 1000).toUTCString().replace('GMT', '+0000')}`,
    '',
  ].join('\n');

/** Without a date inside. */
const zipped = (text: string | Buffer) => gzipSync(text, { level: 9 });
