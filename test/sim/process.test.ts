/** The device as a process, on virtual time: what a new document restarts, and that nothing runs twice or for ever. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { JsonObject } from '../../firmware/config/document.ts';
import { ConfigStore } from '../../firmware/config/store.ts';
import type { Status } from '../../firmware/controller/contracts.ts';
import { PorterDevice, type ProvisioningPart, type ProvisioningSpec } from '../../firmware/device.ts';
import { systemClock } from '../../firmware/lib/clock.ts';
import { silentLog } from '../../firmware/lib/log.ts';
import { InProcessMedia } from '../../firmware/media/in-process.ts';
import { RpcClient } from '../../firmware/rpc/client.ts';
import { SimulatedAudio } from '../../hal/audio/simulated.ts';
import { Systemd } from '../../hal/systemd.ts';
import { until } from '../peers/support/until.ts';
import { LossyNetwork, presets } from './lossy-network.ts';
import { SimulatedMediaNetwork } from './media-network.ts';
import { MemoryFiles } from './memory-files.ts';
import { seeded } from './seeded.ts';
import { SimulatedBroker } from './simulated-broker.ts';
import { VirtualClock } from './virtual-clock.ts';

const HOST = '192.0.2.10';
/** WatchdogSec= of the unit. */
const WATCHED_MS = 15_000;
const stops: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** A provisioning client that says what the test has it say. */
class Hand implements ProvisioningPart {
  readonly spec: ProvisioningSpec;
  state: 'made' | 'started' | 'stopped' = 'made';

  constructor(spec: ProvisioningSpec) {
    this.spec = spec;
  }

  start() {
    this.state = 'started';
  }

  checkNow() {}

  async stop() {
    this.state = 'stopped';
  }
}

const local = {
  device: { id: 'gate' },
  sip: { listen: { host: HOST } },
  doors: { main: { relay: 'relay-1' } },
  mqtt: { url: 'mqtt://broker.example', reconnectSpread: '0 s' },
  provisioning: { url: 'https://fleet.example' },
};

function rig(document: object = local) {
  const folder = mkdtempSync(join(tmpdir(), 'porter-process-'));
  stops.push(() => rmSync(folder, { recursive: true, force: true }));
  const configFile = join(folder, 'local.json');
  writeFileSync(configFile, JSON.stringify(document));
  const clock = new VirtualClock();
  const random = seeded(1);
  const broker = new SimulatedBroker(clock);
  const network = new LossyNetwork(clock, seeded(2), presets.perfect);
  const sound = new SimulatedMediaNetwork(clock, seeded(3));
  const wallClock = () => clock.now();
  const clients: Hand[] = [];
  const stateDirectory = join(folder, 'state');
  /** What the service manager hears, and when. */
  const told: { atMs: number; lines: string }[] = [];
  const device = new PorterDevice({
    clock,
    wallClock,
    random,
    log: silentLog,
    version: '0.0.0',
    resolve: (host, port, done) => done([{ host, port: port ?? 5060 }]),
    openSocket: ({ listen: { host, port } }) => {
      let unplug = () => {};
      return {
        ...network.transport({ host, port }),
        start: receive => {
          unplug = network.attach({ host, port }, receive);
        },
        stop: () => unplug(),
      };
    },
    openMedia: settings =>
      new InProcessMedia({
        clock,
        wallClock,
        random,
        network: sound.host(HOST),
        files: new MemoryFiles(clock),
        settings,
        opus: undefined,
        audio: new SimulatedAudio({ spec: { ...settings.audio, rate: 8_000 }, clock }),
      }),
    connectMqtt: broker.connect,
    openProvisioning: spec => {
      const client = new Hand(spec);
      clients.push(client);
      return client;
    },
    onLogLevel() {},
    systemd: new Systemd(lines => told.push({ atMs: clock.now(), lines }), WATCHED_MS),
    configFile,
    stateDirectory,
  });
  /** Virtual time, with the disk's and the socket's real work done in between. */
  const passes = async (ms: number) => {
    for (let at = 0; at < ms; at += 20) {
      await turn();
      clock.advance(20);
    }
    for (let turns = 0; turns < 20; turns++) await turn();
  };
  const finish = async (promise: Promise<unknown>) => {
    let done = false;
    void promise.finally(() => {
      done = true;
    });
    while (!done) await passes(20);
    await promise;
  };
  /** As the command line asks for it. */
  const status = async () => {
    const client = new RpcClient(join(stateDirectory, 'porter.sock'), systemClock);
    stops.push(() => client.close());
    await finish(client.connect());
    const answer = client.call('status');
    await finish(answer);
    return (await answer) as Status;
  };
  const offer = (document: JsonObject, revision = 'r') => clients.at(-1)!.spec.onDocument(document, revision);
  const running = () => clients.filter(({ state }) => state === 'started');
  return { device, clock, broker, clients, running, passes, finish, offer, status, stateDirectory, told };
}

