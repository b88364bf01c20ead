/** The blocks of a pcapng file (draft-ietf-opsawg-pcapng), as far as a capture needs them. Pure. */

/** Raw IP, version 4 or 6 (https://www.tcpdump.org/linktypes.html). */
export const LINKTYPE_RAW = 101;
/** A message of a named protocol with its addresses as tags, and no packet round it. */
export const LINKTYPE_UPPER_PDU = 252;

/** Bytes of one packet: an IP packet is no longer. */
const SNAP_BYTES = 65_535 + 256;

type Option = readonly [code: number, value: Buffer];

const text = (code: number, value: string): Option => [code, Buffer.from(value, 'utf8')];

/** Section Header Block: who wrote this. Little-endian throughout. */
export function sectionHeader(application: string): Buffer {
  const body = Buffer.alloc(16);
  body.writeUInt32LE(0x1a2b3c4d, 0);
  body.writeUInt16LE(1, 4);
  body.writeUInt16LE(0, 6);
  // The length of the section is not known beforehand.
  body.writeBigInt64LE(-1n, 8);
  return block(0x0a0d0d0a, body, [text(4, application)]);
}

/** Interface Description Block; the interfaces of a section are counted from 0. */
export function interfaceDescription(linkType: number, name: string): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt16LE(linkType, 0);
  body.writeUInt32LE(SNAP_BYTES, 4);
  return block(1, body, [text(2, name)]);
}

export interface Packet {
  interface: number;
  /** Milliseconds since 1970. */
  atMs: number;
  bytes: Uint8Array;
  way: 'in' | 'out';
  comment?: string;
}

/** Enhanced Packet Block. */
export function enhancedPacket({ interface: number, atMs, bytes, way, comment }: Packet): Buffer {
  const padded = Math.ceil(bytes.length / 4) * 4;
  const body = Buffer.alloc(20 + padded);
  const us = BigInt(Math.round(atMs * 1000));
  body.writeUInt32LE(number, 0);
  body.writeUInt32LE(Number(us >> 32n), 4);
  body.writeUInt32LE(Number(us & 0xffff_ffffn), 8);
  body.writeUInt32LE(bytes.length, 12);
  body.writeUInt32LE(bytes.length, 16);
  body.set(bytes, 20);
  const flags = Buffer.alloc(4);
  flags.writeUInt32LE(way === 'in' ? 1 : 2, 0);
  return block(6, body, [...(comment === undefined ? [] : [text(1, comment)]), [2, flags]]);
}

/** Type, length, body, options, length again. */
function block(type: number, body: Buffer, options: readonly Option[]): Buffer {
  const parts = options.flatMap(([code, value]) => {
    const head = Buffer.alloc(4);
    head.writeUInt16LE(code, 0);
    head.writeUInt16LE(value.length, 2);
    return [head, value, Buffer.alloc((4 - (value.length % 4)) % 4)];
  });
  // opt_endofopt
  const all = Buffer.concat([body, ...parts, Buffer.alloc(4)]);
  const framed = Buffer.alloc(all.length + 12);
  framed.writeUInt32LE(type, 0);
  framed.writeUInt32LE(framed.length, 4);
  all.copy(framed, 8);
  framed.writeUInt32LE(framed.length, framed.length - 4);
  return framed;
}
