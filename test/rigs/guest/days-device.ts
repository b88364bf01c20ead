/**
 * The device of the long run: everything that `porter run` joins, with chance from a seed, sound that sleeps between
 * calls, and no look at the machine's addresses every second. A line on standard input asks how much memory it has.
 */
import { createInterface } from 'node:readline';
import { getHeapSpaceStatistics } from 'node:v8';
import { PorterDevice } from '../../../firmware/device.ts';
import { systemClock, wallClock } from '../../../firmware/lib/clock.ts';
import { silentLog } from '../../../firmware/lib/log.ts';
import { systemResolve, systemServices } from '../../../firmware/sip/locate/system.ts';
import { SipSockets } from '../../../firmware/sip/transport/sockets.ts';
import { ProvisioningClient } from '../../../provisioning/client/client.ts';
import { seeded } from '../../sim/seeded.ts';
import { sleepingSound } from './sleeping-sound.ts';

/** Where V8 keeps what it has compiled: more with each function that has run often enough, for weeks. */
const COMPILED = /^(?:code|trusted)_/;
const MB = 1024 * 1024;

const [configFile, stateDirectory] = process.argv.slice(2) as [string, string];
/** How often the sound asks is a matter of microseconds: it must not move what the others are given. */
const [random, ofSound, ofProvisioning] = [seeded(1), seeded(3), seeded(4)];
const log = silentLog;
let polls = 0;
const say = (what: object) => process.stdout.write(`${JSON.stringify(what)}\n`);

const device = new PorterDevice({
  clock: systemClock,
  wallClock,
  random,
  log,
  version: '0.0.0',
  resolve: systemResolve,
  services: systemServices,
  openSocket: settings => new SipSockets(settings, { clock: systemClock, random, log }),
  openMedia: settings => sleepingSound(settings, ofSound),
  connectMqtt: () => {
    throw new Error('no broker is set');
  },
  openProvisioning: ({ config, store, current, onDocument, onStatus }) =>
    new ProvisioningClient(
      {
        url: config.provisioning.url!,
        deviceId: config.device.id,
        intervalMs: config.provisioning.interval,
        timeoutMs: config.provisioning.timeout,
        userAgent: 'porter',
      },
      {
        fetch: (address, init) => {
          polls++;
          return fetch(address, init);
        },
        clock: systemClock,
        wallClock,
        random: ofProvisioning,
        log,
        store,
        onDocument,
        onStatus: status => onStatus(status.is, status.is),
      },
      current,
    ),
  onLogLevel: () => {},
  configFile,
  stateDirectory,
});

await device.start();
say({ started: true });
createInterface(process.stdin).on('line', async line => {
  if (line === 'stop') {
    await device.stop();
    process.exit();
  }
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  const compiled = getHeapSpaceStatistics().filter(({ space_name: name }) => COMPILED.test(name));
  const code = compiled.reduce((sum, space) => sum + space.space_used_size, 0);
  say({ polls, heapMb: heapUsed / MB, codeMb: code / MB, rssMb: rss / MB });
});
