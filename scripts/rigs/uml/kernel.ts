/** The kernel of the rig: built from Debian's linux-source for User-Mode Linux, and kept by what it was built from. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { kept, keyOf } from '../../lib/kept.ts';
import { runStep } from '../../lib/step.ts';
import { mustHave, RigError } from '../lib/missing.ts';

const SOURCES = '/usr/src';
const CONFIG = join(import.meta.dirname, 'kernel.config');
/** Raised when the steps below change what comes out. */
const RECIPE = 1;
/** Lines of the build's own words that a failure quotes. */
const QUOTED_LINES = 25;

const TOOLS = {
  gcc: 'gcc',
  make: 'make',
  flex: 'flex',
  bison: 'bison',
  bc: 'bc',
  xz: 'xz-utils',
  '/usr/include/libelf.h': 'libelf-dev',
  '/usr/include/openssl/ssl.h': 'libssl-dev',
};

export interface RigKernel {
  /** The kernel, a program of this machine. */
  program: string;
  /** What it was built from: `linux-source-6.1`. */
  source: string;
}

/** Builds it where it is not kept yet, which takes minutes. Throws RigError with what is missing. */
export async function rigKernel(say: (line: string) => void): Promise<RigKernel> {
  const archive = newestSource();
  const source = basename(archive).replace(/\.tar\.\w+$/, '');
  const { size, mtimeMs } = statSync(archive);
  const key = keyOf(String(RECIPE), source, String(size), String(mtimeMs), readFileSync(CONFIG));
  const folder = await kept('uml-kernel', key, into => build({ archive, source, into, say }));
  return { program: join(folder, 'linux'), source };
}

function newestSource(): string {
  const archives = list(SOURCES).filter(name => /^linux-source-[\d.]+\.tar\.xz$/.test(name));
  const byVersion = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true });
  const newest = archives.sort(byVersion).at(-1);
  if (newest !== undefined) return join(SOURCES, newest);
  throw new RigError(
    `the rig uml lacks the kernel's source (${SOURCES}/linux-source-*.tar.xz); run: sudo apt-get install --no-install-recommends linux-source`,
  );
}

async function build(parts: { archive: string; source: string; into: string; say: (line: string) => void }) {
  const { archive, source, into, say } = parts;
  mustHave('uml', TOOLS);
  say(`building the rig's kernel from ${source} (about 5 minutes, once) ...`);
  const beganMs = performance.now();
  const work = join(into, 'work');
  mkdirSync(work);
  const log: string[] = [];
  // Another's kernel settings are not ours.
  const env = { PATH: process.env.PATH, HOME: work, LC_ALL: 'C' };
  const step = async (doing: string, command: string, args: string[], cwd = work) => {
    const { code, output } = await runStep(command, args, { cwd, env });
    log.push(`--- ${doing}: ${command} ${args.join(' ')}`, output);
    if (code === 0) return;
    const words = output.trim().split('\n').slice(-QUOTED_LINES).join('\n');
    throw new RigError(`the rig's kernel cannot be built, ${doing} failed:\n${words}`);
  };
  await step('unpacking', 'tar', ['--extract', '--file', archive, '--strip-components=1']);
  const kconfig = join(work, 'sound/Kconfig');
  writeFileSync(kconfig, withSound(readFileSync(kconfig, 'utf8')));
  const make = (doing: string, ...args: string[]) => step(doing, 'make', ['ARCH=um', ...args]);
  await make('configuring', 'allnoconfig', `KCONFIG_ALLCONFIG=${CONFIG}`);
  const lacking = notTaken(readFileSync(CONFIG, 'utf8'), readFileSync(join(work, '.config'), 'utf8'));
  if (lacking.length > 0) throw new RigError(`${source} does not take ${lacking.join(', ')}: change ${CONFIG}`);
  await make('compiling', `-j${availableParallelism()}`, 'linux');
  copyFileSync(join(work, 'linux'), join(into, 'linux'));
  await step('stripping', 'strip', [join(into, 'linux')], into);
  copyFileSync(join(work, '.config'), join(into, 'config'));
  writeFileSync(join(into, 'build.log'), log.join('\n'));
  rmSync(work, { recursive: true });
  say(`the kernel was built in ${Math.round((performance.now() - beganMs) / 1000)} s`);
}

/** `sound/Kconfig` leaves all of ALSA out of User-Mode Linux, though snd-aloop needs nothing that it lacks. */
const withSound = (kconfig: string) => kconfig.replace(/^if !UML$/m, '').replace(/^endif # !UML$/m, '');

/** Options that the kernel's own rules have thrown out. */
const notTaken = (asked: string, taken: string) =>
  asked
    .split('\n')
    .map(line => /^(CONFIG_\w+)=[^n]/.exec(line)?.[1])
    .filter(option => option !== undefined && !taken.includes(`\n${option}=`));

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
