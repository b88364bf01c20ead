/** GPIO chips as the kernel shows them through the uAPI v2: takes and checks structures byte by byte (gpiolib-cdev.c). */
import type { Kernel } from '../../../hal/kernel.ts';

const GET_CHIP_INFO = 0x8044b401;
const GET_LINE_INFO = 0xc100b405;
const GET_LINE = 0xc250b407;
const GET_VALUES = 0xc010b40e;
const SET_VALUES = 0xc010b40f;
const USED = 1n;
const ACTIVE_LOW = 2n;
const INPUT = 4n;
const OUTPUT = 8n;
const EDGES = 48n;
const KNOWN_FLAGS = (1n << 13n) - 1n;
const EVENT_BYTES = 48;

export interface FakeLine {
  name: string;
  consumer: string;
  physical: boolean;
  /** Every level that an output of it had, from the request on. */
  history: boolean[];
  flags: bigint;
  debounceUs: bigint;
}

export interface FakeChip {
  path: string;
  name: string;
  label: string;
  lines: FakeLine[];
  gone?: boolean;
  /** Lacks the uAPI v2, as kernels before 5.10 do. */
  old?: boolean;
}

interface Handle {
  chip: FakeChip;
  /** Undefined for the chip's own file. */
  line?: FakeLine;
  events: Buffer[];
  bufferEvents: number;
  sequence: number;
  onReadable?: () => void;
}

const errno = (code: string) => Object.assign(new Error(code), { code });

export function fakeChip(path: string, label: string, lineNames: string[]): FakeChip {
  const lines = lineNames.map(name => ({
    name,
    consumer: '',
    physical: false,
    history: [],
    flags: 0n,
    debounceUs: 0n,
  }));
  return { path, name: path.slice('/dev/'.length), label, lines };
}

export class FakeGpioKernel implements Kernel {
  readonly #chips: FakeChip[];
  readonly #handles = new Map<number, Handle>();
  #nextFd = 100;
  #held = false;
  nowNs = 5_000_000_000n;

  constructor(chips: FakeChip[]) {
    this.#chips = chips;
  }

  get openFiles() {
    return this.#handles.size;
  }

