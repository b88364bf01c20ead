/**
 * What a board gets. The firmware is joined to a few files by esbuild; packages that open files of their own (native
 * parts, WebAssembly) stay packages beside it, cut down to what is loaded.
 */
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';
import { V8_FLAGS } from '../v8-flags.ts';
import { type Arch, fetchLocked, nodeArch, OWN_ARCH, ROOT } from './fetch.ts';
import { buildEpoll } from './native.ts';

interface KeptPackage {
  name: string;
  /** Beside its package.json and licence. */
  files: readonly string[];
}

const keptPackages = (arch: Arch): readonly KeptPackage[] => [
  { name: 'koffi', files: ['index.cjs', 'src/koffi/index.cjs', 'src/koffi/src/static.cjs'] },
  {
    name: `@koromix/koffi-linux-${nodeArch(arch)}`,
    files: ['index.js', `linux_${nodeArch(arch)}/koffi.node`],
  },
  { name: 'epoll', files: ['epoll.js'] },
  { name: 'bindings', files: ['bindings.js'] },
  { name: 'file-uri-to-path', files: ['index.js'] },
  { name: 'onoff', files: ['onoff.js'] },
  { name: 'lodash.debounce', files: ['index.js'] },
  {
    name: '@ennuicastr/webrtcaec3.js',
    files: ['license.js', 'dist/webrtcaec3-0.3.0.js', 'dist/webrtcaec3-0.3.0.wasm'],
  },
];

/** The sound driver `packages`: only as scripts/native has built it, for this machine. The driver `alsa` needs none. */
const SOUND_PACKAGES: readonly KeptPackage[] = [
  { name: 'alsa-capture', files: ['index.js', 'build/Release/capture.node'] },
  { name: 'eventemitter3', files: ['index.js'] },
  { name: 'speaker', files: ['index.js', 'build/Release/binding.node'] },
  { name: 'buffer-alloc', files: ['index.js'] },
  { name: 'buffer-alloc-unsafe', files: ['index.js'] },
  { name: 'buffer-fill', files: ['index.js'] },
  { name: 'debug', files: ['src/index.js', 'src/node.js', 'src/common.js'] },
  { name: 'ms', files: ['index.js'] },
];

/** What is started as a program or a thread of its own. */
const ENTRIES = ['firmware/main.ts', 'firmware/media/worker.ts', 'hal/audio/packages-child.ts'];
export const LICENCE = /^(licen[cs]e|copying|notice|third_party_notices)(\.|$)/i;

/** Node is looked for beside the bundle first: a package brings its own. */
const LAUNCHER = `#!/bin/sh
# The device and its command line: porter run, porter status, ...
set -eu
bin=$(dirname -- "$(readlink -f -- "$0")")
node=$bin/node
[ -x "$node" ] || node=node
exec "$node" ${V8_FLAGS.join(' ')} "$bin/../firmware/main.js" "$@"
`;

export interface Bundle {
  arch: Arch;
  folder: string;
  /** Bytes by part, the largest first. */
  parts: { part: string; bytes: number }[];
  bytes: number;
  /** Every npm package that has a line in it, by its folder. */
  packages: string[];
}

export interface BundleOptions {
  arch: Arch;
  folder: string;
  soundPackages?: boolean;
}

