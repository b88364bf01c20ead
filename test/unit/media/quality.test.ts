/** How good a call is heard, and that the far end learns it: RFC 3611, RFC 5761, ITU-T G.107. */
import { expect, test } from 'vitest';
import type { StreamSettings } from '../../../firmware/media/protocol.ts';
import { parseRtcp, type RtcpPacket } from '../../../firmware/rtp/rtcp.ts';
import type { MediaNetworkFaults } from '../../sim/media-network.ts';
import { PCMA, type Phone, speaksTone, World } from '../../sim/phone.ts';

function talking(faults: MediaNetworkFaults, changes: Partial<StreamSettings> = {}): [World, Phone, Phone] {
  const world = new World(faults);
  const door = world.phone('192.0.2.1', { speaks: speaksTone(440, 8000, 16_000) });
  const desk = world.phone('192.0.2.2', { speaks: speaksTone(1000, 8000, 16_000) });
  world.connect(door, desk, PCMA, changes);
  return [world, door, desk];
}

function statistics(world: World, phone: Phone) {
  phone.send({ do: 'report' });
  world.run(1);
  return phone.told('report').at(-1)!.streams.call!;
}

/** RTCP of a phone from now on, and the port it came from. */
function reportsOf(world: World, phone: Phone) {
  const reports: { packet: RtcpPacket; port: number; to: number }[] = [];
  world.network.onSend = (bytes, from, to) => {
    if (from.host !== phone.host) return;
    for (const packet of parseRtcp(bytes) ?? []) reports.push({ packet, port: from.port, to: to.port });
  };
  return reports;
}

test('a call over a good network is as good as a telephone can be, and the closed stream says so', () => {
  const [world, door] = talking({ delayMs: [5, 6] });
  expect(statistics(world, door).mos).toBeUndefined();
  world.run(20_000);
  expect(statistics(world, door).mos).toBeGreaterThan(4.3);
  door.send({ do: 'close', stream: 'call' });
  world.run(1);
  expect(door.told('closed')[0]!.statistics.mos).toBeGreaterThan(4.3);
});

test('loss makes it worse, and much delay too', () => {
  const mosOf = (faults: MediaNetworkFaults) => {
    const [world, door] = talking(faults);
    world.run(30_000);
    return statistics(world, door).mos!;
  };
  const good = mosOf({});
  const lossy = mosOf({ loss: 0.1 });
  expect(lossy).toBeLessThan(good - 0.5);
  expect(mosOf({ delayMs: [400, 400] })).toBeLessThan(good - 0.5);
  expect(mosOf({ loss: 0.3 })).toBeLessThan(lossy - 0.5);
});

test('the far end is told by extended reports where it wants to know, and nobody else is', () => {
  for (const voipMetrics of [true, false]) {
    const [world, door, desk] = talking({ loss: 0.1 }, { voipMetrics });
    const reports = reportsOf(world, door);
    world.run(30_000);
    const told = reports.flatMap(({ packet }) => (packet.type === 'XR' ? packet.metrics : []));
    if (!voipMetrics) {
      expect(told).toEqual([]);
      expect(statistics(world, desk).remoteMos).toBeUndefined();
      continue;
    }
    expect(told.length).toBeGreaterThan(2);
    const last = told.at(-1)!;
    expect((last.lossRate + last.discardRate) / 256).toBeCloseTo(0.1, 1);
    expect(last.conversationMos).toBeLessThanOrEqual(last.listeningMos);
    expect(last.rFactor).toBeLessThan(85);
    expect(last.bufferLimitMs).toBe(400);
    // What the door heard of the desk is what the desk learns.
    expect(statistics(world, desk).remoteMos).toBeCloseTo(last.conversationMos / 10, 5);
  }
});

test('RTCP goes through the port of RTP where that was agreed, the goodbye included', () => {
  const [world, door, desk] = talking({ delayMs: [10, 10] }, { rtcpMux: true });
  const reports = reportsOf(world, door);
  const rtpPort = door.told('opened')[0]!.rtpPort;
  world.run(20_000);
  door.send({ do: 'close', stream: 'call' });
  world.run(100);
  expect(reports.length).toBeGreaterThan(4);
  const theirs = desk.told('opened')[0]!.rtpPort;
  expect(new Set(reports.map(({ port, to }) => `${port} ${to}`))).toEqual(new Set([`${rtpPort} ${theirs}`]));
  expect(reports.at(-1)!.packet.type).toBe('BYE');
  expect(statistics(world, desk)).toMatchObject({ malformedPackets: 0, remoteLossFraction: 0 });
  expect(statistics(world, desk).roundTripMs).toBeCloseTo(20, 0);
});

test('RTCP on one port follows a peer behind a router', () => {
  const world = new World();
  const door = world.phone('192.0.2.1');
  const desk = world.phone('192.0.2.2', { translate: port => ({ host: '198.51.100.7', port: port + 30_000 }) });
  world.connect(door, desk, PCMA, { rtcpMux: true });
  const reports = reportsOf(world, door);
  world.run(20_000);
  expect(reports.at(-1)!.to).toBe(desk.told('opened')[0]!.rtpPort + 30_000);
  expect(statistics(world, desk).remoteLossFraction).toBe(0);
});
