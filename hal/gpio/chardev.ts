/** Lines by the GPIO character device, uAPI v2: initial level in the request, kernel debounce, dated edges. */
import type {
  Clock,
  DigitalInput,
  DigitalOutput,
  Edge,
  GpioDriver,
  InputSpec,
  LineAddress,
  OutputSpec,
} from '../contracts.ts';
import { HalError } from '../contracts.ts';
import type { Kernel } from '../kernel.ts';
import { kernelError } from '../kernel.ts';
import * as uapi from './uapi.ts';

const DEVICES = '/dev';
const CONSUMER = 'porter';
/**
 * A watched line is looked at this often besides: kernel 6.1 wakes nobody when a chip goes, and an edge that was lost
 * would leave a button pressed for ever.
 */
export const LOOK_EVERY_MS = 10_000;

export class ChardevGpio implements GpioDriver {
  readonly name = 'chardev';
  readonly #kernel: Kernel;
  readonly #clock: Clock;

  constructor(kernel: Kernel, clock: Clock) {
    this.#kernel = kernel;
    this.#clock = clock;
  }

  openInput(name: string, spec: InputSpec): DigitalInput {
    const fd = this.#request(name, spec, (offset, consumer) => uapi.inputRequest(offset, consumer, spec));
    return new ChardevInput(name, fd, this.#kernel, this.#clock);
  }

  openOutput(name: string, spec: OutputSpec): DigitalOutput {
    const fd = this.#request(name, spec, (offset, consumer) => uapi.outputRequest(offset, consumer, spec));
    return new ChardevOutput(name, fd, spec.safe ?? false, this.#kernel);
  }

  #request(name: string, address: LineAddress, build: (offset: number, consumer: string) => Buffer): number {
    const { fd, info } = this.#openChip(name, address.chip);
    try {
      const offset = this.#offset(name, fd, info, address.line);
      const request = build(offset, `${CONSUMER} ${name}`);
      try {
        this.#kernel.ioctl(fd, uapi.GET_LINE, request);
      } catch (error) {
        throw this.#refusal(name, fd, info, offset, error);
      }
      return uapi.readRequestFd(request);
    } catch (error) {
      throw kernelError(`${name}: chip ${address.chip}`, error);
    } finally {
      this.#kernel.close(fd);
    }
  }

  /**
   * By path, or by label or name among all chips: the number of a chip changes with the kernel (the header of the Pi 5
   * was gpiochip4 and became gpiochip0), its label does not.
   */
  #openChip(name: string, chip: string): { fd: number; info: uapi.ChipInfo } {
    const paths = chip.startsWith('/') ? [chip] : this.#chipPaths();
    const seen: string[] = [];
    let denied: HalError | undefined;
    for (const path of paths) {
      try {
        const fd = this.#kernel.open(path);
        const info = this.#chipInfo(fd);
        if (chip === path || chip === info.label || chip === info.name) return { fd, info };
        seen.push(info.label);
        this.#kernel.close(fd);
      } catch (error) {
        const failure = kernelError(`${name}: ${path}`, error);
        if (chip === path) throw failure;
        if (failure.code === 'denied') denied = failure;
      }
    }
    if (denied !== undefined) throw denied;
    throw new HalError('missing', `${name}: there is no GPIO chip ${chip}; here are: ${seen.join(', ') || 'none'}`);
  }

  #chipPaths() {
    const number = (file: string) => Number(file.slice('gpiochip'.length));
    const files = this.#kernel.list(DEVICES).filter(file => /^gpiochip\d+$/.test(file));
    return files.sort((a, b) => number(a) - number(b)).map(file => `${DEVICES}/${file}`);
  }

  #chipInfo(fd: number) {
    const bytes = uapi.chipInfoBuffer();
    try {
      this.#kernel.ioctl(fd, uapi.GET_CHIP_INFO, bytes);
      return uapi.readChipInfo(bytes);
    } catch (error) {
      this.#kernel.close(fd);
      throw error;
    }
  }

  #lineInfo(fd: number, offset: number) {
    const bytes = uapi.lineInfoBuffer(offset);
    this.#kernel.ioctl(fd, uapi.GET_LINE_INFO, bytes);
    return uapi.readLineInfo(bytes);
  }

  #offset(name: string, fd: number, { label, lines }: uapi.ChipInfo, line: number | string): number {
    if (typeof line === 'number') {
      if (Number.isInteger(line) && line >= 0 && line < lines) return line;
      throw new HalError('missing', `${name}: chip ${label} has lines 0 to ${lines - 1}, not ${line}`);
    }
    for (let offset = 0; offset < lines; offset++) {
      if (this.#lineInfo(fd, offset).name === line) return offset;
    }
    throw new HalError('missing', `${name}: chip ${label} has no line named ${line}`);
  }

  #refusal(name: string, fd: number, { label }: uapi.ChipInfo, offset: number, error: unknown): HalError {
    const where = `${name}: line ${offset} of ${label}`;
    const failure = kernelError(where, error);
    const { code } = error as NodeJS.ErrnoException;
    if (failure.code === 'busy') {
      const { consumer } = this.#lineInfo(fd, offset);
      return new HalError('busy', `${where} is in use by ${consumer || 'the kernel'}`, { cause: error });
    }
    if (code === 'ENOTTY') {
      return new HalError('unsupported', `${where}: the kernel has no GPIO uAPI v2; 5.10 or newer is needed`, {
        cause: error,
      });
    }
    if (code === 'EINVAL') {
      return new HalError('unsupported', `${where}: the chip cannot do what was asked (bias, drive or debounce)`, {
        cause: error,
      });
    }
    return failure;
  }
}

