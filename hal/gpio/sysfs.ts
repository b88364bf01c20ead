/** Lines by sysfs through the package `onoff`, for kernels without the character device. No bias, no kernel debounce. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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
import { kernelError } from '../kernel.ts';

/** A watched line is looked at this often besides: nothing wakes us when its chip goes. */
export const LOOK_EVERY_MS = 10_000;

/** The part of onoff 6 that is used. */
export interface OnoffGpio {
  readSync(): number;
  writeSync(value: number): void;
  watch(listener: (error: Error | null | undefined, value: number) => void): void;
  unwatchAll(): void;
  unexport(): void;
}

export type OnoffConstructor = new (
  gpio: number,
  direction: 'in' | 'high' | 'low',
  edge?: 'both',
  options?: { activeLow: boolean; reconfigureDirection?: boolean },
) => OnoffGpio;

export interface SysfsGpioOptions {
  clock: Clock;
  /** `Gpio` of the package onoff. */
  Gpio: OnoffConstructor;
  /** `/`, or the root of a tree that looks like it. */
  root?: string;
}

export class SysfsGpio implements GpioDriver {
  readonly name = 'sysfs';
  readonly #clock: Clock;
  readonly #Gpio: OnoffConstructor;
  readonly #root: string;
  readonly #taken = new Map<number, string>();

  constructor({ clock, Gpio, root = '/' }: SysfsGpioOptions) {
    this.#clock = clock;
    this.#Gpio = Gpio;
    this.#root = root;
  }

  openInput(name: string, spec: InputSpec): DigitalInput {
    if (spec.bias !== undefined && spec.bias !== 'disabled') {
      throw new HalError(
        'unsupported',
        `${name}: sysfs sets no ${spec.bias}; set it in the device tree and leave it out here`,
      );
    }
    const number = this.#take(name, spec);
    const line = this.#open(
      name,
      number,
      () => new this.#Gpio(number, 'in', 'both', { activeLow: spec.activeLow === true }),
    );
    return new SysfsInput(name, line, this.#clock, () => this.#taken.delete(number));
  }

  openOutput(name: string, spec: OutputSpec): DigitalOutput {
    if (spec.drive !== undefined && spec.drive !== 'push-pull') {
      throw new HalError('unsupported', `${name}: sysfs has no ${spec.drive} outputs; use the chardev driver`);
    }
    const number = this.#take(name, spec);
    const safe = spec.safe ?? false;
    // `high` and `low` set direction and physical level in one write (Documentation/ABI/obsolete/sysfs-gpio).
    const level = safe !== (spec.activeLow === true) ? 'high' : 'low';
    const options = { activeLow: spec.activeLow === true };
    const line = this.#open(name, number, () => new this.#Gpio(number, level, undefined, options));
    return new SysfsOutput(name, safe, line, () => this.#taken.delete(number));
  }

  /** sysfs numbers all lines of a machine in one row; where a chip's begin differs by kernel and board. */
  #take(name: string, { chip, line }: LineAddress): number {
    if (typeof line === 'string') {
      throw new HalError(
        'unsupported',
        `${name}: sysfs knows no line names; give the offset of ${line}, or use chardev`,
      );
    }
    const { base, count } = this.#findChip(name, chip);
    if (!Number.isInteger(line) || line < 0 || line >= count) {
      throw new HalError('missing', `${name}: chip ${chip} has lines 0 to ${count - 1}, not ${line}`);
    }
    const user = this.#taken.get(base + line);
    if (user !== undefined) throw new HalError('busy', `${name}: line ${line} of ${chip} is in use by ${user}`);
    return base + line;
  }

