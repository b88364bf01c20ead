/** Compiles `epoll` for a board. Its one source file needs no build system, and so the bits are the same each time. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kept, keyOf } from '../lib/kept.ts';
import { type Arch, fetchLocked, fetchNode, NODE_VERSION, nodeArch } from './fetch.ts';

const TRIPLE: Record<Arch, string> = { amd64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };
/** Debian's package of the compiler for this processor. */
export const COMPILER_PACKAGE: Record<Arch, string> = { amd64: 'g++-x86-64-linux-gnu', arm64: 'g++-aarch64-linux-gnu' };

const FLAGS = [
  '-shared',
  '-fPIC',
  '-O2',
  '-s',
  // Node 24's headers need it.
  '-std=gnu++20',
  '-w',
  '-DBUILDING_NODE_EXTENSION',
  '-DNODE_GYP_MODULE_NAME=epoll',
  '-D_FILE_OFFSET_BITS=64',
  '-fstack-protector-strong',
  '-Wl,-z,relro,-z,now',
  // A board needs no more than its C library.
  '-static-libgcc',
  '-static-libstdc++',
];

/** The file `epoll.node`. */
export async function buildEpoll(arch: Arch): Promise<string> {
  const compiler = `${TRIPLE[arch]}-g++`;
  const [epoll, nan] = await Promise.all([fetchLocked('epoll'), fetchLocked('nan')]);
  const source = join(epoll, 'src/epoll.cc');
  const versionOf = (folder: string) => readFileSync(join(folder, 'package.json'), 'utf8');
  let compilerVersion: string;
  try {
    compilerVersion = execFileSync(compiler, ['--version']).toString();
  } catch {
    throw new Error(`the compiler ${compiler} is missing; on Debian: apt-get install ${COMPILER_PACKAGE[arch]}`);
  }
  const key = keyOf(readFileSync(source), versionOf(nan), NODE_VERSION, compilerVersion, ...FLAGS);
  const folder = await kept(`native/epoll-${nodeArch(arch)}`, key, async into => {
    const headers = join(await fetchNode(arch), 'include/node');
    if (!existsSync(join(headers, 'node.h'))) throw new Error(`${headers} has no headers`);
    const includes = [headers, nan].flatMap(path => ['-I', path]);
    // Run where the source is, so that no path of this machine ends in the file.
    execFileSync(compiler, [...FLAGS, ...includes, 'epoll.cc', '-o', join(into, 'epoll.node')], {
      cwd: join(epoll, 'src'),
      stdio: 'inherit',
    });
  });
  return join(folder, 'epoll.node');
}
