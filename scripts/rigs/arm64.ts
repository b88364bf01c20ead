/** The bundle and the package on Debian's kernel for arm64, in QEMU: a call, its sound card pulled, its watchdog. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { arm64System } from './arm64/system.ts';
import { RigError } from './lib/missing.ts';

const USAGE = `Usage: scripts/rig arm64 [--disk] [--unit [FILTER ...]]

Boots Debian's arm64 kernel in QEMU with the bundle that a board gets, presses a line of its GPIO chip, and has a call
with a telephone on this machine; then the same with systemd and the package. Prints what it measured. The disk is made
from Debian's and npm's packages once (a minute, mostly downloads), and kept in ~/.cache/porter.
Then Node for arm64 runs the unit tests of what touches native code and bytes.
  --disk   only makes the disk and says where it is
  --unit   only the unit tests on arm64, and all of them: about an hour
  FILTER   of these only the test files whose path contains it: test/unit/hal/
`;

const say = (line: string) => process.stderr.write(`porter: ${line}\n`);

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' }, disk: { type: 'boolean' }, unit: { type: 'boolean' } },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const { disk, release } = await arm64System(say);
  if (values.disk) {
    process.stdout.write(`${disk} (Linux ${release})\n`);
    return 0;
  }
  const root = join(import.meta.dirname, '../..');
  const { status } = spawnSync(
    join(root, 'node_modules/.bin/vitest'),
    ['run', '--project=timeless', '--project=rigs', values.unit ? 'test/rigs/arm64-units' : 'test/rigs/arm64'],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, PORTER_RIG: 'arm64', ...(values.unit && { PORTER_RIG_UNITS: positionals.join(' ') }) },
    },
  );
  return status ?? 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const expected = error instanceof RigError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  process.stderr.write(`scripts/rig arm64: ${expected ? (error as Error).message : (error as Error).stack}\n`);
  process.exitCode = 2;
}
