/** What every GPIO driver does, whatever it is made of. */
import { beforeEach, describe, expect, test } from 'vitest';
import type {
  DigitalInput,
  DigitalOutput,
  Edge,
  GpioDriver,
  HalErrorCode,
  LineAddress,
} from '../../../hal/contracts.ts';
import { HalError } from '../../../hal/contracts.ts';

export interface GpioRig {
  driver: GpioDriver;
  chip: string;
  /** Offsets of a free input line and a free output line. */
  inputLine: number;
  outputLine: number;
  /** An offset past the chip's last line. */
  beyond: number;
  /** The world sets the level on the pin of `inputLine`. */
  drive(physical: boolean): void;
  /** Every level that the pin of `outputLine` had since it was last requested. */
  levels(): boolean[];
  vanish(): void;
  /** Resolves once the driver has had time to tell what was done. Absent: it tells at once. */
  settled?(): Promise<unknown>;
  /** Resolves once the driver has looked whether its chips are there. Absent: it sees that at once. */
  looked?(): Promise<unknown>;
}

export function codeOf(task: () => unknown): HalErrorCode | 'no error' {
  try {
    task();
    return 'no error';
  } catch (error) {
    if (error instanceof HalError) return error.code;
    throw error;
  }
}

export function gpioContract(makeRig: () => GpioRig) {
  let rig: GpioRig;
  let inputAt: LineAddress;
  let outputAt: LineAddress;
  beforeEach(() => {
    rig = makeRig();
    inputAt = { chip: rig.chip, line: rig.inputLine };
    outputAt = { chip: rig.chip, line: rig.outputLine };
  });
  const drive = async (physical: boolean) => {
    rig.drive(physical);
    await rig.settled?.();
  };
  const vanish = async () => {
    rig.vanish();
    await rig.looked?.();
  };
  const openInput = (activeLow = false): DigitalInput => rig.driver.openInput('button', { ...inputAt, activeLow });
  const openOutput = (safe = false, activeLow = false): DigitalOutput =>
    rig.driver.openOutput('relay', { ...outputAt, safe, activeLow });

  describe('an input', () => {
    test.each([false, true])('reads the logical level (active low: %s)', async activeLow => {
      const input = openInput(activeLow);
      for (const physical of [true, false, true]) {
        await drive(physical);
        expect(input.read()).toBe(physical !== activeLow);
      }
      expect(input.name).toBe('button');
    });

    test.each([false, true])('tells each edge in order, logical (active low: %s)', async activeLow => {
      await drive(activeLow);
      const input = openInput(activeLow);
      const edges: boolean[] = [];
      input.watch(({ active }) => edges.push(active));
      for (const active of [true, false, true, false]) await drive(active !== activeLow);
      expect(edges).toEqual([true, false, true, false]);
    });

    test('tells every watcher, and none that has left', async () => {
      await drive(false);
      const input = openInput();
      const first: Edge[] = [];
      const second: Edge[] = [];
      const leave = input.watch(edge => first.push(edge));
      input.watch(edge => second.push(edge));
      await drive(true);
      leave();
      leave();
      await drive(false);
      expect(first.map(({ active }) => active)).toEqual([true]);
      expect(second.map(({ active }) => active)).toEqual([true, false]);
    });

    test('can be watched again after all have left, and tells only what is new', async () => {
      await drive(false);
      const input = openInput();
      input.watch(() => {})();
      await drive(true);
      const edges: boolean[] = [];
      input.watch(({ active }) => edges.push(active));
      await drive(false);
      expect(edges).toEqual([false]);
    });

    test('is silent after it is closed, and its line is free', async () => {
      await drive(false);
      const input = openInput();
      const edges: Edge[] = [];
      input.watch(edge => edges.push(edge));
      input.close();
      input.close();
      await drive(true);
      expect(edges).toEqual([]);
      expect(codeOf(() => input.read())).toBe('missing');
      expect(openInput().read()).toBe(true);
    });

    test('whose chip vanishes is gone', async () => {
      const input = openInput();
      const errors: HalErrorCode[] = [];
      input.watch(
        () => {},
        error => errors.push(error.code),
      );
      await vanish();
      expect(errors).toEqual(['gone']);
      expect(codeOf(() => input.read())).toBe('gone');
      input.close();
    });
  });

  describe('an output', () => {
    test.each([
      { safe: false, activeLow: false },
      { safe: false, activeLow: true },
      { safe: true, activeLow: false },
      { safe: true, activeLow: true },
    ])('shows nothing but its safe level from the request on ($safe, active low $activeLow)', ({ safe, activeLow }) => {
      const output = openOutput(safe, activeLow);
      expect(new Set(rig.levels())).toEqual(new Set([safe !== activeLow]));
      expect(output.read()).toBe(safe);
      expect(output.safe).toBe(safe);
    });

    test.each([false, true])('writes and reads the logical level (active low: %s)', activeLow => {
      const output = openOutput(false, activeLow);
      for (const active of [true, false, true]) {
        output.write(active);
        expect(output.read()).toBe(active);
        expect(rig.levels().at(-1)).toBe(active !== activeLow);
      }
    });

    test.each([false, true])('goes to its safe level (%s) when closed, and its line is free', safe => {
      const output = openOutput(safe);
      output.write(!safe);
      output.close();
      output.close();
      expect(rig.levels().at(-1)).toBe(safe);
      expect(codeOf(() => output.write(true))).toBe('missing');
      expect(codeOf(() => output.read())).toBe('missing');
      expect(openOutput(safe).read()).toBe(safe);
    });

    test('whose chip vanishes is gone, and closes without a word', async () => {
      const output = openOutput();
      await vanish();
      expect(codeOf(() => output.write(true))).toBe('gone');
      expect(codeOf(() => output.read())).toBe('gone');
      output.close();
    });
  });

  describe('a request', () => {
    test('for a line in use is refused as busy', () => {
      openInput();
      openOutput();
      expect(codeOf(() => openInput())).toBe('busy');
      expect(codeOf(() => openOutput())).toBe('busy');
    });

    test.each<[string, (rig: GpioRig) => Partial<LineAddress>]>([
      ['another chip', () => ({ chip: 'pinctrl-nowhere' })],
      ['a line past the last', ({ beyond }) => ({ line: beyond })],
      ['a line before the first', () => ({ line: -1 })],
      ['half a line', () => ({ line: 1.5 })],
    ])('for %s is refused as missing', (_, change) => {
      const address = { ...inputAt, ...change(rig) };
      expect(codeOf(() => rig.driver.openInput('button', address))).toBe('missing');
      expect(codeOf(() => rig.driver.openOutput('relay', address))).toBe('missing');
    });
  });
}
