/** `provisioning/server/main.ts`: serves a folder of documents to a fleet, or checks it. */
import { readFile } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import { checkAction } from '../../firmware/io/actions.ts';
import { wallClock } from '../../firmware/lib/clock.ts';
import { systemLog } from '../../firmware/lib/log.ts';
import { checkFolder } from './check-folder.ts';
import { DocumentFolder } from './folder.ts';
import { ProvisioningServer } from './server.ts';

interface Options {
  folder: string;
  host: string;
  port: number;
  cert?: string;
  key?: string;
  adminTokenFile?: string;
  check?: boolean;
}

const layout = `
The folder:
  site.json             { "config": { … } }                 for every device
  groups/<group>.json   { "config": { … } }                 for the devices of a group
  devices/<id>.json     { "group": "…", "token": "…", "config": { … } }   one device; each member may be left out

A later file wins over an earlier one, member by member; null takes a setting back; lists are replaced (RFC 7396).
Files are read at each request: an edit counts at once. Run --check before.

It answers
  GET /v1/devices/<id>/config   the merged document, with an ETag
  GET /v1/devices               who is there, what each runs and when it was last seen`;

const program = new Command('porter-provisioning')
  .description('Gives each device of a fleet its configuration, from a folder of JSON files.')
  .requiredOption('--folder <path>', 'the folder of documents')
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .option('--port <number>', 'port to listen on; 0 takes any free one', port, 8080)
  .option('--cert <file>', 'PEM certificate: serve https')
  .option('--key <file>', 'PEM key of the certificate')
  .option('--admin-token-file <file>', 'a token that opens the inventory; without it only this machine may read it')
  .option('--check', 'check the document of every device, print what is wrong, and end')
  .addHelpText('after', layout);

await main(program.parse().opts<Options>());

async function main(options: Options): Promise<void> {
  try {
    if (options.check) await check(options);
    else await serve(options);
  } catch (error) {
    program.error(`porter-provisioning: ${(error as Error).message}`);
  }
}

async function check({ folder }: Options): Promise<void> {
  const { devices, problems, notes } = await checkFolder(new DocumentFolder(folder), { checkAction });
  for (const line of problems) console.log(line);
  for (const line of notes) console.log(`note: ${line}`);
  const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`;
  console.log(`${count(devices, 'device')}, ${count(problems.length, 'problem')}`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

async function serve({ folder: path, host, port, cert, key, adminTokenFile }: Options): Promise<void> {
  if ((cert === undefined) !== (key === undefined)) throw new Error('--cert and --key go together');
  const folder = new DocumentFolder(path);
  await folder.devices();
  const log = systemLog('info').log.part('provisioning');
  const server = new ProvisioningServer(
    {
      folder,
      host,
      port,
      ...(cert !== undefined && key !== undefined && { tls: { cert: await readFile(cert), key: await readFile(key) } }),
      ...(adminTokenFile !== undefined && { adminToken: (await readFile(adminTokenFile, 'utf8')).trim() }),
    },
    wallClock,
    log,
  );
  const url = await server.start();
  log.info('serving', { url, folder: path });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.stop());
}

function port(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > 65_535) throw new InvalidArgumentError('a port is a number from 0 to 65535.');
  return number;
}
