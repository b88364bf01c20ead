/** Chips of the kernel's own GPIO simulator: made by configfs, driven by sysfs, their outputs told by tracepoints. */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CONFIG = '/sys/kernel/config/gpio-sim';
const TRACING = '/sys/kernel/tracing';

export interface SimChipSpec {
  /** As a board definition names it. */
  label: string;
  lines: number;
  /** Offset → the kernel's name of the line. */
  names?: Readonly<Record<number, string>>;
  /** Offset → who has taken the line before anybody else could. */
  hogs?: Readonly<Record<number, string>>;
}

let made = 0;

export class SimChip {
  readonly #folder: string;
  readonly #spec: SimChipSpec;

  /** Not there before `plug`. */
  constructor(spec: SimChipSpec) {
    this.#spec = spec;
    this.#folder = join(CONFIG, `rig-${++made}`);
    mkdirSync(join(this.#folder, 'bank'), { recursive: true });
    this.#set('bank/num_lines', spec.lines);
    this.#set('bank/label', spec.label);
    for (const offset of this.#described()) mkdirSync(join(this.#folder, `bank/line${offset}`));
    for (const [offset, name] of Object.entries(spec.names ?? {})) this.#set(`bank/line${offset}/name`, name);
    for (const [offset, user] of Object.entries(spec.hogs ?? {})) {
      mkdirSync(join(this.#folder, `bank/line${offset}/hog`));
      this.#set(`bank/line${offset}/hog/name`, user);
      this.#set(`bank/line${offset}/hog/direction`, 'input');
    }
  }

  plug() {
    this.#set('live', 1);
  }

  unplug() {
    if (this.#get('live') === '1') this.#set('live', 0);
  }

  /** The world sets the level on the pin. */
  drive(offset: number, physical: boolean) {
    writeFileSync(join(this.#pin(offset), 'pull'), physical ? 'pull-up' : 'pull-down');
  }

  /** The level on the pin, whoever sets it. */
  level(offset: number): boolean {
    return readFileSync(join(this.#pin(offset), 'value'), 'utf8').trim() === '1';
  }

  /** The line's number among all lines of the machine. */
  number(offset: number): number {
    const classes = '/sys/class/gpio';
    for (const chip of readdirSync(classes).filter(name => name.startsWith('gpiochip'))) {
      const fact = (name: string) => readFileSync(join(classes, chip, name), 'utf8').trim();
      if (fact('label') === this.#spec.label) return Number(fact('base')) + offset;
    }
    throw new Error(`no chip ${this.#spec.label} in ${classes}`);
  }

  /** The chip's name: `gpiochip0`. */
  get name() {
    return this.#get('bank/chip_name');
  }

  discard() {
    this.unplug();
    for (const offset of Object.keys(this.#spec.hogs ?? {})) rmdirSync(join(this.#folder, `bank/line${offset}/hog`));
    for (const offset of this.#described()) rmdirSync(join(this.#folder, `bank/line${offset}`));
    rmdirSync(join(this.#folder, 'bank'));
    rmdirSync(this.#folder);
  }

  #described() {
    return new Set([...Object.keys(this.#spec.names ?? {}), ...Object.keys(this.#spec.hogs ?? {})]);
  }

  #pin(offset: number) {
    return join('/sys/devices/platform', this.#get('dev_name'), this.name, `sim_gpio${offset}`);
  }

  #set(file: string, value: string | number) {
    writeFileSync(join(this.#folder, file), String(value));
  }

  #get(file: string) {
    return readFileSync(join(this.#folder, file), 'utf8').trim();
  }
}

/** From now on the kernel writes down what happens to lines; what it wrote before is forgotten. */
export function traceLines() {
  writeFileSync(join(TRACING, 'events/gpio/enable'), '1');
  writeFileSync(join(TRACING, 'trace'), '');
}

/** Every physical level that outputs had since `traceLines`, in order: line number and level. */
export function tracedLevels(): { line: number; level: boolean }[] {
  const text = readFileSync(join(TRACING, 'trace'), 'utf8');
  return [...text.matchAll(/gpio_value: (\d+) set ([01])/g)].map(([, line, level]) => ({
    line: Number(line),
    level: level === '1',
  }));
}