  get watchedFiles() {
    return [...this.#handles.values()].filter(({ onReadable }) => onReadable !== undefined).length;
  }

  /** Sets the level on the pin, as the world outside does. */
  drive(label: string, offset: number, physical: boolean) {
    const chip = this.#chips.find(other => other.label === label)!;
    const line = chip.lines[offset]!;
    if (line.physical === physical) return;
    line.physical = physical;
    for (const handle of this.#handles.values()) if (handle.line === line) this.#edge(handle, line, offset);
  }

  /** While held, edges gather in the kernel's buffer, as while the process is busy. */
  hold() {
    this.#held = true;
  }

  release() {
    this.#held = false;
    for (const handle of this.#handles.values()) if (handle.events.length > 0) handle.onReadable?.();
  }

  /** Kernel 6.1 wakes nobody who waits for an edge of it; newer ones do. */
  vanish(label: string, { wakes = false } = {}) {
    for (const chip of this.#chips) if (chip.label === label) chip.gone = true;
    if (!wakes) return;
    for (const handle of this.#handles.values()) if (handle.chip.gone) handle.onReadable?.();
  }

  list(directory: string) {
    if (directory !== '/dev') return [];
    return ['null', 'gpiomem', ...this.#chips.map(({ path }) => path.slice('/dev/'.length))].reverse();
  }

  open(path: string) {
    const chip = this.#chips.find(other => other.path === path);
    if (chip === undefined) throw errno('ENOENT');
    return this.#newFd({ chip, events: [], bufferEvents: 0, sequence: 0 });
  }

  close(fd: number) {
    const { line } = this.#handle(fd);
    if (line !== undefined) Object.assign(line, { consumer: '', flags: 0n });
    this.#handles.delete(fd);
  }

  ioctl(fd: number, request: number, bytes: Buffer) {
    const { chip, line } = this.#handle(fd);
    if (chip.gone) throw errno('ENODEV');
    // The size that the request number carries is what the kernel copies.
    if (bytes.length !== ((request >>> 16) & 0x3fff))
      throw new Error(`${bytes.length} bytes for 0x${request.toString(16)}`);
    if (chip.old && request !== GET_CHIP_INFO) throw errno('ENOTTY');
    if (line === undefined && request === GET_CHIP_INFO) this.#chipInfo(chip, bytes);
    else if (line === undefined && request === GET_LINE_INFO) this.#lineInfo(chip, bytes);
    else if (line === undefined && request === GET_LINE) this.#getLine(chip, bytes);
    else if (line !== undefined && request === GET_VALUES) this.#getValues(line, bytes);
    else if (line !== undefined && request === SET_VALUES) this.#setValues(line, bytes);
    else throw errno('ENOTTY');
  }

  read(fd: number, into: Buffer) {
    const { chip, events } = this.#handle(fd);
    if (chip.gone) throw errno('ENODEV');
    if (into.length < EVENT_BYTES) throw errno('EINVAL');
    let at = 0;
    while (events.length > 0 && at + EVENT_BYTES <= into.length) at += events.shift()!.copy(into, at);
    return at;
  }

  write(): void {
    throw errno('EINVAL');
  }

  watch(fd: number, onReadable: () => void) {
    const handle = this.#handle(fd);
    handle.onReadable = onReadable;
    return () => {
      delete handle.onReadable;
    };
  }

  monotonicNs() {
    return this.nowNs;
  }

  #newFd(handle: Handle) {
    this.#handles.set(this.#nextFd, handle);
    return this.#nextFd++;
  }

  #handle(fd: number) {
    const handle = this.#handles.get(fd);
    if (handle === undefined) throw errno('EBADF');
    return handle;
  }

  #chipInfo(chip: FakeChip, bytes: Buffer) {
    bytes.fill(0);
    bytes.write(chip.name, 0, 31);
    bytes.write(chip.label, 32, 31);
    bytes.writeUInt32LE(chip.lines.length, 64);
  }

  #lineInfo(chip: FakeChip, bytes: Buffer) {
    const line = chip.lines[bytes.readUInt32LE(64)];
    if (line === undefined || !zero(bytes, 240, 256)) throw errno('EINVAL');
    bytes.write(line.name, 0, 31);
    bytes.write(line.consumer, 32, 31);
    bytes.writeBigUInt64LE(line.consumer === '' ? line.flags : line.flags | USED, 72);
  }

  #getLine(chip: FakeChip, bytes: Buffer) {
    const line = chip.lines[bytes.readUInt32LE(0)];
    const flags = bytes.readBigUInt64LE(288);
    const attributes = bytes.readUInt32LE(296);
    const padding = zero(bytes, 300, 320) && zero(bytes, 568, 588);
    const output = (flags & OUTPUT) !== 0n;
    const conflict =
      output === ((flags & INPUT) !== 0n) || (output && (flags & EDGES) !== 0n) || (flags & ~KNOWN_FLAGS) !== 0n;
    if (line === undefined || bytes.readUInt32LE(560) !== 1 || !padding || conflict || attributes > 10)
      throw errno('EINVAL');
    if (line.consumer !== '') throw errno('EBUSY');
    for (let i = 0; i < attributes; i++)
      this.#attribute(line, output, flags, bytes.subarray(320 + i * 24, 344 + i * 24));
    const consumer = bytes.toString('latin1', 256, bytes.indexOf(0, 256));
    Object.assign(line, { consumer: consumer || '?', flags });
    const bufferEvents = bytes.readUInt32LE(564) || 16;
    bytes.writeInt32LE(this.#newFd({ chip, line, events: [], bufferEvents, sequence: 0 }), 588);
  }

  #attribute(line: FakeLine, output: boolean, flags: bigint, attribute: Buffer) {
    const id = attribute.readUInt32LE(0);
    const value = attribute.readBigUInt64LE(8);
    if (!zero(attribute, 4, 8) || attribute.readBigUInt64LE(16) !== 1n) throw errno('EINVAL');
    if (id === 2 && output) {
      line.history = [];
      this.#show(line, (value === 1n) !== ((flags & ACTIVE_LOW) !== 0n));
    } else if (id === 3 && !output) line.debounceUs = value;
    else throw errno('EINVAL');
  }

  #getValues(line: FakeLine, bytes: Buffer) {
    if (bytes.readBigUInt64LE(8) !== 1n) throw errno('EINVAL');
    bytes.writeBigUInt64LE(logical(line) ? 1n : 0n, 0);
  }

  #setValues(line: FakeLine, bytes: Buffer) {
    if (bytes.readBigUInt64LE(8) !== 1n) throw errno('EINVAL');
    if ((line.flags & OUTPUT) === 0n) throw errno('EPERM');
    this.#show(line, (bytes.readBigUInt64LE(0) === 1n) !== ((line.flags & ACTIVE_LOW) !== 0n));
  }

  #show(line: FakeLine, physical: boolean) {
    line.physical = physical;
    line.history.push(physical);
  }

  #edge(handle: Handle, line: FakeLine, offset: number) {
    const event = Buffer.alloc(EVENT_BYTES);
    handle.sequence++;
    event.writeBigUInt64LE(this.nowNs, 0);
    event.writeUInt32LE(logical(line) ? 1 : 2, 8);
    event.writeUInt32LE(offset, 12);
    event.writeUInt32LE(handle.sequence, 16);
    event.writeUInt32LE(handle.sequence, 20);
    // A full buffer drops its oldest event (linereq_put_event).
    if (handle.events.length >= handle.bufferEvents) handle.events.shift();
    handle.events.push(event);
    if (!this.#held) handle.onReadable?.();
  }
}

const logical = (line: FakeLine) => line.physical !== ((line.flags & ACTIVE_LOW) !== 0n);

const zero = (bytes: Buffer, from: number, to: number) => bytes.subarray(from, to).every(byte => byte === 0);
