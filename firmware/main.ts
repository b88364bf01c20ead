/**
 * The process: arguments, environment, signals. The only file that knows everything: it gives the device its clock, its
 * chance, its sockets and its threads, and from here on nobody asks the machine for them.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import mqtt from 'mqtt';
import { findBoard } from '../hal/boards/catalog.ts';
import { ProvisioningClient, printStatus } from '../provisioning/client/client.ts';
import { CliError, EXIT_FAILED, type RunOptions } from './cli/environment.ts';
import { runCli } from './cli/program.ts';
import { PorterDevice, type ProvisioningSpec } from './device.ts';
import { systemClock, wallClock } from './lib/clock.ts';
import { type Log, type LogLevel, systemLog } from './lib/log.ts';
import { systemRandom } from './lib/random.ts';
import { MediaThread } from './media/thread.ts';
import { systemResolve } from './sip/locate.ts';
import { UdpSocket } from './sip/transport/udp.ts';

const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../package.json'), 'utf8')) as {
  version: string;
};

/** Where the device keeps its state unless told otherwise: as a service, and from a folder of one's own. */
const SYSTEM_STATE = '/var/lib/porter';

async function run({ config, state, log: level }: RunOptions): Promise<void> {
  const { log, setLevel } = systemLog((level ?? 'info') as LogLevel);
  const device = new PorterDevice({
    clock: systemClock,
    wallClock,
    random: systemRandom,
    log,
    version,
    resolve: systemResolve,
    openSocket: listen => new UdpSocket(listen),
    openMedia: settings => new MediaThread({ settings, clock: systemClock, log: log.part('media') }),
    connectMqtt: mqtt.connect,
    openProvisioning: spec => openProvisioning(spec, log),
    // The command line's word counts against the configuration's.
    onLogLevel: configured => level === undefined && setLevel(configured),
    configFile: resolve(config),
    stateDirectory: resolve(state ?? SYSTEM_STATE),
  });
  const ended = new Promise<string>(end => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end(signal));
  });
  await device.start().catch((error: Error) => {
    throw new CliError(EXIT_FAILED, error.message);
  });
  const signal = await ended;
  log.info('stopping', { signal });
  await device.stop();
}

function openProvisioning({ config, store, current, onDocument, onStatus }: ProvisioningSpec, log: Log) {
  const { url, token, interval, timeout } = config.provisioning;
  return new ProvisioningClient(
    {
      url: url!,
      deviceId: config.device.id,
      ...(token !== undefined && { token }),
      intervalMs: interval,
      timeoutMs: timeout,
      userAgent: `porter/${version} (${config.board.name}; ${config.device.id})`,
    },
    {
      fetch: (address, init) => fetch(address, init),
      clock: systemClock,
      wallClock,
      random: systemRandom,
      log: log.part('provisioning'),
      store,
      onDocument,
      onStatus: status => onStatus(printStatus(status)),
    },
    current,
  );
}

const interrupted = new AbortController();
if (process.argv[2] !== 'run') process.once('SIGINT', () => interrupted.abort());

process.exitCode = await runCli(process.argv.slice(2), {
  out: text => process.stdout.write(text),
  err: text => process.stderr.write(text),
  clock: systemClock,
  version,
  socket: process.env.PORTER_SOCKET,
  signal: interrupted.signal,
  board: findBoard,
  run,
});
