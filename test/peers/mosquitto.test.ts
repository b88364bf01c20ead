/** A device at Mosquitto, the broker that most sites run: the real program, the real package, a real network stack. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt, { type IClientOptions, type IClientPublishOptions, type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock, wallClock } from '../../firmware/lib/clock.ts';
import type { Log } from '../../firmware/lib/log.ts';
import { silentLog } from '../../firmware/lib/log.ts';
import { MqttReport } from '../../firmware/report/mqtt.ts';
import { seeded } from '../sim/seeded.ts';
import { SimpleDevice } from '../sim/simple-device.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

const root = 'porter/v1/porter-1';
const command = `${root}/command`;
const result = `${root}/command/result`;

let folder: string;
let port: number;
let mosquitto: ChildProcess | undefined;

/** Takes a port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port: free } = server.address() as { port: number };
  await new Promise(resolve => server.close(resolve));
  return free;
}

async function startMosquitto() {
  const child = spawn('/usr/sbin/mosquitto', ['-c', join(folder, 'mosquitto.conf')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  mosquitto = child;
  let said = '';
  await new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      said += chunk;
      if (/mosquitto version .* running/.test(said)) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`mosquitto ended: ${said}`)));
  });
}

async function stopMosquitto() {
  const child = mosquitto;
  mosquitto = undefined;
  if (!child || child.exitCode !== null) return;
  const ended = new Promise(resolve => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'porter-mosquitto-'));
  chmodSync(folder, 0o755);
  port = await freePort();
  const passwords = join(folder, 'passwords');
  const made = spawnSync('mosquitto_passwd', ['-b', '-c', passwords, 'door', 'hunter2'], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`mosquitto_passwd: ${made.stderr}`);
  chmodSync(passwords, 0o644);
  if (process.getuid?.() === 0) chownSync(passwords, 0, 0);
  writeFileSync(
    join(folder, 'mosquitto.conf'),
    `listener ${port} 127.0.0.1
allow_anonymous false
password_file ${passwords}
persistence false
log_dest stderr
`,
  );
  await startMosquitto();
});

afterAll(async () => {
  await stopMosquitto();
  rmSync(folder, { recursive: true, force: true });
});

const cleanUp: (() => unknown)[] = [];
let device: SimpleDevice;

beforeEach(() => {
  device = new SimpleDevice();
});

afterEach(async () => {
  for (const task of cleanUp.splice(0).reverse()) await task();
  // What one test left retained is not for the next.
  const sweeper = await watcher();
  await sweeper.all();
  for (const topic of sweeper.retained()) await sweeper.say(topic, '', { retain: true });
  await sweeper.client.endAsync();
});

/** Joins the device. Time is the machine's, unless a test wants to move it. */
function joinBroker(
  changed: {
    port?: number;
    password?: string;
    clock?: VirtualClock;
    log?: Log;
    openDoors?: boolean;
    keepAliveMs?: number;
    onState?: () => void;
  } = {},
) {
  const report = new MqttReport({
    clock: changed.clock ?? systemClock,
    wallClock,
    random: seeded(1),
    log: changed.log ?? silentLog,
    offered: { device, settings: () => [] },
    settings: {
      deviceId: 'porter-1',
      url: `mqtt://127.0.0.1:${changed.port ?? port}`,
      topicRoot: 'porter/v1',
      username: 'door',
      password: changed.password ?? 'hunter2',
      keepAliveMs: changed.keepAliveMs ?? 60_000,
      reconnectSpreadMs: 0,
    },
    policy: () => ({ commands: true, openDoors: changed.openDoors ?? true }),
    connect: mqtt.connect,
    onState: changed.onState ?? (() => {}),
  });
  cleanUp.push(() => report.stop());
  report.start();
  return report;
}

interface Heard {
  topic: string;
  payload: string;
  retain: boolean;
  correlationData: string | undefined;
}

