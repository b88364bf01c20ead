/** RTCP packets (RFC 3550 §6.4 to §6.6): SR, RR, SDES with CNAME, BYE, XR, and the compound packet that carries them. */
import { type ExtendedReport, parseExtendedReport, printExtendedReport } from './extended-report.ts';

/** One reception report (§6.4.1), as its sender saw the source `ssrc`. */
export interface ReportBlock {
  ssrc: number;
  /** Since the previous report, in 1/256. */
  fractionLost: number;
  /** Signed 24 bits: duplicates can make it negative. */
  cumulativeLost: number;
  /** Highest sequence number with the count of its cycles in the upper 16 bits. */
  highestSequence: number;
  /** Ticks of the source's clock. */
  jitter: number;
  /** Middle 32 bits of the NTP time in the last SR from the source; 0: none yet. */
  lastSr: number;
  /** Units of 1/65536 s. */
  delaySinceLastSr: number;
}

export interface SenderReport {
  type: 'SR';
  ssrc: number;
  /** Seconds since 1900, and the fraction in 2⁻³² s. */
  ntpSeconds: number;
  ntpFraction: number;
  rtpTimestamp: number;
  packets: number;
  octets: number;
  reports: readonly ReportBlock[];
}

export interface ReceiverReport {
  type: 'RR';
  ssrc: number;
  reports: readonly ReportBlock[];
}

export interface SourceDescription {
  type: 'SDES';
  sources: readonly { ssrc: number; cname?: string }[];
}

export interface Goodbye {
  type: 'BYE';
  sources: readonly number[];
  reason?: string;
}

export type RtcpPacket = SenderReport | ReceiverReport | SourceDescription | Goodbye | ExtendedReport;

/** Report blocks, SDES chunks and BYE sources in one packet: the count has five bits. */
const MAX_RTCP_SOURCES = 31;
/** Bytes of an SDES text or a BYE reason: its length has one byte. */
const MAX_RTCP_TEXT_BYTES = 255;

const TYPE = { SR: 200, RR: 201, SDES: 202, BYE: 203, XR: 207 } as const;
const CNAME = 1;
const BLOCK_BYTES = 24;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * Reads a compound packet; undefined where it breaks a rule of A.2: version 2 throughout, SR or RR first and without
 * padding, lengths that add up. Types unknown here (APP, feedback) are passed over (§6.1).
 */
export function parseRtcp(bytes: Uint8Array): RtcpPacket[] | undefined {
  const packets: RtcpPacket[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 4 > bytes.length) return undefined;
    const head = bytes[at]!;
    const type = bytes[at + 1]!;
    const end = at + 4 + 4 * ((bytes[at + 2]! << 8) | bytes[at + 3]!);
    if (head >> 6 !== 2 || end > bytes.length) return undefined;
    if (at === 0 && ((type !== TYPE.SR && type !== TYPE.RR) || head & 0x20)) return undefined;

    const body = contents(bytes.subarray(at + 4, end), (head & 0x20) !== 0, end === bytes.length);
    if (body === undefined) return undefined;
    const packet = parseOne(type, head & 0x1f, body);
    if (packet === 'malformed') return undefined;
    if (packet !== undefined) packets.push(packet);
    at = end;
  }
  return packets.length === 0 ? undefined : packets;
}

/** Takes the padding off, which only the last packet may have (§6.4.1). */
function contents(body: Uint8Array, padded: boolean, last: boolean): Uint8Array | undefined {
  if (!padded) return body;
  const padding = body.at(-1) ?? 0;
  if (!last || padding === 0 || padding > body.length) return undefined;
  return body.subarray(0, body.length - padding);
}

function parseOne(type: number, count: number, body: Uint8Array): RtcpPacket | 'malformed' | undefined {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  switch (type) {
    case TYPE.SR: {
      if (body.length < 24 + count * BLOCK_BYTES) return 'malformed';
      return {
        type: 'SR',
        ssrc: view.getUint32(0),
        ntpSeconds: view.getUint32(4),
        ntpFraction: view.getUint32(8),
        rtpTimestamp: view.getUint32(12),
        packets: view.getUint32(16),
        octets: view.getUint32(20),
        reports: parseBlocks(view, 24, count),
      };
    }
    case TYPE.RR:
      if (body.length < 4 + count * BLOCK_BYTES) return 'malformed';
      return { type: 'RR', ssrc: view.getUint32(0), reports: parseBlocks(view, 4, count) };
    case TYPE.SDES:
      return parseDescription(view, body, count);
    case TYPE.BYE:
      return parseGoodbye(view, body, count);
    case TYPE.XR:
      return parseExtendedReport(view);
    default:
      return undefined;
  }
}

