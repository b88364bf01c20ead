/** The command `scripts/package`. */
import { relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { makePackage, ofCommit } from './pack/deb.ts';
import { ARCHITECTURES, ROOT } from './pack/fetch.ts';

const help = `Usage: scripts/package [--arch amd64|arm64] [--out FOLDER] [--json]

Makes porter_VERSION_ARCH.deb for Debian 12 and newer and for Raspberry Pi OS (64-bit).
The same commit makes the same file.

  --arch   for this processor only (default: one package for each)
  --out    where to (default: out)
  --json   prints what it made as JSON
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string' },
      out: { type: 'string', default: 'out' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const wanted = ARCHITECTURES.filter(arch => values.arch === undefined || arch === values.arch);
  if (wanted.length === 0) throw new Error(`--arch is ${ARCHITECTURES.join(' or ')}, not ${values.arch}`);
  const commit = ofCommit();
  const made = [];
  for (const arch of wanted) made.push(await makePackage({ arch, folder: resolve(ROOT, values.out), ...commit }));
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  const lines = made.map(
    ({ file, bytes, installedBytes }) =>
      `${relative(process.cwd(), file)}: ${megabytes(bytes)}, installed ${megabytes(installedBytes)}`,
  );
  process.stdout.write(`${values.json ? JSON.stringify(made) : lines.join('\n')}\n`);
  return 0;
}

process.exitCode = await main().catch((error: Error) => {
  process.stderr.write(`scripts/package: ${error.message}\n`);
  return 1;
});
