/** `porter sip trace`: the ladder of what goes over the network, live. */
import type { Status } from '../../controller/contracts.ts';
import { notADuration, parseDuration } from '../../lib/duration.ts';
import type { TracedMessage } from '../../rpc/trace.ts';
import { type AddCommand, type CliEnvironment, CliError, EXIT_FAILED, EXIT_USAGE } from '../environment.ts';
import { which, withDevice } from '../running-device.ts';
import { count, plain } from '../text.ts';
import { Ladder } from '../trace/ladder.ts';
import { maskMessage } from '../trace/mask.ts';
import { Filter, Reader, type Seen } from '../trace/seen.ts';

interface Options {
  call?: string;
  account?: string;
  method?: string;
  full?: true;
  json?: true;
  for?: string;
}

const details = `
Each arrow is a message: to the right what the device says, to the left what it
hears. Dotted arrows say nothing new: repetitions and keep-alives. #1, #2 tell
calls apart. Passwords, digest answers and keys are always masked.`;

export const addSipTrace: AddCommand = (sip, environment) => {
  sip
    .command('trace')
    .description('show the SIP messages as they go by, until interrupted')
    .option('--call <id>', 'only the call whose Call-ID begins so')
    .option('--account <name>', 'only what concerns this account')
    .option('--method <name>', 'only this method and its answers: INVITE')
    .option('--full', 'each message whole')
    .option('--json', 'one JSON object a line')
    .option('--for <time>', 'stop after this long: 30s')
    .addHelpText('after', details)
    .action(async (options: Options, command) => {
      const forMs = durationOf(options.for);
      await withDevice(which(command), environment, async client => {
        const { device, accounts } = (await client.call('status')) as Status;
        const show = printer(options, device.name, filterOf(options, accounts), environment);
        let cancel = () => {};
        const gone = new Promise<boolean>(resolve => {
          client.onClose = () => resolve(true);
          environment.signal?.addEventListener('abort', () => resolve(false), { once: true });
          if (forMs !== undefined) cancel = environment.clock.after(forMs, () => resolve(false), 'end of the trace');
        });
        client.onNotification = (_method, params) => show(params as TracedMessage);
        await client.call('sip.trace');
        const isGone = await gone;
        cancel();
        if (isGone) throw new CliError(EXIT_FAILED, 'the device has gone: it stopped, or was stopped');
      });
    });
};

function durationOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms === undefined) throw new CliError(EXIT_USAGE, `--for: ${plain(text)} ${notADuration}`);
  return ms;
}

function filterOf({ call, account, method }: Options, accounts: Status['accounts']): Filter {
  const aor = account === undefined ? undefined : accounts[account]?.aor;
  if (account !== undefined && aor === undefined) {
    const known = Object.keys(accounts).join(', ');
    const existing = known === '' ? 'there are none' : `there are: ${known}`;
    throw new CliError(EXIT_FAILED, `there is no account "${plain(account)}"; ${existing}`);
  }
  return new Filter({
    ...(call !== undefined && { call }),
    ...(aor !== undefined && { aor }),
    ...(method !== undefined && { method }),
  });
}

function printer({ full, json }: Options, device: string, filter: Filter, { out }: CliEnvironment) {
  const reader = new Reader();
  const ladder = new Ladder({ device, full: full === true });
  return (traced: TracedMessage) => {
    const seen = reader.read(traced);
    if (traced.missed !== undefined && !json) out(`${count(traced.missed, 'message')} not shown: they came too fast\n`);
    if (!filter.passes(seen)) return;
    if (json) out(`${JSON.stringify({ ...asJson(seen), ...(traced.missed && { missed: traced.missed }) })}\n`);
    else out(`${ladder.lines(seen).join('\n')}\n`);
  };
}

/** For a program: what a line of the ladder tells, and the message itself, secrets masked. */
function asJson({ atMs, way, transport, local, remote, is, call, method, message, why, again, bytes }: Seen) {
  return {
    ts: new Date(atMs).toISOString(),
    way,
    transport,
    local,
    remote,
    is,
    ...(call !== undefined && { call }),
    ...(method !== undefined && { method }),
    ...(message?.kind === 'response' && { status: message.status, reason: message.reason }),
    ...(why !== undefined && { why }),
    again,
    ...(is !== 'keep-alive' && { text: Buffer.from(maskMessage(bytes)).toString('utf8') }),
  };
}
