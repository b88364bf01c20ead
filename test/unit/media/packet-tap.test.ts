import { expect, test } from 'vitest';
import type { PortHandlers, PortPair } from '../../../firmware/media/network.ts';
import { KEPT_PACKETS, PacketTap, WATCHED_MS } from '../../../firmware/media/packet-tap.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

const PEER = { host: '192.0.2.1', port: 4_000 };

function rig() {
  const clock = new VirtualClock();
  const tap = new PacketTap(clock, () => 1_000_000 + clock.now());
  const heard: string[] = [];
  let network!: PortHandlers;
  let ports!: PortPair;
  tap
    .on({
      open: (_host, handlers, done) => {
        network = handlers;
        const send = (bytes: Uint8Array, length: number) => void heard.push(`out ${[...bytes.subarray(0, length)]}`);
        done({ rtpPort: 20_000, rtcpPort: 20_001, sendRtp: send, sendRtcp: send, close() {} });
      },
    })
    .open(
      '192.0.2.10',
      { onRtp: bytes => void heard.push(`in ${bytes}`), onRtcp: bytes => void heard.push(`in ${bytes}`) },
      pair => {
        if (!('why' in pair)) ports = pair;
      },
    );
  return { clock, tap, heard, network, ports };
}

test('what goes by is kept once somebody has asked, with a buffer of its own', () => {
  const { tap, heard, network, ports, clock } = rig();
  network.onRtp(Uint8Array.of(1), PEER);
  expect(tap.take()).toEqual({ packets: [], missed: 0 });
  clock.advance(20);
  const bytes = Buffer.from([2, 3, 9]);
  ports.sendRtp(bytes, 2, PEER);
  bytes.fill(0);
  network.onRtcp(Uint8Array.of(4), { host: '192.0.2.1', port: 4_001 });
  expect(tap.take()).toEqual({
    packets: [
      {
        atMs: 1_000_020,
        way: 'out',
        local: { host: '192.0.2.10', port: 20_000 },
        remote: PEER,
        bytes: Uint8Array.of(2, 3),
      },
      {
        atMs: 1_000_020,
        way: 'in',
        local: { host: '192.0.2.10', port: 20_001 },
        remote: { host: '192.0.2.1', port: 4_001 },
        bytes: Uint8Array.of(4),
      },
    ],
    missed: 0,
  });
  expect(heard).toEqual(['in 1', 'out 2,3', 'in 4']);
});

test('more than fits is counted and let go', () => {
  const { tap, network } = rig();
  tap.take();
  for (let index = 0; index < KEPT_PACKETS + 7; index++) network.onRtp(Uint8Array.of(index), PEER);
  const { packets, missed } = tap.take();
  expect([packets.length, missed]).toEqual([KEPT_PACKETS, 7]);
  expect(tap.take()).toEqual({ packets: [], missed: 0 });
});

test('whoever stops asking watches no more, and nothing is kept for him', () => {
  const { tap, network, clock } = rig();
  tap.take();
  network.onRtp(Uint8Array.of(1), PEER);
  clock.advance(WATCHED_MS + 1);
  network.onRtp(Uint8Array.of(2), PEER);
  expect(tap.take()).toEqual({ packets: [], missed: 0 });
});
