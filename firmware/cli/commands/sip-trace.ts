/** `porter sip trace`: the ladder of what goes over the network, live. */
import type { Status } from '../../controller/contracts.ts';
import { notADuration, parseDuration } from '../../lib/duration.ts';
import type { RpcClient } from '../../rpc/client.ts';
import type { TracedMessage, TracedPackets } from '../../rpc/trace.ts';
import { type AddCommand, type CliEnvironment, CliError, EXIT_FAILED, EXIT_USAGE } from '../environment.ts';
import { Capture } from '../pcap/capture.ts';
import { CaptureFile } from '../pcap/capture-file.ts';
import { which, withDevice } from '../running-device.ts';
import { byteSize, count, plain } from '../text.ts';
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
  pcap?: string;
  rtp: boolean;
  mask?: true;
  max: string;
}

const details = `
Each arrow is a message: to the right what the device says, to the left what it
hears. Dotted arrows say nothing new: repetitions and keep-alives. #1, #2 tell
calls apart. Passwords, digest answers and keys are always masked here.

--pcap writes the same messages, and the sound of all calls, for Wireshark; no
root is needed. Messages stand in it as they were, secrets included, what TLS
hid too; --mask takes the secrets out. The sound, and keys dialled into it, stay:
leave them away with --no-rtp.`;

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
    .option('--pcap <file>', 'also write a pcapng file, for Wireshark')
    .option('--mask', 'take the secrets out of that file too')
    .option('--no-rtp', 'leave the sound out of it')
    .option('--max <size>', 'end when the file has this size', '100 MB')
    .addHelpText('after', details)
    .action(async (options: Options, command) => {
      const forMs = durationOf(options.for);
      const maxBytes = sizeOf(options.max);
      await withDevice(which(command), environment, async client => {
        const { device, accounts } = (await client.call('status')) as Status;
        const filter = filterOf(options, accounts);
        const show = printer(options, device.name, environment);
        const capture = captureOf(options, maxBytes, environment);
        const reader = new Reader();
        let missed = 0;
        const take = (method: string, params: unknown) => {
          if (method === 'rtp') return capture?.packets(params as TracedPackets);
          const traced = params as TracedMessage;
          const seen = reader.read(traced);
          // Also those before a message that is not wanted.
          missed += traced.missed ?? 0;
          if (!filter.passes(seen)) return;
          show(seen, missed);
          capture?.message(seen, missed);
          missed = 0;
        };
        let ended: 'done' | 'gone';
        try {
          const following = follow(client, environment, forMs, (method, params) => {
            take(method, params);
            return capture?.isFull !== true;
          });
          await Promise.race([client.call('sip.trace', { rtp: capture !== undefined && options.rtp }), following]);
          ended = await following;
        } finally {
          capture?.close();
        }
        if (capture) environment.err(`${capture.summary(options)}\n`);
        if (ended === 'gone') throw new CliError(EXIT_FAILED, 'the device has gone: it stopped, or was stopped');
      });
    });
};

/**
 * Hands on what the device tells until `take` says no, the time is over, somebody interrupts, or the device goes. Rejects
 * with what `take` throws.
 */
function follow(
  client: RpcClient,
  { signal, clock }: CliEnvironment,
  forMs: number | undefined,
  take: (method: string, params: unknown) => boolean,
): Promise<'done' | 'gone'> {
  return new Promise((resolve, reject) => {
    const cancel = forMs === undefined ? () => {} : clock.after(forMs, () => end('done'), 'end of the trace');
    const end = (how: 'done' | 'gone') => {
      cancel();
      client.onNotification = () => {};
      resolve(how);
    };
    client.onClose = () => end('gone');
    signal?.addEventListener('abort', () => end('done'), { once: true });
    client.onNotification = (method, params) => {
      try {
        if (!take(method, params)) end('done');
      } catch (error) {
        reject(error);
        end('done');
      }
    };
  });
}

function captureOf({ pcap, mask }: Options, maxBytes: number, { version }: CliEnvironment): Capture | undefined {
  if (pcap === undefined) return undefined;
  return new Capture(new CaptureFile(pcap, maxBytes, `Porter ${version}`), mask === true);
}

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

function sizeOf(text: string): number {
  const bytes = byteSize(text);
  if (bytes === undefined) throw new CliError(EXIT_USAGE, `--max: ${plain(text)} is no size; write 10 MB or 500 kB`);
  return bytes;
}

function printer({ full, json }: Options, device: string, { out }: CliEnvironment) {
  const ladder = new Ladder({ device, full: full === true });
  return (seen: Seen, missed: number) => {
    if (json) return out(`${JSON.stringify({ ...asJson(seen), ...(missed > 0 && { missed }) })}\n`);
    if (missed > 0) out(`${count(missed, 'message')} not shown: they came too fast\n`);
    out(`${ladder.lines(seen).join('\n')}\n`);
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