  #findChip(name: string, chip: string): { base: number; count: number } {
    const folder = join(this.#root, 'sys/class/gpio');
    const seen: string[] = [];
    try {
      for (const entry of readdirSync(folder).filter(file => file.startsWith('gpiochip'))) {
        const fact = (file: string) => readFileSync(join(folder, entry, file), 'utf8').trim();
        const label = fact('label');
        if (label === chip || entry === chip) return { base: Number(fact('base')), count: Number(fact('ngpio')) };
        seen.push(label);
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw kernelError(`${name}: ${folder}`, error);
      if (seen.length === 0) {
        throw new HalError('unsupported', `${name}: this kernel has no ${folder}; use the chardev driver`, {
          cause: error,
        });
      }
    }
    throw new HalError('missing', `${name}: there is no GPIO chip ${chip}; here are: ${seen.join(', ') || 'none'}`);
  }

  #open(name: string, number: number, create: () => OnoffGpio): OnoffGpio {
    try {
      const line = create();
      this.#taken.set(number, name);
      return line;
    } catch (error) {
      throw kernelError(`${name}: sysfs line ${number}`, error);
    }
  }
}

class SysfsInput implements DigitalInput {
  readonly name: string;
  readonly #clock: Clock;
  readonly #release: () => void;
  readonly #watchers = new Set<{ listener: (edge: Edge) => void; onError: ((error: HalError) => void) | undefined }>();
  #line: OnoffGpio | undefined;
  #active = false;
  #cancelLook: (() => void) | undefined;

  constructor(name: string, line: OnoffGpio, clock: Clock, release: () => void) {
    this.name = name;
    this.#line = line;
    this.#clock = clock;
    this.#release = release;
  }

  read() {
    return readLine(this.name, this.#line);
  }

  watch(listener: (edge: Edge) => void, onError?: (error: HalError) => void) {
    const watcher = { listener, onError };
    if (this.#watchers.size === 0 && this.#line !== undefined) {
      this.#active = this.read();
      this.#line.watch((error, value) => (error ? this.#fail(error) : this.#tell(value === 1)));
      this.#lookLater();
    }
    this.#watchers.add(watcher);
    return () => {
      if (this.#watchers.delete(watcher) && this.#watchers.size === 0) this.#rest();
    };
  }

  close() {
    if (this.#line === undefined) return;
    this.#watchers.clear();
    this.#rest();
    letGo(this.#line);
    this.#line = undefined;
    this.#release();
  }

  #rest() {
    this.#line?.unwatchAll();
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  #lookLater() {
    this.#cancelLook = this.#clock.after(LOOK_EVERY_MS, () => this.#look(), 'look at line');
  }

  #look() {
    try {
      this.#tell(this.read());
      if (this.#cancelLook !== undefined) this.#lookLater();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** sysfs keeps one interrupt, not each edge: two within a wake-up come as one, at the level of now. */
  #tell(active: boolean) {
    if (active === this.#active) return;
    this.#active = active;
    const edge = { active, atMs: this.#clock.now() };
    for (const { listener } of [...this.#watchers]) listener(edge);
  }

  #fail(error: unknown) {
    this.#rest();
    for (const { onError } of [...this.#watchers]) onError?.(kernelError(this.name, error));
  }
}

class SysfsOutput implements DigitalOutput {
  readonly name: string;
  readonly safe: boolean;
  readonly #release: () => void;
  #line: OnoffGpio | undefined;

  constructor(name: string, safe: boolean, line: OnoffGpio, release: () => void) {
    this.name = name;
    this.safe = safe;
    this.#line = line;
    this.#release = release;
  }

  write(active: boolean) {
    if (this.#line === undefined) throw new HalError('missing', `${this.name} is closed`);
    try {
      this.#line.writeSync(active ? 1 : 0);
    } catch (error) {
      throw kernelError(this.name, error);
    }
  }

  read() {
    return readLine(this.name, this.#line);
  }

  close() {
    if (this.#line === undefined) return;
    try {
      this.write(this.safe);
    } catch {
      // The chip has gone: nothing is left to drive.
    }
    letGo(this.#line);
    this.#line = undefined;
    this.#release();
  }
}

function readLine(name: string, line: OnoffGpio | undefined): boolean {
  if (line === undefined) throw new HalError('missing', `${name} is closed`);
  try {
    return line.readSync() === 1;
  } catch (error) {
    throw kernelError(name, error);
  }
}

function letGo(line: OnoffGpio) {
  try {
    line.unexport();
  } catch {
    // Gone with its chip.
  }
}
