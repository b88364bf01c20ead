/** GPIO character device, uAPI v2 (linux/gpio.h, kernel 5.10 on): the structures as bytes. Native order: little endian. */
import type { InputSpec, OutputSpec } from '../contracts.ts';
import { ioc } from '../kernel.ts';

const MAGIC = 0xb4;
const NAME_BYTES = 32;

/** struct gpiochip_info: name[32], label[32], u32 lines. */
const CHIP_INFO_BYTES = 68;
/** struct gpio_v2_line_info: name[32], consumer[32], u32 offset, u32 num_attrs, u64 flags, attrs[10] × 16, pad[4]. */
const LINE_INFO_BYTES = 256;
/** struct gpio_v2_line_request: offsets[64], consumer[32], config 272, num_lines, event_buffer_size, pad[5], s32 fd. */
const REQUEST_BYTES = 592;
/** struct gpio_v2_line_values: u64 bits, u64 mask. */
const VALUES_BYTES = 16;
/** struct gpio_v2_line_event: u64 timestamp_ns, u32 id, u32 offset, u32 seqno, u32 line_seqno, pad[6]. */
export const EVENT_BYTES = 48;
/** Edges that the kernel keeps for a line until they are read. */
export const EVENT_BUFFER_EVENTS = 64;

export const GET_CHIP_INFO = ioc(2, MAGIC, 0x01, CHIP_INFO_BYTES);
export const GET_LINE_INFO = ioc(3, MAGIC, 0x05, LINE_INFO_BYTES);
export const GET_LINE = ioc(3, MAGIC, 0x07, REQUEST_BYTES);
export const GET_VALUES = ioc(3, MAGIC, 0x0e, VALUES_BYTES);
export const SET_VALUES = ioc(3, MAGIC, 0x0f, VALUES_BYTES);

/** enum gpio_v2_line_flag. */
const FLAG = {
  used: 1n,
  activeLow: 2n,
  input: 4n,
  output: 8n,
  edgeRising: 16n,
  edgeFalling: 32n,
  openDrain: 64n,
  openSource: 128n,
  pullUp: 256n,
  pullDown: 512n,
  biasDisabled: 1024n,
} as const;

/** enum gpio_v2_line_attr_id. */
const ATTRIBUTE = { flags: 1, outputValues: 2, debounce: 3 } as const;

const BIAS = { 'pull-up': FLAG.pullUp, 'pull-down': FLAG.pullDown, disabled: FLAG.biasDisabled };
const DRIVE = { 'push-pull': 0n, 'open-drain': FLAG.openDrain, 'open-source': FLAG.openSource };

const REQUEST = {
  consumer: 256,
  flags: 288,
  attributeCount: 296,
  attributes: 320,
  lines: 560,
  events: 564,
  fd: 588,
};
const ATTRIBUTE_BYTES = 24;

export interface ChipInfo {
  name: string;
  label: string;
  lines: number;
}

export const chipInfoBuffer = () => Buffer.alloc(CHIP_INFO_BYTES);

export const readChipInfo = (bytes: Buffer): ChipInfo => ({
  name: readName(bytes, 0),
  label: readName(bytes, NAME_BYTES),
  lines: bytes.readUInt32LE(64),
});

export interface LineInfo {
  name: string;
  consumer: string;
  used: boolean;
}

export function lineInfoBuffer(offset: number): Buffer {
  const bytes = Buffer.alloc(LINE_INFO_BYTES);
  bytes.writeUInt32LE(offset, 64);
  return bytes;
}

export const readLineInfo = (bytes: Buffer): LineInfo => ({
  name: readName(bytes, 0),
  consumer: readName(bytes, NAME_BYTES),
  used: (bytes.readBigUInt64LE(72) & FLAG.used) !== 0n,
});

/** A request for one input with both edges. The kernel's edges and values are logical once it knows `activeLow`. */
export function inputRequest(offset: number, consumer: string, { activeLow, bias, debounceMs }: InputSpec): Buffer {
  const flags = FLAG.input | FLAG.edgeRising | FLAG.edgeFalling | (bias === undefined ? 0n : BIAS[bias]);
  const bytes = lineRequest(offset, consumer, activeLow === true ? flags | FLAG.activeLow : flags);
  bytes.writeUInt32LE(EVENT_BUFFER_EVENTS, REQUEST.events);
  if (debounceMs !== undefined && debounceMs > 0)
    addAttribute(bytes, ATTRIBUTE.debounce, BigInt(Math.round(debounceMs * 1000)));
  return bytes;
}

/** A request for one output that carries its level, so that the line never shows another. */
export function outputRequest(offset: number, consumer: string, { activeLow, drive, safe }: OutputSpec): Buffer {
  const flags = FLAG.output | DRIVE[drive ?? 'push-pull'];
  const bytes = lineRequest(offset, consumer, activeLow === true ? flags | FLAG.activeLow : flags);
  addAttribute(bytes, ATTRIBUTE.outputValues, safe === true ? 1n : 0n);
  return bytes;
}

export const readRequestFd = (bytes: Buffer) => bytes.readInt32LE(REQUEST.fd);

function lineRequest(offset: number, consumer: string, flags: bigint): Buffer {
  const bytes = Buffer.alloc(REQUEST_BYTES);
  bytes.writeUInt32LE(offset, 0);
  bytes.write(consumer, REQUEST.consumer, NAME_BYTES - 1);
  bytes.writeBigUInt64LE(flags, REQUEST.flags);
  bytes.writeUInt32LE(1, REQUEST.lines);
  return bytes;
}

/** struct gpio_v2_line_config_attribute: u32 id, pad, u64 value, u64 mask; bit 0 of the mask is our one line. */
function addAttribute(bytes: Buffer, id: number, value: bigint) {
  const count = bytes.readUInt32LE(REQUEST.attributeCount);
  const at = REQUEST.attributes + count * ATTRIBUTE_BYTES;
  bytes.writeUInt32LE(id, at);
  bytes.writeBigUInt64LE(value, at + 8);
  bytes.writeBigUInt64LE(1n, at + 16);
  bytes.writeUInt32LE(count + 1, REQUEST.attributeCount);
}

export function valuesBuffer(active = false): Buffer {
  const bytes = Buffer.alloc(VALUES_BYTES);
  bytes.writeBigUInt64LE(active ? 1n : 0n, 0);
  bytes.writeBigUInt64LE(1n, 8);
  return bytes;
}

export const readValue = (bytes: Buffer) => (bytes.readBigUInt64LE(0) & 1n) === 1n;

export interface LineEvent {
  active: boolean;
  timestampNs: bigint;
  /** Counts the line's edges from 1; a step of more than one means that edges were lost. */
  sequence: number;
}

const RISING = 1;

export const readEvent = (bytes: Buffer, at: number): LineEvent => ({
  timestampNs: bytes.readBigUInt64LE(at),
  active: bytes.readUInt32LE(at + 8) === RISING,
  sequence: bytes.readUInt32LE(at + 20),
});

const readName = (bytes: Buffer, at: number) => {
  const end = bytes.indexOf(0, at);
  return bytes.toString('utf8', at, end < 0 ? at + NAME_BYTES : Math.min(end, at + NAME_BYTES));
};
