import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Edge } from '../../../hal/contracts.ts';
import { SIMULATED_CHIP as chip, SimulatedGpio } from '../../../hal/gpio/simulated.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { codeOf, gpioContract } from './gpio-contract.ts';

const stateDirectory = mkdtempSync(join(tmpdir(), 'porter-lines-'));
afterAll(() => rmSync(stateDirectory, { recursive: true }));

describe('simulated lines keep the contract', () => {
  gpioContract(() => {
    const driver = new SimulatedGpio({ clock: new VirtualClock() });
    return {
      driver,
      chip,
      inputLine: 5,
      outputLine: 22,
      beyond: 64,
      drive: physical => driver.drive(5, physical),
      levels: () => [driver.physical(22)],
      vanish: () => driver.unplug(),
    };
  });
});

describe('simulated lines', () => {
  test('a hand moves an input by its name, at the time of the clock', () => {
    const clock = new VirtualClock();
    const gpio = new SimulatedGpio({ clock });
    const input = gpio.openInput('button-1', { chip, line: 'front', activeLow: true, bias: 'pull-up' });
    const edges: Edge[] = [];
    input.watch(edge => edges.push(edge));
    expect(input.read()).toBe(false);
    clock.advance(120);
    gpio.set('button-1', true);
    gpio.set('button-1', true);
    expect(edges).toEqual([{ active: true, atMs: 120 }]);
    expect(gpio.physical('front')).toBe(false);
  });

  test('there is no hand for an input that is not open', () => {
    const gpio = new SimulatedGpio({ clock: new VirtualClock() });
    expect(codeOf(() => gpio.set('button-9', true))).toBe('missing');
  });

  test.each([
    ['pull-up', true],
    ['pull-down', false],
    ['disabled', false],
  ] as const)('an input with %s rests there', (bias, physical) => {
    const gpio = new SimulatedGpio({ clock: new VirtualClock() });
    expect(gpio.openInput('contact', { chip, line: 1, bias }).read()).toBe(physical);
  });

  test('an output keeps its level when the process is killed, and the next start drives it safe', () => {
    const kept = () => readFileSync(join(stateDirectory, 'relay%2F1.level'), 'utf8');
    const spec = { chip, line: 'relay/1', activeLow: true, safe: false };
    const start = () => new SimulatedGpio({ clock: new VirtualClock(), stateDirectory }).openOutput('relay-1', spec);
    const first = start();
    expect(kept()).toBe('1\n');
    first.write(true);
    expect(kept()).toBe('0\n');
    // Killed here: nothing is closed.
    expect(start().read()).toBe(false);
    expect(kept()).toBe('1\n');
  });
});
