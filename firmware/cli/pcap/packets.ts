/**
 * Packets made anew round messages that were seen inside the stack: IP with UDP or TCP as it may have stood on the wire,
 * so that Wireshark finds its way. Pure.
 */
import { isIP } from 'node:net';
import type { Address } from '../../lib/address.ts';

/** From whom to whom. */
export interface Path {
  from: Address;
  to: Address;
}

const UDP = 17;
const TCP = 6;
/** Hops left, as most machines begin. */
const TTL = 64;
/** Bytes of a message in one TCP segment: an IPv4 packet has room for it and its headers. */
const SEGMENT_BYTES = 60_000;
/** TCP paths whose numbers are remembered; the one first seen is forgotten first. */
const PATHS = 256;

export function udpPacket(path: Path, payload: Uint8Array): Buffer {
  const datagram = Buffer.alloc(8 + payload.length);
  datagram.writeUInt16BE(path.from.port, 0);
  datagram.writeUInt16BE(path.to.port, 2);
  datagram.writeUInt16BE(datagram.length & 0xffff, 4);
  datagram.set(payload, 8);
  const { from, to, version } = literals(path);
  // RFC 768: 0 would mean that there is none.
  datagram.writeUInt16BE(checksum([pseudoHeader(from, to, UDP, datagram.length), datagram]) || 0xffff, 6);
  return ipPacket(version, from, to, UDP, datagram);
}

/** Segments of connections that were never seen as such: both directions count from 1, and acknowledge one another. */
export class TcpPackets {
  readonly #sent = new Map<string, number>();

  /** The packets that carry these bytes. */
  packets(path: Path, payload: Uint8Array): Buffer[] {
    const ours = keyOf(path);
    const packets: Buffer[] = [];
    for (let at = 0; at < payload.length; at += SEGMENT_BYTES) {
      const part = payload.subarray(at, at + SEGMENT_BYTES);
      const sequence = this.#sent.get(ours) ?? 1;
      packets.push(tcpPacket(path, sequence, this.#sent.get(keyOf({ from: path.to, to: path.from })) ?? 1, part));
      this.#sent.set(ours, (sequence + part.length) >>> 0);
      if (this.#sent.size > PATHS) this.#sent.delete(this.#sent.keys().next().value!);
    }
    return packets;
  }
}

const keyOf = ({ from, to }: Path) => `${from.host} ${from.port} ${to.host} ${to.port}`;

function tcpPacket(path: Path, sequence: number, acknowledged: number, payload: Uint8Array): Buffer {
  const segment = Buffer.alloc(20 + payload.length);
  segment.writeUInt16BE(path.from.port, 0);
  segment.writeUInt16BE(path.to.port, 2);
  segment.writeUInt32BE(sequence, 4);
  segment.writeUInt32BE(acknowledged, 8);
  segment[12] = 5 << 4;
  // PSH, ACK
  segment[13] = 0x18;
  segment.writeUInt16BE(0xffff, 14);
  segment.set(payload, 20);
  const { from, to, version } = literals(path);
  segment.writeUInt16BE(checksum([pseudoHeader(from, to, TCP, segment.length), segment]), 16);
  return ipPacket(version, from, to, TCP, segment);
}

/** The tags of an exported PDU (epan/exported_pdu.h): which dissector reads it, and whose it is. */
export function exportedSip(path: Path, payload: Uint8Array): Buffer {
  const { from, to, version } = literals(path);
  const number = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const [source, destination] = version === 4 ? [20, 21] : [22, 23];
  const tag = (code: number, value: Buffer) => {
    const head = Buffer.alloc(4);
    head.writeUInt16BE(code, 0);
    head.writeUInt16BE(value.length, 2);
    return Buffer.concat([head, value]);
  };
  return Buffer.concat([
    tag(12, Buffer.from('sip\0')),
    tag(source, from),
    tag(destination, to),
    // Port type 2: TCP.
    tag(24, number(2)),
    tag(25, number(path.from.port)),
    tag(26, number(path.to.port)),
    tag(0, Buffer.alloc(0)),
    payload,
  ]);
}

function ipPacket(version: 4 | 6, from: Buffer, to: Buffer, protocol: number, payload: Buffer): Buffer {
  if (version === 6) {
    const header = Buffer.alloc(8);
    header[0] = 0x60;
    header.writeUInt16BE(payload.length & 0xffff, 4);
    header[6] = protocol;
    header[7] = TTL;
    return Buffer.concat([header, from, to, payload]);
  }
  const header = Buffer.alloc(12);
  header[0] = 0x45;
  header.writeUInt16BE((20 + payload.length) & 0xffff, 2);
  // Don't fragment.
  header.writeUInt16BE(0x4000, 6);
  header[8] = TTL;
  header[9] = protocol;
  const whole = Buffer.concat([header, from, to]);
  whole.writeUInt16BE(checksum([whole]), 10);
  return Buffer.concat([whole, payload]);
}

/** RFC 768, RFC 9293 §3.1, RFC 8200 §8.1: what the checksum covers beside the datagram. Both sum to the same. */
function pseudoHeader(from: Buffer, to: Buffer, protocol: number, length: number): Buffer {
  const rest = Buffer.alloc(8);
  rest.writeUInt32BE(length, 0);
  rest.writeUInt32BE(protocol, 4);
  return Buffer.concat([from, to, rest]);
}

/** RFC 1071. All but the last part have an even length. */
function checksum(parts: readonly Buffer[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let at = 0; at + 1 < part.length; at += 2) sum += part.readUInt16BE(at);
    if (part.length % 2 === 1) sum += part[part.length - 1]! << 8;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return ~sum & 0xffff;
}

/** Both as bytes of one version; what is no literal of it counts as unknown. */
function literals({ from, to }: Path): { version: 4 | 6; from: Buffer; to: Buffer } {
  const version = isIP(from.host) === 6 || isIP(to.host) === 6 ? 6 : 4;
  return { version, from: literal(from.host, version), to: literal(to.host, version) };
}

function literal(host: string, version: 4 | 6): Buffer {
  if (isIP(host) === 4) {
    const bytes = Buffer.from(host.split('.').map(Number));
    // RFC 4291 §2.5.5.2
    return version === 4 ? bytes : Buffer.concat([Buffer.alloc(10), Buffer.from([0xff, 0xff]), bytes]);
  }
  return isIP(host) === 6 ? ipv6(host) : Buffer.alloc(version === 4 ? 4 : 16);
}

/** `2001:db8::1`, `::ffff:192.0.2.1`, `fe80::1%eth0`. */
function ipv6(host: string): Buffer {
  // The URL parser writes dotted ends as groups.
  const plain = new URL(`http://[${host.split('%', 1)[0]}]`).hostname.slice(1, -1);
  const [head = '', tail] = plain.split('::');
  const groups = (half: string) => half.split(':').filter(group => group !== '');
  const [before, after] = [groups(head), groups(tail ?? '')];
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => '0'), ...after];
  const bytes = Buffer.alloc(16);
  all.forEach((group, at) => {
    bytes.writeUInt16BE(Number.parseInt(group, 16), 2 * at);
  });
  return bytes;
}
