/** The self-test where no device answers: it takes nothing from a program that has it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { testAlone } from '../../../firmware/self-test/alone.ts';
import { simulated } from '../../../hal/boards/simulated.ts';
import { SimulatedGpio } from '../../../hal/gpio/simulated.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'porter-alone-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a line that is in use is told, the others are given back, and no tone is played', async () => {
  const file = join(folder, 'porter.json');
  writeFileSync(file, JSON.stringify({ board: { name: 'simulated' } }));
  const gpio = new SimulatedGpio({ clock: new VirtualClock() });
  const relay = simulated.outputs['relay-1']!;
  const held = gpio.openOutput('the door', relay);
  held.write(true);
  const alone = await testAlone(file, folder, '0.0.0', gpio);
  expect(alone.busy).toEqual(['relay-1']);
  expect(alone.faults['relay-1']).toContain('in use by the door');
  expect(alone.sound).toEqual({ why: 'left alone, since relay-1 is in use', busy: true });
  expect(held.read()).toBe(true);
  expect(() => gpio.openOutput('relay-2', simulated.outputs['relay-2']!)).not.toThrow();
});
