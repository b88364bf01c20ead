/** STUN Binding, as keep-alives between SIP ports use it (RFC 8489, RFC 5626 §8). Bytes in and out; throws at nothing. */
import { isIPv4, isIPv6 } from 'node:net';
import type { Address } from '../../lib/address.ts';

const headerBytes = 20;
const cookie = 0x2112a442;
const bindingMethod = 0x001;
/** Attributes that are read at most. */
const attributeLimit = 32;

/** RFC 8489 §18.3; below 0x8000 they must be understood. */
const attribute = { errorCode: 0x0009, unknown: 0x000a, xorMapped: 0x0020 } as const;
/** Must be understood, but mean nothing without credentials: MAPPED-ADDRESS, and what old peers add to responses. */
const harmless: readonly number[] = [0x0001, attribute.errorCode, attribute.unknown, attribute.xorMapped];

export interface StunMessage {
  is: 'request' | 'indication' | 'success' | 'error';
  /** 24 hexadecimal digits. */
  id: string;
  /** Where the sender of the request was seen (XOR-MAPPED-ADDRESS). */
  mapped?: Address;
  /** Attributes that must be understood, and are not (§6.3.1). */
  unknown: readonly number[];
}

/** SIP begins with a letter: two zero bits, the cookie and a length that fits tell STUN from it (RFC 5626 §8, RFC 8489 §5). */
export function isStun(bytes: Uint8Array): boolean {
  return (
    bytes.length >= headerBytes &&
    bytes[0]! < 0x40 &&
    bytes[4] === 0x21 &&
    bytes[5] === 0x12 &&
    bytes[6] === 0xa4 &&
    bytes[7] === 0x42 &&
    bytes.length === headerBytes + ((bytes[2]! << 8) | bytes[3]!)
  );
}

/** Undefined for what is no Binding message, or is cut somewhere. */
export function parseStun(bytes: Uint8Array): StunMessage | undefined {
  if (!isStun(bytes)) return undefined;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = view.readUInt16BE(0);
  // §5: the class is in bits 4 and 8, the method around them.
  if ((type & ~0x0110) !== bindingMethod) return undefined;
  const is = (['request', 'indication', 'success', 'error'] as const)[((type >> 7) & 2) | ((type >> 4) & 1)]!;
  const unknown: number[] = [];
  let mapped: Address | undefined;
  let at = headerBytes;
  for (let count = 0; at < view.length; count++) {
    if (count === attributeLimit || at + 4 > view.length) return undefined;
    const name = view.readUInt16BE(at);
    const length = view.readUInt16BE(at + 2);
    const value = view.subarray(at + 4, at + 4 + length);
    if (value.length !== length) return undefined;
    if (name === attribute.xorMapped) mapped ??= addressOf(value, view);
    else if (name < 0x8000 && !harmless.includes(name)) unknown.push(name);
    // §14: each begins at a multiple of four.
    at += 4 + length + ((4 - (length % 4)) % 4);
  }
  return { is, id: view.toString('hex', 8, headerBytes), unknown, ...(mapped && { mapped }) };
}

/** `id`: 24 hexadecimal digits by chance. */
export const bindingRequest = (id: string) => message(0x0001, id, []);

export const bindingSuccess = (id: string, mapped: Address) =>
  message(0x0101, id, [[attribute.xorMapped, xorAddress(mapped, id)]]);

/** §6.3.1: the request has something that must be understood, and is not. */
export function bindingRefusal(id: string, unknown: readonly number[]) {
  const names = Buffer.alloc(2 * unknown.length);
  unknown.forEach((name, index) => {
    names.writeUInt16BE(name, 2 * index);
  });
  return message(0x0111, id, [
    [attribute.errorCode, Buffer.concat([Buffer.from([0, 0, 4, 20]), Buffer.from('Unknown Attribute')])],
    [attribute.unknown, names],
  ]);
}

function message(type: number, id: string, attributes: readonly (readonly [name: number, value: Buffer])[]): Buffer {
  const parts = attributes.map(([name, value]) => {
    const part = Buffer.alloc(4 + 4 * Math.ceil(value.length / 4));
    part.writeUInt16BE(name, 0);
    part.writeUInt16BE(value.length, 2);
    value.copy(part, 4);
    return part;
  });
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(8);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(body.length, 2);
  head.writeUInt32BE(cookie, 4);
  return Buffer.concat([head, Buffer.from(id, 'hex'), body]);
}

/** §14.2: XORed, so that no NAT that rewrites addresses in payloads finds it. */
function xorAddress({ host, port }: Address, id: string): Buffer {
  const raw = isIPv4(host) ? Buffer.from(host.split('.').map(Number)) : ipv6Bytes(host);
  const value = Buffer.alloc(4 + raw.length);
  value[1] = raw.length === 4 ? 1 : 2;
  value.writeUInt16BE(port ^ (cookie >>> 16), 2);
  const mask = maskOf(id);
  raw.forEach((byte, index) => {
    value[4 + index] = byte ^ mask[index]!;
  });
  return value;
}

function addressOf(value: Buffer, whole: Buffer): Address | undefined {
  const length = value[1] === 1 ? 4 : value[1] === 2 ? 16 : 0;
  if (length === 0 || value.length !== 4 + length) return undefined;
  const mask = whole.subarray(4, headerBytes);
  const raw = Buffer.from(value.subarray(4).map((byte, index) => byte ^ mask[index]!));
  const port = value.readUInt16BE(2) ^ (cookie >>> 16);
  if (length === 4) return { host: raw.join('.'), port };
  const groups = Array.from({ length: 8 }, (_, index) => raw.readUInt16BE(2 * index).toString(16));
  return { host: new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1), port };
}

const maskOf = (id: string) => Buffer.concat([Buffer.from([0x21, 0x12, 0xa4, 0x42]), Buffer.from(id, 'hex')]);

/** Of a literal that node has given us; anything else is the unspecified address. */
function ipv6Bytes(host: string): Buffer {
  const bytes = Buffer.alloc(16);
  if (!isIPv6(host)) return bytes;
  // The URL parser writes every literal alike: hexadecimal groups, one gap at most, no dotted end.
  const [left = '', right] = new URL(`http://[${host.split('%', 1)[0]}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':').map(group => Number.parseInt(group, 16)));
  const before = groups(left);
  const after = right === undefined ? [] : groups(right);
  before.forEach((group, index) => {
    bytes.writeUInt16BE(group, 2 * index);
  });
  after.forEach((group, index) => {
    bytes.writeUInt16BE(group, 16 - 2 * (after.length - index));
  });
  return bytes;
}
