import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openBoard } from '../../../hal/board.ts';
import { boardNames, findBoard } from '../../../hal/boards/catalog.ts';
import { checkBoard } from '../../../hal/boards/check.ts';
import { raspberryPi4 } from '../../../hal/boards/raspberry-pi-4.ts';
import { simulated } from '../../../hal/boards/simulated.ts';
import type { BoardDefinition, OutputSpec } from '../../../hal/contracts.ts';
import { ChardevGpio } from '../../../hal/gpio/chardev.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { FakeGpioKernel, fakeChip } from './fake-gpio-kernel.ts';
import { codeOf } from './gpio-contract.ts';

describe('a board', () => {
  test('has its lines by name, and a hand where it is simulated', () => {
    const board = openBoard(simulated, { clock: new VirtualClock() });
    const pressed: boolean[] = [];
    board.input('button-1').watch(({ active }) => pressed.push(active));
    board.hand?.set('button-1', true);
    board.output('relay-1').write(true);
    expect(pressed).toEqual([true]);
    expect(board.output('relay-1').read()).toBe(true);
    expect(board.faults).toEqual([]);
    expect(board.watchdog).toBeDefined();
  });

  test('names its lines when asked for one that it has not', () => {
    const board = openBoard(simulated, { clock: new VirtualClock() });
    expect(() => board.output('relay-9')).toThrow(/simulated has no output relay-9; it has relay-1, relay-2/);
    expect(codeOf(() => board.input('relay-1'))).toBe('missing');
  });

  test('goes on without a line that is missing, and says which', () => {
    const definition: BoardDefinition = {
      ...simulated,
      inputs: { good: { chip: 'simulated', line: 1 }, bad: { chip: 'nowhere', line: 2 } },
      outputs: { lost: { chip: 'simulated', line: 99, safe: true } },
    };
    const board = openBoard(definition, { clock: new VirtualClock() });
    expect(board.faults.map(({ line, error }) => [line, error.code])).toEqual([
      ['lost', 'missing'],
      ['bad', 'missing'],
    ]);
    expect(board.input('good').read()).toBe(false);
    expect(codeOf(() => board.input('bad').read())).toBe('missing');
    expect(codeOf(() => board.output('lost').write(true))).toBe('missing');
    expect(codeOf(() => board.output('lost').read())).toBe('missing');
    expect(board.output('lost').safe).toBe(true);
    board.input('bad').watch(() => {})();
    board.close();
  });

  test('takes a line whose chip comes late, or that somebody lets go, and tells of it', () => {
    const clock = new VirtualClock();
    const header = fakeChip(
      '/dev/gpiochip3',
      'pinctrl-bcm2711',
      Array.from({ length: 58 }, () => ''),
    );
    const chips = [fakeChip('/dev/gpiochip0', 'another', ['-'])];
    const board = openBoard(raspberryPi4, { clock, gpio: new ChardevGpio(new FakeGpioKernel(chips), clock) });
    const mended: string[] = [];
    board.onMended = line => mended.push(line);
    expect(board.faults).toHaveLength(11);
    clock.advance(60_000);
    expect(mended).toEqual([]);

    header.lines[22]!.consumer = 'w1';
    chips.push(header);
    clock.advance(5_000);
    expect(mended).toHaveLength(10);
    expect(board.faults.map(({ line, error }) => [line, error.code])).toEqual([['relay-1', 'missing']]);
    expect(codeOf(() => board.output('relay-1').write(true))).toBe('missing');

    header.lines[22]!.consumer = '';
    clock.advance(5_000);
    expect(mended.at(-1)).toBe('relay-1');
    expect(header.lines[22]!.history).toEqual([false]);
    board.output('relay-1').write(true);
    expect(board.faults).toEqual([]);
    board.close();
    expect(clock.idle).toBe(true);
  });

  test('goes on without any line when its driver cannot run', () => {
    const gone = new FakeGpioKernel([]);
    const clock = new VirtualClock();
    const board = openBoard(raspberryPi4, { clock, gpio: new ChardevGpio(gone, clock) });
    expect(board.faults).toHaveLength(11);
    expect(board.hand).toBeUndefined();
  });

  test('opens a whole Raspberry Pi, and leaves every output safe', () => {
    const header = fakeChip(
      '/dev/gpiochip0',
      'pinctrl-bcm2711',
      Array.from({ length: 58 }, (_, i) => `GPIO${i}`),
    );
    const kernel = new FakeGpioKernel([header]);
    const clock = new VirtualClock();
    const board = openBoard(raspberryPi4, { clock, gpio: new ChardevGpio(kernel, clock) });
    expect(board.faults).toEqual([]);
    board.output('relay-1').write(true);
    kernel.drive('pinctrl-bcm2711', 5, true);
    expect(board.input('button-1').read()).toBe(false);
    board.close();
    expect(header.lines[22]!.history).toEqual([false, true, false]);
    expect(kernel.openFiles).toBe(0);
  });

  test('whose process is killed has its relay safe again from the next start on', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'porter-board-'));
    const level = () => readFileSync(join(folder, 'relay-1.level'), 'utf8').trim();
    const program = `
      import { openBoard } from '${join(import.meta.dirname, '../../../hal/board.ts')}';
      import { simulated } from '${join(import.meta.dirname, '../../../hal/boards/simulated.ts')}';
      const clock = { now: () => 0, after: () => () => {} };
      openBoard(simulated, { clock, stateDirectory: process.argv[1] }).output('relay-1').write(true);
      console.log('open');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program, folder]);
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(level()).toBe('1');
    openBoard(simulated, { clock: new VirtualClock(), stateDirectory: folder });
    expect(level()).toBe('0');
    rmSync(folder, { recursive: true });
  });
});

describe('the catalog', () => {
  test.each(boardNames)('%s has no fault that can be seen', name => {
    expect(checkBoard(findBoard(name)!)).toEqual([]);
  });

  test('has a board of each kind, with the same names on all of one', () => {
    expect(boardNames).toEqual(['simulated', 'raspberry-pi-4', 'raspberry-pi-5', 'raspberry-pi-zero-2', 'generic']);
    for (const name of boardNames.filter(other => other.startsWith('raspberry'))) {
      expect(Object.keys(findBoard(name)!.inputs)).toEqual(Object.keys(simulated.inputs));
      expect(Object.keys(findBoard(name)!.outputs)).toEqual(Object.keys(simulated.outputs));
    }
    expect(findBoard('raspberry-pi-1')).toBeUndefined();
  });
});

describe('a board definition is refused', () => {
  const chip = 'pinctrl-bcm2711';
  const remarks = (outputs: Record<string, OutputSpec>) =>
    checkBoard({ ...raspberryPi4, inputs: {}, outputs }).map(({ severity, line }) => `${severity} ${line}`);

  test.each<[string, OutputSpec, boolean]>([
    ['active high where the pin is pulled up', { chip, line: 4 }, true],
    ['the same by its line name', { chip, line: 'GPIO4' }, true],
    ['active low where the pin is pulled down', { chip, line: 22, activeLow: true }, true],
    ['safe when active where the pin is pulled down', { chip, line: 22, safe: true }, true],
    ['the serial transmitter', { chip, line: 14 }, true],
    ['active low where the pin is pulled up', { chip, line: 4, activeLow: true }, false],
    ['active high where the pin is pulled down', { chip, line: 22 }, false],
    ['a line of an unknown chip', { chip: 'pcf8574', line: 4 }, false],
    ['a line that is not on the header', { chip, line: 42 }, false],
  ])('or not: a relay that is %s', (_, spec, refused) => {
    expect(remarks({ 'relay-1': spec }).includes('error relay-1')).toBe(refused);
  });

  test('for a line used twice', () => {
    expect(remarks({ 'relay-1': { chip, line: 22 }, 'relay-2': { chip, line: 22 } })).toEqual(['error relay-2']);
  });

  test('and warned of a lamp that lights at boot, and of a pin that a sound card uses', () => {
    expect(remarks({ 'led-1': { chip, line: 6 }, 'led-2': { chip, line: 18 } })).toEqual([
      'warning led-2',
      'warning led-1',
    ]);
  });
});
