import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { OnoffGpio } from '../../../hal/gpio/sysfs.ts';
import { LOOK_EVERY_MS, SysfsGpio } from '../../../hal/gpio/sysfs.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { codeOf, gpioContract } from './gpio-contract.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** A tree like /sys/class/gpio of a Pi 5 with kernel 6.12: the header's base is 571. */
function tree() {
  const root = mkdtempSync(join(tmpdir(), 'porter-sysfs-'));
  folders.push(root);
  for (const [name, label, base, ngpio] of [
    ['gpiochip512', 'gpio-brcmstb', 512, 17],
    ['gpiochip571', 'pinctrl-rp1', 571, 54],
  ] as const) {
    const folder = join(root, 'sys/class/gpio', name);
    mkdirSync(folder, { recursive: true });
    for (const [file, fact] of Object.entries({ label, base, ngpio })) writeFileSync(join(folder, file), `${fact}\n`);
  }
  return root;
}

const errno = (code: string) => Object.assign(new Error(code), { code });

/** The kernel behind the package onoff: physical levels by global number. */
function fakeOnoff() {
  const levels = new Map<number, boolean[]>();
  const open = new Map<number, Gpio>();
  const taken = new Set<number>();
  let gone = false;

  class Gpio implements OnoffGpio {
    readonly #number: number;
    readonly #activeLow: boolean;
    listeners: ((error: Error | undefined, value: number) => void)[] = [];

    constructor(number: number, direction: 'in' | 'high' | 'low', edge?: 'both', options?: { activeLow: boolean }) {
      if (taken.has(number)) throw errno('EBUSY');
      if (number < 571 || number >= 571 + 54) throw errno('EINVAL');
      this.#number = number;
      this.#activeLow = options?.activeLow === true;
      // As the package: a watch without an edge would hear nothing.
      if (direction === 'in' && edge !== 'both') throw new Error('no edge asked for');
      if (direction !== 'in') levels.set(number, [direction === 'high']);
      open.set(number, this);
    }
    readSync() {
      if (gone) throw errno('ENODEV');
      return (levels.get(this.#number)?.at(-1) ?? false) !== this.#activeLow ? 1 : 0;
    }
    writeSync(value: number) {
      if (gone) throw errno('ENODEV');
      levels.get(this.#number)!.push((value === 1) !== this.#activeLow);
    }
    watch(listener: (error: Error | undefined, value: number) => void) {
      this.listeners.push(listener);
    }
    unwatchAll() {
      this.listeners = [];
    }
    unexport() {
      this.listeners = [];
      open.delete(this.#number);
    }
  }

  return {
    Gpio,
    taken,
    levels: (number: number) => levels.get(number) ?? [],
    drive(number: number, physical: boolean) {
      if (levels.get(number)?.at(-1) === physical) return;
      levels.set(number, [physical]);
      const line = open.get(number);
      for (const listener of line?.listeners ?? []) listener(undefined, line!.readSync());
    },
    /** An interrupt whose level is as before: two edges came as one. */
    interrupt(number: number) {
      const line = open.get(number);
      for (const listener of line?.listeners ?? []) listener(undefined, line!.readSync());
    },
    vanish() {
      gone = true;
    },
  };
}

function board() {
  const onoff = fakeOnoff();
  const clock = new VirtualClock();
  return { onoff, clock, driver: new SysfsGpio({ clock, Gpio: onoff.Gpio, root: tree() }) };
}

const chip = 'pinctrl-rp1';

describe('sysfs keeps the contract', () => {
  gpioContract(() => {
    const { onoff, clock, driver } = board();
    return {
      driver,
      chip,
      inputLine: 5,
      outputLine: 22,
      beyond: 54,
      drive: physical => onoff.drive(576, physical),
      levels: () => onoff.levels(593),
      vanish: onoff.vanish,
      looked: async () => clock.advance(LOOK_EVERY_MS),
    };
  });
});

describe('sysfs', () => {
  test('refuses what it cannot do, with what to do instead', () => {
    const { driver } = board();
    expect(() => driver.openInput('button', { chip, line: 5, bias: 'pull-up' })).toThrow('device tree');
    expect(() => driver.openOutput('relay', { chip, line: 5, drive: 'open-drain' })).toThrow('chardev');
    expect(codeOf(() => driver.openInput('button', { chip, line: 'GPIO5' }))).toBe('unsupported');
    expect(codeOf(() => driver.openInput('button', { chip, line: 5, bias: 'disabled' }))).toBe('no error');
  });

  test('names the chips there are when one is missing', () => {
    const { driver } = board();
    expect(() => driver.openInput('button', { chip: 'pinctrl-bcm2711', line: 5 })).toThrow(/gpio-brcmstb, pinctrl-rp1/);
  });

  test('says that the kernel has no sysfs lines', () => {
    const { Gpio } = fakeOnoff();
    const driver = new SysfsGpio({ clock: new VirtualClock(), Gpio, root: '/nonexistent' });
    expect(codeOf(() => driver.openInput('button', { chip, line: 5 }))).toBe('unsupported');
  });

  test('says that the kernel has given the line to somebody else, and may try again', () => {
    const { driver, onoff } = board();
    onoff.taken.add(576);
    expect(codeOf(() => driver.openInput('button', { chip, line: 5 }))).toBe('busy');
    onoff.taken.clear();
    expect(codeOf(() => driver.openInput('button', { chip, line: 5 }))).toBe('no error');
  });

  test('tells nothing when two edges came as one', () => {
    const { driver, onoff } = board();
    onoff.drive(576, false);
    const edges: boolean[] = [];
    driver.openInput('button', { chip, line: 5 }).watch(({ active }) => edges.push(active));
    onoff.interrupt(576);
    onoff.drive(576, true);
    onoff.interrupt(576);
    expect(edges).toEqual([true]);
  });
});
