import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CaptureFile, type Passed } from '../../../../firmware/cli/pcap/capture-file.ts';
import { TcpPackets, udpPacket } from '../../../../firmware/cli/pcap/packets.ts';
import { enhancedPacket } from '../../../../firmware/cli/pcap/pcapng.ts';
import { readBlocks } from '../../../sim/pcapng-reader.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'porter-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const passed = (rest: Partial<Passed> = {}): Passed => ({
  atMs: 1_000,
  way: 'out',
  transport: 'udp',
  local: { host: '192.0.2.10', port: 5060 },
  remote: { host: '192.0.2.1', port: 5060 },
  bytes: Buffer.from('OPTIONS'),
  ...rest,
});

/** A file with these packets, and what stands in it. */
function written(name: string, packets: readonly Passed[], limitBytes = 1e6) {
  const path = join(folder, name);
  const file = new CaptureFile(path, limitBytes, 'Porter test');
  for (const packet of packets) file.add(packet);
  file.close();
  return { file, path, blocks: readBlocks(readFileSync(path)) };
}

const sumsToZero = (bytes: Buffer) => {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += (bytes[at]! << 8) + (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum === 0xffff;
};

describe('packets', () => {
  test('an IPv4 datagram with both checksums right (RFC 791, RFC 768)', () => {
    const { local, remote, bytes } = passed();
    const packet = udpPacket({ from: local, to: remote }, bytes);
    expect(packet.length).toBe(20 + 8 + bytes.length);
    expect([packet[0], packet[9], packet.readUInt16BE(2)]).toEqual([0x45, 17, packet.length]);
    expect(sumsToZero(packet.subarray(0, 20))).toBe(true);
    const length = packet.length - 20;
    const pseudo = Buffer.concat([packet.subarray(12, 20), Buffer.from([0, 17, 0, length]), packet.subarray(20)]);
    expect(sumsToZero(pseudo)).toBe(true);
  });

  test('an IPv6 datagram, however its addresses are written', () => {
    const packet = udpPacket(
      { from: { host: '2001:db8::10', port: 5060 }, to: { host: '::ffff:192.0.2.1', port: 5062 } },
      Buffer.from('x'),
    );
    expect(packet.subarray(8, 24).toString('hex')).toBe('20010db8000000000000000000000010');
    expect(packet.subarray(24, 40).toString('hex')).toBe('00000000000000000000ffffc0000201');
    expect(packet.readUInt16BE(42)).toBe(5062);
  });

  test('TCP segments continue one another and acknowledge the other side', () => {
    const tcp = new TcpPackets();
    const there = { from: passed().local, to: passed().remote };
    const back = { from: passed().remote, to: passed().local };
    const numbers = (packets: Buffer[]) => packets.map(packet => [packet.readUInt32BE(24), packet.readUInt32BE(28)]);
    expect(numbers(tcp.packets(there, Buffer.alloc(100)))).toEqual([[1, 1]]);
    expect(numbers(tcp.packets(back, Buffer.alloc(50)))).toEqual([[1, 101]]);
    expect(numbers(tcp.packets(there, Buffer.alloc(65_000)))).toEqual([
      [101, 51],
      [60_101, 51],
    ]);
  });
});

describe('the file', () => {
  test('has a section, an interface, and packets in the order of time', () => {
    const { blocks, file } = written('order.pcapng', [
      passed({ atMs: 1_200 }),
      passed({ atMs: 1_000, way: 'in', comment: '2 messages before this one not written' }),
      passed({ atMs: 1_100.5 }),
    ]);
    expect(blocks.map(({ type }) => type)).toEqual([0x0a0d0d0a, 1, 6, 6, 6]);
    const packets = blocks.slice(2);
    expect(packets.map(({ atMs }) => atMs)).toEqual([1_000, 1_100.5, 1_200]);
    expect(packets[0]).toMatchObject({ comment: '2 messages before this one not written', flags: 1 });
    expect(packets[1]).toMatchObject({ comment: undefined, flags: 2 });
    expect(file.packets).toBe(3);
  });

  test('is for its owner alone: it holds what was said', () => {
    expect(statSync(written('mode.pcapng', []).path).mode & 0o777).toBe(0o600);
  });

  test('ends at its limit with a whole packet', () => {
    const one = enhancedPacket({ interface: 0, atMs: 0, bytes: Buffer.alloc(28 + 7), way: 'out' }).length;
    const empty = statSync(written('empty.pcapng', []).path).size;
    const { file, path, blocks } = written('full.pcapng', Array(5).fill(passed()), empty + 2 * one + 10);
    expect(statSync(path).size).toBe(empty + 2 * one);
    expect(blocks).toHaveLength(4);
    expect(file.isFull).toBe(true);
    expect(file.packets).toBe(2);
  });

  test('what was inside TLS stands on an interface of its own', () => {
    const { blocks } = written('tls.pcapng', [passed(), passed({ transport: 'tls' }), passed({ transport: 'tls' })]);
    expect(blocks.map(({ type, linkType, interface: at }) => [type, linkType ?? at])).toEqual([
      [0x0a0d0d0a, undefined],
      [1, 101],
      [6, 0],
      [1, 252],
      [6, 1],
      [6, 1],
    ]);
  });

  test('a clock that is set back, and many packets at once, hold nothing up', () => {
    const many = Array.from({ length: 5_000 }, (_, index) => passed({ atMs: 10_000 - index / 100 }));
    const { blocks } = written('back.pcapng', many);
    expect(blocks).toHaveLength(5_002);
  });

  test('that cannot be written says why', () => {
    const open = (path: string) => () => new CaptureFile(path, 1e6, 'Porter test');
    expect(open(join(folder, 'nowhere', 'a.pcapng'))).toThrow('there is no such folder');
    expect(open(folder)).toThrow('it is a folder');
    expect(open('/dev/full')).toThrow('/dev/full: the disk is full');
  });
});
