/**
 * `porter run`: gives the device its clock, its chance, its sockets and its threads. From here on nobody asks the machine
 * for them. Loaded only by a device: the other commands answer at once.
 */

import { resolve } from 'node:path';
import mqtt from 'mqtt';
import { ProvisioningClient, printStatus } from '../provisioning/client/client.ts';
import type { RunOptions } from './cli/environment.ts';
import { PorterDevice, type ProvisioningSpec } from './device.ts';
import { systemClock, wallClock } from './lib/clock.ts';
import { type Log, type LogLevel, systemLog } from './lib/log.ts';
import { systemRandom } from './lib/random.ts';
import { MediaThread } from './media/thread.ts';
import { systemResolve, systemServices } from './sip/locate/system.ts';
import { SipSockets } from './sip/transport/sockets.ts';

/** Where the device keeps its state unless told otherwise. */
const SYSTEM_STATE = '/var/lib/porter';

/** Resolves when `ended` has and the device has stopped. Rejects when it cannot start. */
export async function run({ config, state, log: level }: RunOptions, version: string, ended: Promise<string>) {
  const { log, setLevel } = systemLog((level ?? 'info') as LogLevel);
  const device = new PorterDevice({
    clock: systemClock,
    wallClock,
    random: systemRandom,
    log,
    version,
    resolve: systemResolve,
    services: systemServices,
    openSocket: settings =>
      new SipSockets(settings, { clock: systemClock, random: systemRandom, log: log.part('sip') }),
    openMedia: settings => new MediaThread({ settings, clock: systemClock, log: log.part('media') }),
    connectMqtt: mqtt.connect,
    openProvisioning: spec => openProvisioning(spec, version, log),
    // The command line's word counts against the configuration's.
    onLogLevel: configured => level === undefined && setLevel(configured),
    configFile: resolve(config),
    stateDirectory: resolve(state ?? SYSTEM_STATE),
  });
  await device.start();
  log.info('stopping', { signal: await ended });
  await device.stop();
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
      onStatus: status => onStatus(printStatus(status)),
    },
    current,
  );
}
