/** Lines in memory: inputs that a hand moves, outputs that can be looked at. The board of the demo and of every test. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
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

/** The one chip there is; an address that names another is `missing`, as on a real board. */
export const SIMULATED_CHIP = 'simulated';
/** Offsets 0 to 63; line names are free. */
const LINES = 64;

export interface SimulatedGpioOptions {
  clock: Clock;
  /**
   * Keeps each output's physical level in a file `<line>.level` here, as hardware does when its process is killed: what
   * the files say between two starts is what the relay did.
   */
  stateDirectory?: string | undefined;
}

interface Line {
  /** Undefined until something drives it. */
  physical: boolean | undefined;
  user: string | undefined;
}

interface Watcher {
  listener: (edge: Edge) => void;
  onError: ((error: HalError) => void) | undefined;
}

export class SimulatedGpio implements GpioDriver {
  readonly name = 'simulated';
  readonly #clock: Clock;
  readonly #stateDirectory: string | undefined;
  readonly #lines = new Map<string, Line>();
  readonly #inputs = new Map<string, SimulatedInput>();
  #pulled = false;

  constructor({ clock, stateDirectory }: SimulatedGpioOptions) {
    this.#clock = clock;
    this.#stateDirectory = stateDirectory;
  }

  openInput(name: string, spec: InputSpec): DigitalInput {
    const line = this.#take(name, spec);
    // An input that nothing drives sits at its pull, and without one at its inactive level.
    line.physical ??=
      spec.bias === undefined || spec.bias === 'disabled' ? spec.activeLow === true : spec.bias === 'pull-up';
    const input = new SimulatedInput(name, line, spec.activeLow === true, this.#clock, () => {
      line.user = undefined;
      this.#inputs.delete(name);
    });
    this.#inputs.set(name, input);
    if (this.#pulled) input.vanish();
    return input;
  }

  openOutput(name: string, spec: OutputSpec): DigitalOutput {
    const line = this.#take(name, spec);
    return new SimulatedOutput(
      name,
      spec.safe ?? false,
      level => {
        if (this.#pulled) throw gone(name);
        line.physical = level !== (spec.activeLow === true);
        this.#keep(spec, line.physical);
      },
      () => {
        if (this.#pulled) throw gone(name);
        return line.physical !== (spec.activeLow === true);
      },
      () => {
        line.user = undefined;
      },
    );
  }

  /** Moves an input as a hand would; watchers hear of it at once. Throws HalError `missing` for an input not open. */
  set(input: string, active: boolean) {
    const open = this.#inputs.get(input);
    if (open === undefined) throw new HalError('missing', `no input ${input} is open on the simulated board`);
    open.move(active);
  }

  /** Sets the level on a line's pin, as what is wired to it would. */
  drive(line: LineAddress['line'], physical: boolean) {
    const key = String(line);
    const known = this.#lines.get(key) ?? { physical, user: undefined };
    known.physical = physical;
    this.#lines.set(key, known);
    for (const input of this.#inputs.values()) if (input.line === known) input.changed();
  }

  /** The chip vanishes, as an expander does when its bus fails: every line is `gone` from now on. */
  unplug() {
    this.#pulled = true;
    for (const input of this.#inputs.values()) input.vanish();
  }

  /** The physical level of a line, as a meter on the pin would show it. */
  physical(line: LineAddress['line']): boolean {
    return this.#lines.get(String(line))?.physical ?? false;
  }

  #take(name: string, { chip, line }: LineAddress): Line {
    if (chip !== SIMULATED_CHIP)
      throw new HalError('missing', `${name}: there is no chip ${chip}, only ${SIMULATED_CHIP}`);
    if (typeof line === 'number' && !(Number.isInteger(line) && line >= 0 && line < LINES)) {
      throw new HalError('missing', `${name}: chip ${chip} has lines 0 to ${LINES - 1}, not ${line}`);
    }
    const key = String(line);
    const known = this.#lines.get(key) ?? { physical: undefined, user: undefined };
    if (known.user !== undefined) throw new HalError('busy', `${name}: line ${key} is in use by ${known.user}`);
    known.user = name;
    this.#lines.set(key, known);
    return known;
  }

  #keep({ line }: LineAddress, physical: boolean) {
    if (this.#stateDirectory === undefined) return;
    // Not recursive: the folder above is the caller's, and Node never gives up on one that cannot be made.
    if (!existsSync(this.#stateDirectory)) mkdirSync(this.#stateDirectory);
    writeFileSync(this.#file(String(line)), physical ? '1\n' : '0\n');
  }

  #file(line: string) {
    return join(this.#stateDirectory ?? '', `${encodeURIComponent(line)}.level`);
  }
}

const gone = (name: string) => new HalError('gone', `${name}: its chip has gone`);

class SimulatedInput implements DigitalInput {
  readonly name: string;
  readonly line: Line;
  readonly #activeLow: boolean;
  readonly #clock: Clock;
  readonly #release: () => void;
  readonly #watchers = new Set<Watcher>();
  #error: HalError | undefined;
  #closed = false;

  constructor(name: string, line: Line, activeLow: boolean, clock: Clock, release: () => void) {
    this.name = name;
    this.line = line;
    this.#activeLow = activeLow;
    this.#clock = clock;
    this.#release = release;
  }

  read() {
    if (this.#error !== undefined) throw this.#error;
    return this.line.physical !== this.#activeLow;
  }

  watch(listener: Watcher['listener'], onError?: Watcher['onError']) {
    const watcher = { listener, onError };
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** Puts the pin at this logical level. */
  move(active: boolean) {
    const physical = active !== this.#activeLow;
    if (this.#error !== undefined || this.line.physical === physical) return;
    this.line.physical = physical;
    this.changed();
  }

  changed() {
    if (this.#error !== undefined) return;
    const edge = { active: this.read(), atMs: this.#clock.now() };
    for (const { listener } of [...this.#watchers]) listener(edge);
  }

  vanish() {
    this.#error = gone(this.name);
    for (const { onError } of [...this.#watchers]) onError?.(this.#error);
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#error = new HalError('missing', `${this.name} is closed`);
    this.#watchers.clear();
    this.#release();
  }
}

class SimulatedOutput implements DigitalOutput {
  readonly name: string;
  readonly safe: boolean;
  readonly #set: (active: boolean) => void;
  readonly #get: () => boolean;
  readonly #release: () => void;
  #closed = false;

  constructor(name: string, safe: boolean, set: (active: boolean) => void, get: () => boolean, release: () => void) {
    this.name = name;
    this.safe = safe;
    this.#set = set;
    this.#get = get;
    this.#release = release;
    set(safe);
  }

  write(active: boolean) {
    this.#check();
    this.#set(active);
  }

  read() {
    this.#check();
    return this.#get();
  }

  close() {
    if (this.#closed) return;
    try {
      this.#set(this.safe);
    } catch {
      // The line has gone: nothing is left to drive.
    }
    this.#closed = true;
    this.#release();
  }

  #check() {
    if (this.#closed) throw new HalError('missing', `${this.name} is closed`);
  }
}
