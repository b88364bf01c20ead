/** The contract of lines on the kernel's own: the character device, and sysfs through the package onoff. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../firmware/lib/clock.ts';
import type { DigitalInput, DigitalOutput, Edge, GpioDriver } from '../../../hal/contracts.ts';
import { LOOK_EVERY_MS } from '../../../hal/gpio/chardev.ts';
import { openGpio } from '../../../hal/gpio/open.ts';
import { EVENT_BUFFER_EVENTS } from '../../../hal/gpio/uapi.ts';
import { passes, until } from '../../peers/support/until.ts';
import { codeOf, gpioContract } from '../../unit/hal/gpio-contract.ts';
import { SimChip, tracedLevels, traceLines } from './gpio-sim.ts';

const label = 'pinctrl-bcm2711';
const lines = 58;
/** For an edge to come out of the kernel, through a thread, to the event loop. */
const SETTLED_MS = 30;
/** The simulator's interrupts come with the kernel's tick of 10 ms: faster edges would be one. */
const STEP_MS = 15;

const nobodyWrites = new Int32Array(new SharedArrayBuffer(4));
/** Keeps the event loop from hearing anything, and lets time pass: where time travels, computing takes none. */
const stall = (forMs: number) => Atomics.wait(nobodyWrites, 0, 0, forMs);

const chips: SimChip[] = [];
const opened: (DigitalInput | DigitalOutput)[] = [];

/** The driver, with every line let go after the test: a chip of which one is held keeps its numbers for ever. */
function driverOf(name: 'chardev' | 'sysfs'): GpioDriver {
  const driver = openGpio(name, { clock: systemClock });
  const keep = <Line extends DigitalInput | DigitalOutput>(line: Line) => {
    opened.push(line);
    return line;
  };
  return {
    name,
    openInput: (line, spec) => keep(driver.openInput(line, spec)),
    openOutput: (line, spec) => keep(driver.openOutput(line, spec)),
  };
}

function chip(spec: Partial<ConstructorParameters<typeof SimChip>[0]> = {}) {
  const made = new SimChip({ label, lines, ...spec });
  chips.push(made);
  made.plug();
  return made;
}
afterEach(() => {
  for (const line of opened.splice(0)) line.close();
  for (const made of chips.splice(0).reverse()) made.discard();
});

describe.each(['chardev', 'sysfs'] as const)('%s keeps the contract on a real kernel', name => {
  gpioContract(() => {
    const made = chip();
    const inputLine = 5;
    const outputLine = 22;
    const number = made.number(outputLine);
    traceLines();
    return {
      driver: driverOf(name),
      chip: label,
      inputLine,
      outputLine,
      beyond: lines,
      drive: physical => made.drive(inputLine, physical),
      levels: () => tracedLevels().flatMap(({ line, level }) => (line === number ? [level] : [])),
      vanish: () => made.unplug(),
      settled: () => passes(SETTLED_MS),
      looked: () => passes(LOOK_EVERY_MS + 500),
    };
  });
});

describe.each(['chardev', 'sysfs'] as const)('%s on a real kernel', name => {
  test('finds a chip by its label, whatever number the kernel has given it', () => {
    chip({ label: 'another', lines: 9 });
    const made = chip();
    const driver = driverOf(name);
    made.drive(5, true);
    const input = driver.openInput('button', { chip: label, line: 5 });
    expect(input.read()).toBe(true);
  });

  test('says who or that somebody else has taken a line', () => {
    chip({ hogs: { 6: 'w1' } });
    const driver = driverOf(name);
    expect(codeOf(() => driver.openInput('button', { chip: label, line: 6 }))).toBe('busy');
    expect(codeOf(() => driver.openOutput('relay', { chip: label, line: 6 }))).toBe('busy');
    if (name === 'chardev') expect(() => driver.openInput('button', { chip: label, line: 6 })).toThrow('in use by w1');
  });

  test('names the chips there are when one is missing', () => {
    chip();
    const driver = driverOf(name);
    expect(() => driver.openInput('button', { chip: 'pinctrl-rp1', line: 5 })).toThrow(label);
  });

  test('a line that a killed process left behind is taken over at its safe level', async () => {
    const made = chip();
    const number = made.number(22);
    const holder = spawn(process.execPath, [join(import.meta.dirname, 'hold-line.ts'), name, label, '22']);
    await once(holder.stdout, 'data');
    expect(made.level(22)).toBe(true);
    const ended = once(holder, 'exit');
    holder.kill('SIGKILL');
    await ended;
    // The kernel frees a line of the character device, and keeps one of sysfs as it was.
    traceLines();
    driverOf(name).openOutput('relay', { chip: label, line: 22 });
    expect(tracedLevels().filter(({ line }) => line === number)).toEqual([{ line: number, level: false }]);
  });
});

describe('the character device on a real kernel', () => {
  const driver = driverOf('chardev');

  test('finds a line by its name', () => {
    const made = chip({ names: { 17: 'GPIO17' } });
    made.drive(17, true);
    const input = driver.openInput('button', { chip: label, line: 'GPIO17' });
    expect(input.read()).toBe(true);
    expect(codeOf(() => driver.openInput('button', { chip: label, line: 'GPIO18' }))).toBe('missing');
  });

  test('asks for bias, which the kernel keeps', () => {
    const made = chip();
    const input = driver.openInput('button', { chip: label, line: 5, bias: 'pull-up', activeLow: true });
    expect(made.level(5)).toBe(true);
    expect(input.read()).toBe(false);
  });

  test('tells every edge of a burst, dated by the kernel', async () => {
    const made = chip();
    const input = driver.openInput('button', { chip: label, line: 5 });
    const edges: Edge[] = [];
    input.watch(edge => edges.push(edge));
    const beganMs = systemClock.now();
    for (let i = 0; i < 10; i++) {
      made.drive(5, i % 2 === 0);
      stall(STEP_MS);
    }
    const endedMs = systemClock.now();
    await until('ten edges', () => edges.length === 10, { detail: () => JSON.stringify(edges) });
    expect(edges.map(({ active }) => active)).toEqual(Array.from({ length: 10 }, (_, i) => i % 2 === 0));
    for (const { atMs } of edges) {
      expect(atMs).toBeGreaterThanOrEqual(beganMs - 1);
      expect(atMs).toBeLessThanOrEqual(endedMs + 1);
    }
  });

  test('ends at the true level when the kernel has dropped edges', async () => {
    const made = chip();
    const input = driver.openInput('button', { chip: label, line: 5 });
    const edges: boolean[] = [];
    input.watch(({ active }) => edges.push(active));
    for (let i = 1; i <= 101; i++) {
      made.drive(5, i % 2 === 1);
      stall(STEP_MS);
    }
    await passes(100);
    expect(edges.length).toBeGreaterThan(EVENT_BUFFER_EVENTS / 2);
    expect(edges.length).toBeLessThan(101);
    expect(edges.at(-1)).toBe(true);
    for (const [i, active] of edges.entries()) expect(active).toBe(i % 2 === 0);
  });

  test('debounces in the kernel where that is asked for', async () => {
    const made = chip();
    const input = driver.openInput('button', { chip: label, line: 5, debounceMs: 50 });
    const edges: boolean[] = [];
    input.watch(({ active }) => edges.push(active));
    for (let i = 1; i <= 7; i++) {
      made.drive(5, i % 2 === 1);
      stall(STEP_MS);
    }
    await passes(300);
    expect(edges).toEqual([true]);
  });
});
