import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import type { Address } from '../../../firmware/lib/address.ts';
import type { PortHandlers, PortPair } from '../../../firmware/media/network.ts';
import { UdpNetwork } from '../../../firmware/media/udp.ts';
import { seeded } from '../../sim/seeded.ts';

const open: { close(): void }[] = [];
afterEach(() => {
  for (const part of open.splice(0)) part.close();
});

const ignore: PortHandlers = { onRtp() {}, onRtcp() {} };

function take(network: UdpNetwork, host = '127.0.0.1', handlers = ignore): Promise<PortPair | { why: string }> {
  return new Promise(resolve =>
    network.open(host, handlers, pair => {
      if (!('why' in pair)) open.push(pair);
      resolve(pair);
    }),
  );
}

async function pairOf(network: UdpNetwork, host?: string, handlers?: PortHandlers): Promise<PortPair> {
  const pair = await take(network, host, handlers);
  if ('why' in pair) throw new Error(pair.why);
  return pair;
}

async function occupied(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  open.push(socket);
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

describe('a port pair', () => {
  test('is an even port of the range and the next', async () => {
    for (const range of [
      { from: 33_000, to: 33_009 },
      { from: 33_001, to: 33_010 },
    ]) {
      const { rtpPort, rtcpPort } = await pairOf(new UdpNetwork(range, seeded(1)));
      expect(rtpPort % 2).toBe(0);
      expect(rtpPort).toBeGreaterThanOrEqual(range.from);
      expect(rtcpPort).toBe(rtpPort + 1);
      expect(rtcpPort).toBeLessThanOrEqual(range.to);
    }
  });

  test('is another where one of its ports is taken, by us or by others; none free is said', async () => {
    const network = new UdpNetwork({ from: 33_020, to: 33_027 }, seeded(1));
    await occupied(33_020);
    await occupied(33_023);
    const ports = [(await pairOf(network)).rtpPort, (await pairOf(network)).rtpPort];
    expect(ports.sort()).toEqual([33_024, 33_026]);
    expect(await take(network)).toEqual({ why: 'no pair of RTP ports is free in 33020-33027' });
    open.pop()!.close();
    expect((await pairOf(network)).rtpPort).toBeGreaterThanOrEqual(33_024);
  });

  test('is refused for a range without one, and for a host that is not ours', async () => {
    expect(await take(new UdpNetwork({ from: 33_031, to: 33_032 }, seeded(1)))).toEqual({
      why: expect.stringMatching(/no even port/),
    });
    expect(await take(new UdpNetwork({ from: 33_034, to: 33_035 }, seeded(1)), '192.0.2.77')).toEqual({
      why: '192.0.2.77 is no address of this device',
    });
  });
});

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['0.0.0.0', '127.0.0.1'],
  ['::1', '::1'],
  ['::', '127.0.0.1'],
])('packets go both ways, bound to %s, to %s, RTP and RTCP each on its port', async (bound, host) => {
  const network = new UdpNetwork({ from: 33_040, to: 33_059 }, seeded(2));
  const got: string[] = [];
  let resolve = () => {};
  const both = new Promise<void>(done => {
    resolve = done;
  });
  const hear = (what: string) => (bytes: Uint8Array, from: Address) => {
    got.push(`${what} ${bytes.join(' ')} from ${from.host} ${from.port}`);
    if (got.length === 2) resolve();
  };
  const a = await pairOf(network, bound, { onRtp: hear('rtp'), onRtcp: hear('rtcp') });
  const b = await pairOf(network, bound);
  const bytes = new Uint8Array([1, 2, 3, 4]);
  b.sendRtp(bytes, 3, { host, port: a.rtpPort });
  // What has been handed over is on its way: the buffer may be used again at once.
  bytes.fill(9);
  b.sendRtcp(bytes, 2, { host, port: a.rtcpPort });
  await both;
  expect(got.sort()).toEqual([`rtcp 9 9 from ${host} ${b.rtcpPort}`, `rtp 1 2 3 from ${host} ${b.rtpPort}`]);
});

test('what cannot be sent is lost and nothing more: a closed port, port 0, after close', async () => {
  const network = new UdpNetwork({ from: 33_060, to: 33_069 }, seeded(2));
  const heard = new Promise<void>(resolve => {
    void pairOf(network, '127.0.0.1', { onRtp: () => resolve(), onRtcp() {} }).then(async a => {
      const b = await pairOf(network);
      const bytes = new Uint8Array([1]);
      for (let round = 0; round < 3; round++) b.sendRtp(bytes, 1, { host: '127.0.0.1', port: 33_069 });
      b.sendRtp(bytes, 1, { host: '127.0.0.1', port: 0 });
      b.sendRtp(bytes, 1, { host: '127.0.0.1', port: a.rtpPort });
      b.close();
      b.sendRtp(bytes, 1, { host: '127.0.0.1', port: a.rtpPort });
      b.close();
    });
  });
  await heard;
});
