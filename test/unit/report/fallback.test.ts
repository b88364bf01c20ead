/** The real `mqtt` package against a real broker that knows MQTT 3.1.1 only (aedes, in this process). */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Aedes, type AedesPublishPacket } from 'aedes';
import mqtt from 'mqtt';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock, wallClock } from '../../../firmware/lib/clock.ts';
import { silentLog } from '../../../firmware/lib/log.ts';
import { MqttReport } from '../../../firmware/report/mqtt.ts';
import { seeded } from '../../sim/seeded.ts';
import { SimpleDevice } from '../../sim/simple-device.ts';

const root = 'porter/v1/porter-1';
let broker: Aedes;
let report: MqttReport;
let device: SimpleDevice;
const server = createServer();

beforeEach(async () => {
  broker = await Aedes.createBroker();
  server.removeAllListeners('connection').on('connection', socket => broker.handle(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  device = new SimpleDevice();
  report = new MqttReport({
    clock: systemClock,
    wallClock,
    random: seeded(1),
    log: silentLog,
    offered: { device, settings: () => [] },
    settings: {
      deviceId: 'porter-1',
      url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
      topicRoot: 'porter/v1',
      keepAliveMs: 60_000,
      reconnectSpreadMs: 0,
    },
    policy: () => ({ commands: true, openDoors: true }),
    connect: mqtt.connect,
  });
});

afterEach(async () => {
  await report.stop();
  await new Promise<void>(resolve => broker.close(resolve));
  await new Promise(resolve => server.close(resolve));
});

/** The next message on a topic. */
const next = (topic: string) =>
  new Promise<string>(resolve => {
    const listen = (packet: AedesPublishPacket) => {
      if (packet.topic !== topic) return;
      broker.off('publish', listen);
      resolve(packet.payload.toString());
    };
    broker.on('publish', listen);
  });

const say = (topic: string, payload: string) =>
  new Promise<void>((resolve, reject) =>
    broker.publish(
      { cmd: 'publish', topic, payload: Buffer.from(payload), qos: 1, retain: false, dup: false },
      error => (error ? reject(error) : resolve()),
    ),
  );

test('a broker of 3.1.1 is joined, told, and obeyed; answers go where the request says', async () => {
  const online = next(`${root}/availability`);
  const subscribed = once(broker, 'subscribe');
  report.start();
  expect(await online).toBe('online');
  await subscribed;

  const event = next(`${root}/event/button`);
  device.tell('button', 'pressed', { button: 'front' });
  expect(JSON.parse(await event)).toMatchObject({ seq: 1, type: 'pressed' });

  const result = next(`${root}/command/result`);
  await say(`${root}/command`, 'open main');
  expect(JSON.parse(await result)).toMatchObject({ action: 'open main', done: true });

  const answer = next(`${root}/rpc/res/me`);
  await say(
    `${root}/rpc/req`,
    JSON.stringify({ jsonrpc: '2.0', id: 5, method: 'names', reply_to: `${root}/rpc/res/me` }),
  );
  expect(JSON.parse(await answer)).toEqual({ jsonrpc: '2.0', id: 5, result: device.names() });

  const offline = next(`${root}/availability`);
  await report.stop();
  expect(await offline).toBe('offline');
});