/** Writes `folder` anew. */
export async function makeBundle({ arch, folder, soundPackages = false }: BundleOptions): Promise<Bundle> {
  if (soundPackages && arch !== OWN_ARCH)
    throw new Error(`alsa-capture and speaker are built for ${OWN_ARCH} only: leave out --sound-packages`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'bin'), { recursive: true });
  const sizes = new Map<string, number>();
  const add = (part: string, bytes: number) => sizes.set(part, (sizes.get(part) ?? 0) + bytes);

  const metafile = await joinFirmware(join(folder, 'firmware'));
  for (const [part, bytes] of bytesByPart(metafile)) add(part, bytes);
  const packages = packageFolders(metafile);

  const kept = [...keptPackages(arch), ...(soundPackages ? SOUND_PACKAGES : [])];
  for (const { name, files } of kept) {
    const from = await fetchLocked(name);
    packages.add(from);
    const licences = readdirSync(from).filter(file => LICENCE.test(file));
    for (const file of ['package.json', ...licences, ...files])
      add(name, copy(join(from, file), join(folder, 'node_modules', name, file)));
  }
  add('epoll', copy(await buildEpoll(arch), join(folder, 'node_modules/epoll/build/Release/epoll.node')));

  writeFileSync(join(folder, 'bin/porter'), LAUNCHER, { mode: 0o755 });
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(ownPackage())}\n`);
  const parts = [...sizes].map(([part, bytes]) => ({ part, bytes })).sort((a, b) => b.bytes - a.bytes);
  return {
    arch,
    folder,
    parts,
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    packages: [...packages].sort(),
  };
}

async function joinFirmware(folder: string): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ENTRIES,
    entryNames: '[name]',
    chunkNames: 'part-[hash]',
    outdir: folder,
    bundle: true,
    // Threads share what both load, and the command line does not read what only the device runs.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: ['@ennuicastr/webrtcaec3.js'],
    // So that a folder of packages elsewhere makes the same bits.
    preserveSymlinks: true,
    plugins: [withoutLanguages],
    // Packages written for CommonJS ask for Node's own modules by `require`.
    banner: {
      js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
    },
    // A stack in a log still names functions and lines; licences travel in a file of their own.
    minifySyntax: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  return metafile;
}

/** zod brings its messages in forty languages; ours are our own. */
const withoutLanguages: Plugin = {
  name: 'without languages',
  setup: ({ onLoad }) => onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({ contents: 'export {}' })),
};

/** Of the joined files: by npm package, or by room of the project. */
function bytesByPart({ outputs }: Metafile): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { inputs } of Object.values(outputs))
    for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
      const part = partOf(file);
      sizes.set(part, (sizes.get(part) ?? 0) + bytesInOutput);
    }
  return sizes;
}

function packageFolders({ outputs }: Metafile): Set<string> {
  const used = Object.values(outputs).flatMap(({ inputs }) =>
    Object.keys(inputs).filter(file => inputs[file]!.bytesInOutput > 0),
  );
  const folders = used.flatMap(file => file.match(/.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? []);
  return new Set(folders.map(folder => join(ROOT, folder)));
}

function partOf(file: string): string {
  const inPackage = file.split('node_modules/').at(-1)!;
  if (inPackage !== file) return inPackage.split('/', inPackage.startsWith('@') ? 2 : 1).join('/');
  const [room, second] = file.split('/');
  return room === 'firmware' && !second!.endsWith('.ts') ? `${room}/${second}` : room!;
}

/** Returns the bytes of the file. */
function copy(from: string, to: string): number {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { dereference: true });
  chmodSync(to, 0o644);
  return statSync(to).size;
}

function ownPackage() {
  const { name, version, license } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<
    string,
    string
  >;
  return { name, version, license, type: 'module' };
}

/** For a person: what is in it, down to the parts that matter. */
export function describeBundle({ arch, folder, parts, bytes }: Bundle): string {
  const shown = parts.filter(part => part.bytes >= SHOWN_BYTES);
  const rest = parts.slice(shown.length).reduce((sum, part) => sum + part.bytes, 0);
  const line = (size: number, what: string) => `${(size / 1000).toFixed(0).padStart(8)} kB  ${what}`;
  return [
    ...shown.map(part => line(part.bytes, part.part)),
    line(rest, `${parts.length - shown.length} smaller parts`),
    line(bytes, `in all, for ${arch}: ${relative(process.cwd(), folder) || '.'}`),
  ].join('\n');
}
const SHOWN_BYTES = 50_000;