class ChardevInput implements DigitalInput {
  readonly name: string;
  readonly #kernel: Kernel;
  readonly #clock: Clock;
  readonly #watchers = new Set<{ listener: (edge: Edge) => void; onError: ((error: HalError) => void) | undefined }>();
  readonly #events = Buffer.alloc(uapi.EVENT_BUFFER_EVENTS * uapi.EVENT_BYTES);
  #fd: number | undefined;
  #unwatch: (() => void) | undefined;
  #cancelLook: (() => void) | undefined;
  #sequence = 0;
  /** The level that watchers know of. */
  #active = false;

  constructor(name: string, fd: number, kernel: Kernel, clock: Clock) {
    this.name = name;
    this.#fd = fd;
    this.#kernel = kernel;
    this.#clock = clock;
  }

  read() {
    return readLine(this.name, this.#fd, this.#kernel);
  }

  watch(listener: (edge: Edge) => void, onError?: (error: HalError) => void) {
    const watcher = { listener, onError };
    this.#watchers.add(watcher);
    if (this.#fd !== undefined && this.#unwatch === undefined) {
      this.#forgetOldEdges(this.#fd);
      this.#unwatch = this.#kernel.watch(this.#fd, () => this.#readable());
      this.#lookLater();
    }
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.#rest();
    };
  }

  close() {
    this.#rest();
    this.#watchers.clear();
    if (this.#fd !== undefined) this.#kernel.close(this.#fd);
    this.#fd = undefined;
  }

  #rest() {
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  #lookLater() {
    this.#cancelLook = this.#clock.after(LOOK_EVERY_MS, () => this.#look(), 'look at line');
  }

  #look() {
    try {
      // One question to the kernel where nothing is new.
      if (this.read() !== this.#active) {
        this.#readable();
        if (this.#unwatch !== undefined) this.#tell(this.read(), this.#clock.now());
      }
    } catch (error) {
      this.#fail(kernelError(this.name, error));
    }
    // Not where it was found gone, or closed by a listener.
    if (this.#unwatch !== undefined) this.#lookLater();
  }

  /** Edges from before anybody watched are no news. */
  #forgetOldEdges(fd: number) {
    try {
      const count = this.#kernel.read(fd, this.#events) / uapi.EVENT_BYTES;
      if (count > 0) this.#sequence = uapi.readEvent(this.#events, (count - 1) * uapi.EVENT_BYTES).sequence;
      this.#active = this.read();
    } catch {
      // A line that has gone says so again as soon as it is watched.
    }
  }

  #readable() {
    if (this.#fd === undefined) return;
    try {
      const bytes = this.#kernel.read(this.#fd, this.#events);
      const events: uapi.LineEvent[] = [];
      for (let at = 0; at + uapi.EVENT_BYTES <= bytes; at += uapi.EVENT_BYTES)
        events.push(uapi.readEvent(this.#events, at));
      const nowMs = this.#clock.now();
      const monotonicNs = this.#kernel.monotonicNs();
      let lost = false;
      for (const { active, timestampNs, sequence } of events) {
        lost ||= sequence !== this.#sequence + 1;
        this.#sequence = sequence;
        this.#tell(active, nowMs - Number(monotonicNs - timestampNs) / 1e6);
      }
      // The kernel drops the oldest edges of a full buffer: the last word is the line's level now.
      if (lost) this.#tell(this.read(), nowMs);
    } catch (error) {
      this.#fail(kernelError(this.name, error));
    }
  }

  /** An edge to the level that is already known is half of a pair whose other half was lost: nothing changed. */
  #tell(active: boolean, atMs: number) {
    if (active === this.#active) return;
    this.#active = active;
    for (const { listener } of [...this.#watchers]) listener({ active, atMs });
  }

  #fail(error: HalError) {
    this.#rest();
    for (const { onError } of [...this.#watchers]) onError?.(error);
  }
}

class ChardevOutput implements DigitalOutput {
  readonly name: string;
  readonly safe: boolean;
  readonly #kernel: Kernel;
  #fd: number | undefined;

  constructor(name: string, fd: number, safe: boolean, kernel: Kernel) {
    this.name = name;
    this.safe = safe;
    this.#fd = fd;
    this.#kernel = kernel;
  }

  write(active: boolean) {
    try {
      this.#kernel.ioctl(open(this.name, this.#fd), uapi.SET_VALUES, uapi.valuesBuffer(active));
    } catch (error) {
      throw kernelError(this.name, error);
    }
  }

  read() {
    return readLine(this.name, this.#fd, this.#kernel);
  }

  close() {
    if (this.#fd === undefined) return;
    try {
      this.write(this.safe);
    } catch {
      // The chip has gone: nothing is left to drive.
    }
    this.#kernel.close(this.#fd);
    this.#fd = undefined;
  }
}

function open(name: string, fd: number | undefined): number {
  if (fd === undefined) throw new HalError('missing', `${name} is closed`);
  return fd;
}

function readLine(name: string, fd: number | undefined, kernel: Kernel): boolean {
  const bytes = uapi.valuesBuffer();
  try {
    kernel.ioctl(open(name, fd), uapi.GET_VALUES, bytes);
  } catch (error) {
    throw kernelError(name, error);
  }
  return uapi.readValue(bytes);
}