function parseBlocks(view: DataView, start: number, count: number): ReportBlock[] {
  const blocks: ReportBlock[] = [];
  for (let i = 0; i < count; i++) {
    const at = start + i * BLOCK_BYTES;
    blocks.push({
      ssrc: view.getUint32(at),
      fractionLost: view.getUint8(at + 4),
      cumulativeLost: (view.getUint32(at + 4) << 8) >> 8,
      highestSequence: view.getUint32(at + 8),
      jitter: view.getUint32(at + 12),
      lastSr: view.getUint32(at + 16),
      delaySinceLastSr: view.getUint32(at + 20),
    });
  }
  return blocks;
}

/** §6.5: chunks of items, each chunk ended by one to four zero bytes up to a 32-bit boundary. */
function parseDescription(view: DataView, body: Uint8Array, count: number): SourceDescription | 'malformed' {
  const sources: { ssrc: number; cname?: string }[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 8 > body.length) return 'malformed';
    const source: { ssrc: number; cname?: string } = { ssrc: view.getUint32(at) };
    at += 4;
    while (at < body.length && body[at] !== 0) {
      const length = body[at + 1];
      if (length === undefined || at + 2 + length > body.length) return 'malformed';
      if (body[at] === CNAME) source.cname = decoder.decode(body.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
    // The zero that ends the list is obligatory.
    if (at >= body.length) return 'malformed';
    at = (at + 4) & ~3;
    sources.push(source);
  }
  return { type: 'SDES', sources };
}

function parseGoodbye(view: DataView, body: Uint8Array, count: number): Goodbye | 'malformed' {
  const end = count * 4;
  if (body.length < end) return 'malformed';
  const sources = Array.from({ length: count }, (_, i) => view.getUint32(i * 4));
  const length = body[end];
  if (length === undefined) return { type: 'BYE', sources };
  if (end + 1 + length > body.length) return 'malformed';
  return { type: 'BYE', sources, reason: decoder.decode(body.subarray(end + 1, end + 1 + length)) };
}

/** Prints a compound packet. The caller keeps its order (§6.1): a report first, then SDES with the CNAME, then the rest. */
export function printRtcp(packets: readonly RtcpPacket[]): Uint8Array {
  const bytes: number[] = [];
  for (const packet of packets) {
    const body = printBody(packet);
    while (body.length % 4 !== 0) body.push(0);
    bytes.push(0x80 | countOf(packet), TYPE[packet.type], (body.length / 4) >> 8, (body.length / 4) & 0xff, ...body);
  }
  return Uint8Array.from(bytes);
}

function countOf(packet: RtcpPacket): number {
  // RFC 3611 §2: reserved in an extended report.
  if (packet.type === 'XR') return 0;
  const count = packet.type === 'SR' || packet.type === 'RR' ? packet.reports.length : packet.sources.length;
  if (count > MAX_RTCP_SOURCES) throw new RangeError(`${count} sources in one ${packet.type}`);
  return count;
}

function printBody(packet: RtcpPacket): number[] {
  switch (packet.type) {
    case 'SR':
      return [
        ...uint32(packet.ssrc),
        ...uint32(packet.ntpSeconds),
        ...uint32(packet.ntpFraction),
        ...uint32(packet.rtpTimestamp),
        ...uint32(packet.packets),
        ...uint32(packet.octets),
        ...packet.reports.flatMap(printBlock),
      ];
    case 'RR':
      return [...uint32(packet.ssrc), ...packet.reports.flatMap(printBlock)];
    case 'SDES':
      return packet.sources.flatMap(({ ssrc, cname }) => {
        const items = cname === undefined ? [] : [CNAME, ...text(cname)];
        const ending = new Array<number>(4 - (items.length % 4)).fill(0);
        return [...uint32(ssrc), ...items, ...ending];
      });
    case 'BYE':
      return [...packet.sources.flatMap(uint32), ...(packet.reason === undefined ? [] : text(packet.reason))];
    case 'XR':
      return printExtendedReport(packet);
  }
}

const printBlock = (block: ReportBlock): number[] => [
  ...uint32(block.ssrc),
  block.fractionLost & 0xff,
  ...uint32(block.cumulativeLost).slice(1),
  ...uint32(block.highestSequence),
  ...uint32(block.jitter),
  ...uint32(block.lastSr),
  ...uint32(block.delaySinceLastSr),
];

const uint32 = (value: number): number[] => [
  (value >>> 24) & 0xff,
  (value >>> 16) & 0xff,
  (value >>> 8) & 0xff,
  value & 0xff,
];

/** A text with its length before it, cut at the limit. */
function text(value: string): number[] {
  const bytes = encoder.encode(value).subarray(0, MAX_RTCP_TEXT_BYTES);
  return [bytes.length, ...bytes];
}
