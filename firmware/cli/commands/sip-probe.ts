/** `porter sip probe`: asks a server with OPTIONS, and says how far that went. */
import { Option } from 'commander';
import { parseConfig } from '../../config/parse.ts';
import type { ProbeRequest, ProbeResult } from '../../controller/sip-probe.ts';
import { resolveConfigFile } from '../config-file.ts';
import { type AddCommand, type CliEnvironment, CliError, EXIT_FAILED, EXIT_USAGE } from '../environment.ts';
import { which, withDevice } from '../running-device.ts';
import { showProbe } from '../show-probe.ts';
import { plain } from '../text.ts';

/** Four servers, each looked at and asked, after a name server that takes its time. Milliseconds. */
const ANSWER_WITHIN_MS = 60_000;

interface Options {
  account?: string;
  transport?: 'udp' | 'tcp' | 'tls';
  json?: true;
  alone?: true;
  config?: string;
}

const details = `
TARGET is a contact, an account (then its server is asked), a SIP URI, or a host
with or without a port. The running device asks, from its own ports. The exit
code is 0 where it can be reached, else 1.`;

export const addSipProbe: AddCommand = (sip, environment) => {
  sip
    .command('probe <target>')
    .description('say how far the way to a server goes: name, TLS, answer')
    .option('--account <name>', 'whose password answers when one is wanted')
    .addOption(new Option('--transport <name>', 'where neither the target nor DNS says').choices(['udp', 'tcp', 'tls']))
    .option('--alone', 'ask from here, without a device')
    .option('--config <file>', 'with --alone: its accounts, contacts, certificates')
    .option('--json', 'everything, for a program')
    .addHelpText('after', details)
    .action(async (target: string, { account, transport, json, alone, config }: Options, command) => {
      if (config !== undefined && !alone) throw new CliError(EXIT_USAGE, '--config counts only with --alone');
      const request: ProbeRequest = { target, account, transport };
      const probed = alone
        ? await askAlone(request, config, environment)
        : ((await withDevice(which(command), environment, client =>
            client.call('sip.probe', request, ANSWER_WITHIN_MS),
          )) as ProbeResult | { why: string });
      if ('why' in probed) throw new CliError(EXIT_FAILED, plain(probed.why));
      environment.out(json ? `${JSON.stringify(probed, null, 2)}\n` : `${showProbe(probed).join('\n')}\n`);
      if (!probed.reached) throw new CliError(EXIT_FAILED, `${plain(target)} cannot be reached as asked`);
    });
};

async function askAlone(request: ProbeRequest, file: string | undefined, environment: CliEnvironment) {
  const read = file === undefined ? parseConfig({}) : await resolveConfigFile(file, environment);
  if ('problems' in read) throw new CliError(EXIT_FAILED, `${file}: not sound; \`porter config check\` says why`);
  if (environment.probe === undefined) throw new CliError(EXIT_FAILED, 'nothing can be asked from here');
  return environment.probe(request, read.config);
}
