/**
 * `porter run`: gives the device its clock, its chance, its sockets and its threads. From here on nobody asks the machine
 * for them. Loaded only by a device: the other commands answer at once.
 */

import { resolve } from 'node:path';
import mqtt from 'mqtt';
import type { Systemd } from '../hal/systemd.ts';
import { ProvisioningClient, printStatus } from '../provisioning/client/client.ts';
import type { RunOptions } from './cli/environment.ts';
import { PorterDevice, type ProvisioningSpec } from './device.ts';
import { systemClock, wallClock } from './lib/clock.ts';
import { type Log, type LogLevel, systemLog } from './lib/log.ts';
import { systemRandom } from './lib/random.ts';
import { MediaThread } from './media/thread.ts';
import { systemResolve, systemServices } from './sip/locate/system.ts';
import { systemAddresses } from './sip/transport/links.ts';
import { SipSockets } from './sip/transport/sockets.ts';

/** Where the device keeps its state unless told otherwise. */
const SYSTEM_STATE = '/var/lib/porter';

/**
 * Resolves when `ended` has and the device has stopped: by a signal, or by a fault of our own, which is thrown on.
 * Rejects when it cannot start.
 */
export async function run(
  { config, state, log: level }: RunOptions,
  version: string,
  systemd: Systemd | undefined,
  ended: Promise<string | Error>,
) {
  const { log, setLevel } = systemLog((level ?? 'info') as LogLevel);
  const device = new PorterDevice({
    clock: systemClock,
    wallClock,
    random: systemRandom,
    log,
    version,
    resolve: systemResolve,
    services: systemServices,
    addresses: systemAddresses,
    openSocket: settings =>
      new SipSockets(settings, { clock: systemClock, random: systemRandom, log: log.part('sip') }),
    openMedia: settings => new MediaThread({ settings, clock: systemClock, log: log.part('media') }),
    connectMqtt: mqtt.connect,
    systemd,
    openProvisioning: spec => openProvisioning(spec, version, log),
    // The command line's word counts against the configuration's.
    onLogLevel: configured => level === undefined && setLevel(configured),
    configFile: resolve(config),
    stateDirectory: resolve(state ?? SYSTEM_STATE),
  });
  await device.start();
  const why = await ended;
  if (why instanceof Error) log.error('stopping for a fault of our own', { error: why.stack });
  else log.info('stopping', { signal: why });
  // Also after a fault: a call hung up and a relay at rest are better than what an exit would leave.
  await device.stop();
  if (why instanceof Error) throw why;
}

function openProvisioning(spec: ProvisioningSpec, version: string, log: Log) {
  const { config, store, current, onDocument, onStatus } = spec;
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
      onStatus: status => onStatus(status.is, printStatus(status)),
    },
    current,
  );
}
