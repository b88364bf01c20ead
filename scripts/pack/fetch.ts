/** Packages of npm for another processor than this machine's: fetched once, their checksum known beforehand. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { kept } from '../lib/kept.ts';

export const ROOT = resolve(import.meta.dirname, '../..');

/** As Debian names processors. */
export type Arch = 'amd64' | 'arm64';
export const ARCHITECTURES: readonly Arch[] = ['amd64', 'arm64'];
/** As Node and npm name them. */
export const nodeArch = (arch: Arch) => (arch === 'amd64' ? 'x64' : 'arm64');
export const OWN_ARCH: Arch = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** The Node that a board gets: the same for everybody, until these lines change. */
export const NODE_VERSION = '24.21.0';
const NODE_INTEGRITY: Record<Arch, string> = {
  amd64: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  arm64: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
};

/** The folder of an unpacked package. Throws where npm brings something else than `integrity` says. */
export async function fetchPackage(name: string, version: string, integrity: string): Promise<string> {
  const folder = await kept(`npm/${name.replace('/', '+')}`, version, folder => {
    process.stderr.write(`porter: fetching ${name} ${version} from npm (once) ...\n`);
    const said = execFileSync('npm', ['pack', '--json', '--loglevel=error', `${name}@${version}`], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [{ filename }] = JSON.parse(said.toString()) as [{ filename: string }];
    const file = join(folder, filename);
    const is = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
    if (is !== integrity) throw new Error(`${name} ${version} from npm has the checksum ${is}, not ${integrity}`);
    execFileSync('tar', ['-xzf', file, '--strip-components=1', '--no-same-owner'], { cwd: folder });
    rmSync(file);
  });
  return folder;
}

interface Lock {
  packages: Record<string, { version: string; integrity: string }>;
}

/** A package that the lock file names, wherever its folder is. */
export function fetchLocked(name: string): Promise<string> {
  const installed = join(ROOT, 'node_modules', name);
  if (existsSync(installed)) return Promise.resolve(installed);
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Lock;
  const entry = packages[`node_modules/${name}`];
  if (entry === undefined) throw new Error(`package-lock.json does not know ${name}`);
  return fetchPackage(name, entry.version, entry.integrity);
}

/** The folder of Node for a board: `bin/node`, `include/node`, `LICENSE`. */
export function fetchNode(arch: Arch): Promise<string> {
  const name = `node-linux-${nodeArch(arch)}`;
  const own = join(ROOT, '.cache/node/node_modules', name);
  if (existsSync(own)) {
    const { version } = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8')) as { version: string };
    if (version === NODE_VERSION) return Promise.resolve(own);
  }
  return fetchPackage(name, NODE_VERSION, NODE_INTEGRITY[arch]);
}