/** Somebody at the same broker who hears everything. */
async function watcher(options: IClientOptions = {}) {
  const client: MqttClient = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
    protocolVersion: 5,
    username: 'door',
    password: 'hunter2',
    reconnectPeriod: 0,
    ...options,
  });
  cleanUp.push(() => client.endAsync(true));
  const heard: Heard[] = [];
  let changed = () => {};
  client.on('message', (topic, payload, { retain, properties }) => {
    heard.push({
      topic,
      payload: payload.toString(),
      retain,
      correlationData: properties?.correlationData?.toString(),
    });
    changed();
  });
  await client.subscribeAsync('porter/#', { qos: 1 });
  /** Waits until something heard satisfies. */
  const until = async (wanted: (message: Heard) => boolean): Promise<Heard> => {
    for (;;) {
      const found = heard.find(wanted);
      if (found) return found;
      await new Promise<void>(resolve => {
        changed = resolve;
      });
    }
  };
  const on = (topic: string, payload?: string) =>
    until(message => message.topic === topic && (payload === undefined || message.payload === payload));
  const say = (topic: string, payload: string, publishing: IClientPublishOptions = {}) =>
    client.publishAsync(topic, payload, { qos: 1, ...publishing });
  /** Waits for all that the broker had for us: it sends what is retained before it passes on something new. */
  const all = async () => {
    await say('porter/mark', '');
    await on('porter/mark');
  };
  const retained = () => heard.filter(({ retain, payload }) => retain && payload !== '').map(({ topic }) => topic);
  return { client, heard, until, on, say, all, retained };
}

/** A device that is in, and somebody who sees it. */
async function joined(changed: Parameters<typeof joinBroker>[0] = {}) {
  const seen = await watcher();
  const report = joinBroker(changed);
  await seen.on(`${root}/availability`, 'online');
  return { ...seen, report };
}

test('who comes later finds the states, and no event', async () => {
  const { on } = await joined();
  device.tell('button', 'pressed', { button: 'front' });
  await on(`${root}/event/button`);
  device.change({ doors: { main: { relay: 'energised', unlocked: true } } });
  await on(`${root}/state/doors`, JSON.stringify({ main: { relay: 'energised', unlocked: true } }));

  const later = await watcher();
  await later.on(`${root}/availability`, 'online');
  await later.on(`${root}/info`);
  await later.on(`${root}/state/doors`, JSON.stringify({ main: { relay: 'energised', unlocked: true } }));
  await later.all();
  expect(later.heard.filter(({ topic }) => topic.includes('/event/'))).toEqual([]);
  expect(later.retained().sort()).toEqual(
    [
      'availability',
      'info',
      ...['accounts', 'audio', 'buttons', 'call', 'config', 'doors', 'paging'].map(facet => `state/${facet}`),
    ].map(topic => `${root}/${topic}`),
  );
});

test('an abrupt death is told by the broker; a stop by the device', async () => {
  // A cable that can be cut: the broker sees the connection end without DISCONNECT.
  const wires: Socket[] = [];
  const cable: Server = createServer(near => {
    const far = connectTcp(port, '127.0.0.1');
    wires.push(near, far);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('error', () => {});
      from.pipe(to);
    }
  });
  await new Promise<void>(resolve => cable.listen(0, '127.0.0.1', resolve));
  cleanUp.push(() => new Promise(resolve => cable.close(resolve)));
  const clock = new VirtualClock();
  const seen = await watcher();
  const report = joinBroker({ port: (cable.address() as { port: number }).port, clock });
  clock.advance(0);
  await seen.on(`${root}/availability`, 'online');
  for (const wire of wires) wire.destroy();
  await seen.on(`${root}/availability`, 'offline');
  expect((await (await watcher()).on(`${root}/availability`)).payload).toBe('offline');

  // Back again after its pause, and then away in good order.
  seen.heard.length = 0;
  while (report.state().state === 'connected') await seen.all();
  clock.advance(10_100);
  await seen.on(`${root}/availability`, 'online');
  seen.heard.length = 0;
  await report.stop();
  await seen.on(`${root}/availability`, 'offline');
});

