/** The command `scripts/bundle`. */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { describeBundle, makeBundle } from './pack/bundle.ts';
import { ARCHITECTURES, OWN_ARCH, ROOT } from './pack/fetch.ts';

const help = `Usage: scripts/bundle [--arch amd64|arm64] [--out FOLDER] [--sound-packages] [--json]

Makes the folder that a board gets: the firmware as a few files of JavaScript, and the native parts for its processor.
Run it with Node 24: FOLDER/bin/porter run --config porter.json --state state

  --arch            the board's processor (default: this machine's)
  --out             where to (default: out/bundle-ARCH); what is there is replaced
  --sound-packages  brings the sound driver "packages" too, as scripts/native has built it for this machine
  --json            prints what it made as JSON
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string', default: OWN_ARCH },
      out: { type: 'string' },
      'sound-packages': { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const arch = ARCHITECTURES.find(each => each === values.arch);
  if (arch === undefined) throw new Error(`--arch is ${ARCHITECTURES.join(' or ')}, not ${values.arch}`);
  const bundle = await makeBundle({
    arch,
    folder: resolve(values.out ?? join(ROOT, `out/bundle-${arch}`)),
    ...(values['sound-packages'] && { soundPackages: true }),
  });
  process.stdout.write(`${values.json ? JSON.stringify(bundle) : describeBundle(bundle)}\n`);
  return 0;
}

process.exitCode = await main().catch((error: Error) => {
  process.stderr.write(`scripts/bundle: ${error.message}\n`);
  return 1;
});