async function started(document?: object) {
  const all = rig(document);
  await all.finish(all.device.start());
  stops.push(() => all.finish(all.device.stop()));
  await all.passes(200);
  return all;
}

const user = (username: string) => ({ mqtt: { username } });

test('documents that change the broker one after the other leave one connection, to the last', async () => {
  const { broker, offer, passes } = await started();
  for (const name of ['a', 'b', 'c', 'd']) offer(user(name));
  await passes(5_000);
  expect(broker.attempts.at(-1)!.options.username).toBe('d');
  expect(broker.attempts.filter(({ options }) => options.username === 'd')).toHaveLength(1);
  expect(broker.alive).toBe(1);
});

test('documents that change the provisioning one after the other leave one client, with the last settings', async () => {
  const { clients, running, offer, passes } = await started();
  const client = clients[0]!;
  for (const interval of ['1 min', '2 min', '3 min']) client.spec.onDocument({ provisioning: { interval } }, interval);
  await until('the client runs anew', () => running().length > 0);
  expect(running().map(({ spec }) => spec.config.provisioning.interval)).toEqual([180_000]);
  offer({});
  expect(running()).toEqual([]);
  await until('the client runs anew', () => running().length > 0);
  await passes(1_000);
  expect(running()).toHaveLength(1);
});

test('stopped while the broker and the provisioning change, nothing starts afterwards', async () => {
  const { device, clock, broker, running, offer, passes, finish } = await started();
  offer({ mqtt: { username: 'later' }, provisioning: { interval: '5 min' } });
  await finish(device.stop());
  await passes(60_000);
  expect(broker.alive).toBe(0);
  expect(running()).toEqual([]);
  expect(clock.armed).toEqual([]);
});

test('a document that gives the device another id takes it to the broker and to the provisioning server', async () => {
  const { broker, running, offer, passes } = await started({ ...local, device: {} });
  offer({ device: { id: 'lobby' } });
  await passes(3_000);
  await until('the client runs anew', () => running().length > 0);
  expect(broker.attempts.at(-1)!.options.clientId).toBe('porter-lobby');
  expect(broker.alive).toBe(1);
  expect(running().map(({ spec }) => spec.config.device.id)).toEqual(['lobby']);
});

const provisionedOnly = { provisioning: { url: 'https://fleet.example' }, device: { name: 'From the server' } };

/** A device that was provisioned once, and whose local file is then as `spoil` leaves it. */
async function returned(spoil: (configFile: string) => void) {
  const all = rig();
  mkdirSync(all.stateDirectory);
  const saved = await new ConfigStore(all.stateDirectory).save({
    revision: '1',
    fetchedAt: '2026-01-01T00:00:00Z',
    document: provisionedOnly,
  });
  expect(saved).toEqual({ saved: true });
  spoil(join(all.stateDirectory, '../local.json'));
  await all.finish(all.device.start());
  stops.push(() => all.finish(all.device.stop()));
  return all;
}

test.each<[string, string | undefined, string]>([
  ['torn', '{"device": {', 'is not JSON'],
  ['unsound', '{"sip": {"maxCalls": 99}}', 'sip.maxCalls'],
  ['gone', undefined, 'there is no file'],
])(
  'with a local file that is %s it runs on the last document, says so, and takes the next one',
  async (_, text, why) => {
    const { offer, running, status } = await returned(file =>
      text === undefined ? rmSync(file) : writeFileSync(file, text),
    );
    expect(running()).toHaveLength(1);
    expect((await status()).config.problem).toContain(why);
    expect(offer({ ...provisionedOnly, device: { name: 'Newer' } }, '2')).toEqual({ accepted: true });
  },
);

test('without a folder to write to it starts and opens doors all the same', async () => {
  const { device, finish, stateDirectory, ...rest } = rig();
  // A file where the folder should be: nothing can ever be made in it.
  writeFileSync(stateDirectory, '');
  await finish(device.start());
  stops.push(() => finish(device.stop()));
  await rest.passes(200);
  expect(rest.broker.connected).toBe(true);
  expect(readdirSync(join(stateDirectory, '..')).sort()).toEqual(['local.json', 'state']);
});

test('the service manager hears that the device is ready, alive in time for an hour, and stopping', async () => {
  const { device, clock, finish, told } = await started();
  await clock.advance(3_600_000);
  await finish(device.stop());
  const words = told.map(({ lines }) => lines);
  expect(words.filter(line => line === 'READY=1')).toHaveLength(1);
  expect(words.at(-1)).toBe('STOPPING=1');
  expect(words).toContain('WATCHDOG=1\nSTATUS=call idle, sound up');
  const alive = told.filter(({ lines }) => lines.startsWith('WATCHDOG=1')).map(({ atMs }) => atMs);
  const pauses = alive.slice(1).map((atMs, index) => atMs - alive[index]!);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(WATCHED_MS / 2);
  expect(alive.at(-1)).toBeGreaterThan(3_600_000 - WATCHED_MS / 2);
});