describe('a command', () => {
  test('is carried out and its result told, as text and as JSON', async () => {
    const { say, until } = await joined();
    await say(command, 'open main');
    const text = await until(({ topic }) => topic === result);
    expect(JSON.parse(text.payload)).toMatchObject({ action: 'open main', done: true });
    expect(text.retain).toBe(false);
    await say(command, JSON.stringify({ action: 'call desk', id: 'a1', ts: new Date().toISOString(), ttl: 10 }));
    const json = await until(({ topic, payload }) => topic === result && payload.includes('a1'));
    expect(JSON.parse(json.payload)).toMatchObject({ id: 'a1', action: 'call desk', done: true });
    expect(device.performed.map(({ action }) => action.do)).toEqual(['open', 'call']);
  });

  test('that is retained is ignored: when it comes, and when the device comes back to it', async () => {
    const first = await joined();
    await first.say(command, 'open main', { retain: true });
    const refusal = await first.on(result);
    expect(JSON.parse(refusal.payload)).toMatchObject({ done: false, why: expect.stringContaining('retained') });
    await first.report.stop();
    await first.on(`${root}/availability`, 'offline');

    const second = await watcher();
    joinBroker();
    await second.on(`${root}/availability`, 'online');
    await second.on(result);
    expect(device.performed).toEqual([]);
  });

  test('that was given while the device was away is not carried out when it is back', async () => {
    const { report, on, say } = await joined();
    await report.stop();
    await on(`${root}/availability`, 'offline');
    await say(command, 'open main');

    const { say: sayNow, on: onNow } = await joined();
    await sayNow(command, 'press front');
    await onNow(result);
    expect(device.performed.map(({ action }) => action.do)).toEqual(['press']);
  });

  test('to open a door is refused unless that is switched on', async () => {
    const { say, on } = await joined({ openDoors: false });
    await say(command, 'open main');
    expect(JSON.parse((await on(result)).payload)).toMatchObject({ done: false, code: 'not allowed' });
    expect(device.performed).toEqual([]);
  });
});

test('a request is answered on its response topic, with its correlation data', async () => {
  const { say, on } = await joined();
  const responseTopic = `${root}/rpc/res/me`;
  await say(`${root}/rpc/req`, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'status' }), {
    properties: { responseTopic, correlationData: Buffer.from('c7') },
  });
  const answer = await on(responseTopic);
  expect(JSON.parse(answer.payload)).toMatchObject({ id: 1, result: { device: { id: 'porter-1' } } });
  expect(answer.correlationData).toBe('c7');
});

test('a broker that was away hears what happened meanwhile, and the states of now', async () => {
  const clock = new VirtualClock();
  const before = await watcher();
  const report = joinBroker({ clock });
  clock.advance(0);
  await before.on(`${root}/availability`, 'online');
  const lost = new Promise<void>(resolve => before.client.once('close', () => resolve()));
  await stopMosquitto();
  await lost;
  device.tell('button', 'pressed', { button: 'front' });
  device.tell('door', 'opened', { door: 'main' });
  device.change({ doors: { main: { relay: 'energised', unlocked: true } } });

  await startMosquitto();
  const after = await watcher();
  expect(report.state().state).toBe('connecting');
  clock.advance(10_100);
  await after.on(`${root}/availability`, 'online');
  await after.on(`${root}/event/door`);
  const events = after.heard
    .filter(({ topic }) => topic.includes('/event/'))
    .map(({ payload }) => JSON.parse(payload).seq);
  expect(events).toEqual([1, 2]);
  await after.on(`${root}/state/doors`, JSON.stringify({ main: { relay: 'energised', unlocked: true } }));
});

test('a broker that hangs is noticed, and what was on its way to it is not lost', async () => {
  let noticed = () => {};
  const lost = new Promise<void>(resolve => {
    noticed = resolve;
  });
  const clock = new VirtualClock();
  const seen = await watcher();
  const onState = () => {
    if (report.state().state === 'connecting') noticed();
  };
  const report = joinBroker({ clock, keepAliveMs: 1_000, onState });
  clock.advance(0);
  await seen.on(`${root}/availability`, 'online');
  mosquitto?.kill('SIGSTOP');
  for (let index = 0; index < 40; index++) device.tell('button', 'pressed', {});
  await lost;
  mosquitto?.kill('SIGCONT');
  clock.advance(10_100);
  for (let seq = 1; seq <= 40; seq++)
    await seen.until(({ topic, payload }) => topic === `${root}/event/button` && JSON.parse(payload).seq === seq);
});

test('a wrong password is told in the log, once, and tried again later', async () => {
  const warned: string[] = [];
  let heard = () => {};
  const first = new Promise<void>(resolve => {
    heard = resolve;
  });
  const log: Log = {
    ...silentLog,
    warn: (event, fields) => {
      warned.push(`${event}: ${fields?.why}`);
      heard();
    },
    debug: () => heard(),
    part: () => log,
  };
  const clock = new VirtualClock();
  const report = joinBroker({ password: 'wrong', clock, log });
  clock.advance(0);
  await first;
  expect(warned).toEqual([expect.stringMatching(/^broker not connected: .*[Nn]ot authorized/)]);
  const second = new Promise<void>(resolve => {
    heard = resolve;
  });
  clock.advance(10_100);
  await second;
  expect(warned).toHaveLength(1);
  expect(report.state().state).toBe('connecting');
});
