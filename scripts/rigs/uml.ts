/** The drivers and the whole device on a Linux kernel of its own (User-Mode Linux): lines, sound card, watchdog, weeks. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { RigError } from './lib/missing.ts';
import { rigKernel } from './uml/kernel.ts';

const USAGE = `Usage: scripts/rig uml [--days N] [--kernel] [FILTER ...]

Boots a kernel with simulated GPIO chips (gpio-sim), a sound card that loops back (snd-aloop) and a watchdog (softdog),
and runs the firmware in it. The kernel is built from Debian's linux-source once, and kept in ~/.cache/porter.
  --days N    days that the long run lives through (default 2)
  --kernel    only builds the kernel and says where it is
  FILTER      only these test files: hal, device, power, watchdog, days, measured
`;

const say = (line: string) => process.stderr.write(`porter: ${line}\n`);

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      days: { type: 'string' },
      kernel: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const { days } = values;
  if (days !== undefined && !/^[1-9]\d{0,2}$/.test(days)) throw new RigError(`--days takes 1 to 999, not ${days}`);
  const { program, source } = await rigKernel(say);
  if (values.kernel) {
    process.stdout.write(`${program} (${source})\n`);
    return 0;
  }
  const root = join(import.meta.dirname, '../..');
  const filters = positionals.length > 0 ? positionals.map(part => `test/rigs/uml-${part}`) : ['test/rigs/uml'];
  const { status } = spawnSync(
    join(root, 'node_modules/.bin/vitest'),
    ['run', '--project=timeless', '--project=rigs', ...filters],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, ...(days !== undefined && { PORTER_RIG_DAYS: days }) },
    },
  );
  return status ?? 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const expected = error instanceof RigError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  process.stderr.write(`scripts/rig uml: ${expected ? (error as Error).message : (error as Error).stack}\n`);
  process.exitCode = 2;
}
