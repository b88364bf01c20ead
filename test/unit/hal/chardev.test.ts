import { describe, expect, test } from 'vitest';
import type { Edge, HalError, OutputSpec } from '../../../hal/contracts.ts';
import { ChardevGpio, LOOK_EVERY_MS } from '../../../hal/gpio/chardev.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { FakeGpioKernel, fakeChip } from './fake-gpio-kernel.ts';
import { codeOf, gpioContract } from './gpio-contract.ts';

function board() {
  const names = Array.from({ length: 54 }, (_, i) => (i < 28 ? `GPIO${i}` : ''));
  const header = fakeChip('/dev/gpiochip4', 'pinctrl-rp1', names);
  const other = fakeChip('/dev/gpiochip0', 'gpio-brcmstb', ['-', '-']);
  const kernel = new FakeGpioKernel([header, other]);
  const clock = new VirtualClock();
  return { header, other, kernel, clock, driver: new ChardevGpio(kernel, clock) };
}

const chip = 'pinctrl-rp1';

describe('the character device keeps the contract', () => {
  gpioContract(() => {
    const { header, kernel, clock, driver } = board();
    return {
      driver,
      chip,
      inputLine: 5,
      outputLine: 22,
      beyond: 54,
      drive: physical => kernel.drive(chip, 5, physical),
      levels: () => header.lines[22]!.history,
      vanish: () => kernel.vanish(chip),
      looked: async () => clock.advance(LOOK_EVERY_MS),
    };
  });
});

describe('the character device', () => {
  test.each(['pinctrl-rp1', 'gpiochip4', '/dev/gpiochip4'])('finds a chip as %s', address => {
    const { driver, kernel } = board();
    driver.openInput('button', { chip: address, line: 5 });
    // The chip's file is let go at once; only the line's stays.
    expect(kernel.openFiles).toBe(1);
  });

  test('finds a line by its name', () => {
    const { driver, kernel } = board();
    const input = driver.openInput('button', { chip, line: 'GPIO17' });
    kernel.drive(chip, 17, true);
    expect(input.read()).toBe(true);
    expect(codeOf(() => driver.openInput('button', { chip, line: 'GPIO99' }))).toBe('missing');
  });

  test('says who has a busy line', () => {
    const { driver, header } = board();
    header.lines[6]!.consumer = 'w1';
    expect(() => driver.openInput('button', { chip, line: 6 })).toThrow('line 6 of pinctrl-rp1 is in use by w1');
  });

  test('names the chips there are when one is missing, and leaves no file open', () => {
    const { driver, kernel } = board();
    expect(() => driver.openInput('button', { chip: 'pinctrl-bcm2711', line: 5 })).toThrow(
      /pinctrl-bcm2711.*gpio-brcmstb, pinctrl-rp1/,
    );
    expect(codeOf(() => driver.openInput('button', { chip: '/dev/gpiochip9', line: 5 }))).toBe('missing');
    expect(kernel.openFiles).toBe(0);
  });

  test('says that a kernel is too old', () => {
    const { driver, header } = board();
    header.old = true;
    expect(() => driver.openInput('button', { chip, line: 5 })).toThrow('5.10 or newer');
  });

  test('says that a file may not be opened', () => {
    const { kernel, clock } = board();
    const refuse = () => {
      throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
    };
    const list = kernel.list.bind(kernel);
    const driver = new ChardevGpio(Object.assign(kernel, { list, open: refuse }), clock);
    expect(codeOf(() => driver.openInput('button', { chip, line: 5 }))).toBe('denied');
  });

  test('asks the kernel for bias and debounce', () => {
    const { driver, header } = board();
    driver.openInput('a', { chip, line: 5, bias: 'pull-up', debounceMs: 12.5 });
    driver.openInput('b', { chip, line: 6, bias: 'pull-down', activeLow: true });
    driver.openInput('c', { chip, line: 7, bias: 'disabled' });
    expect(header.lines[5]).toMatchObject({ flags: 4n | 16n | 32n | 256n, debounceUs: 12_500n, consumer: 'porter a' });
    expect(header.lines[6]!.flags).toBe(2n | 4n | 16n | 32n | 512n);
    expect(header.lines[7]!.flags).toBe(4n | 16n | 32n | 1024n);
  });

  test.each<[OutputSpec['drive'], bigint]>([
    ['push-pull', 8n],
    ['open-drain', 8n | 64n],
    ['open-source', 8n | 128n],
  ])('asks the kernel for %s', (drive, flags) => {
    const { driver, header } = board();
    driver.openOutput('relay', { chip, line: 22, drive });
    expect(header.lines[22]!.flags).toBe(flags);
  });

  test('cuts a long name to what the kernel keeps of it', () => {
    const { driver, header } = board();
    driver.openInput('the-button-beside-the-back-door', { chip, line: 5 });
    expect(header.lines[5]!.consumer).toBe('porter the-button-beside-the-ba');
  });

  test('dates an edge by the kernel, not by when it was read', () => {
    const { driver, kernel, clock } = board();
    const edges: Edge[] = [];
    driver.openInput('button', { chip, line: 5 }).watch(edge => edges.push(edge));
    clock.advance(1000);
    kernel.hold();
    kernel.drive(chip, 5, true);
    clock.advance(40);
    kernel.nowNs += 40_000_000n;
    kernel.release();
    expect(edges).toEqual([{ active: true, atMs: 1000 }]);
  });

  test('ends at the true level when the kernel has dropped edges', () => {
    const { driver, kernel } = board();
    const edges: boolean[] = [];
    driver.openInput('button', { chip, line: 5 }).watch(({ active }) => edges.push(active));
    kernel.hold();
    for (let i = 1; i <= 201; i++) kernel.drive(chip, 5, i % 2 === 1);
    kernel.release();
    expect(edges.at(-1)).toBe(true);
    for (const [i, active] of edges.entries()) expect(active).toBe(i % 2 === 0);
  });

  test('watches its file only while somebody listens', () => {
    const { driver, kernel } = board();
    const input = driver.openInput('button', { chip, line: 5 });
    expect(kernel.watchedFiles).toBe(0);
    const leave = input.watch(() => {});
    expect(kernel.watchedFiles).toBe(1);
    leave();
    expect(kernel.watchedFiles).toBe(0);
    input.watch(() => {});
    input.close();
    expect([kernel.watchedFiles, kernel.openFiles]).toEqual([0, 0]);
  });

  test('stops listening to a chip that has gone', () => {
    const { driver, kernel, clock } = board();
    const errors: HalError[] = [];
    driver.openInput('button', { chip, line: 5 }).watch(
      () => {},
      error => errors.push(error),
    );
    kernel.vanish(chip, { wakes: true });
    kernel.vanish(chip, { wakes: true });
    expect(errors).toHaveLength(1);
    expect(kernel.watchedFiles).toBe(0);
    expect(clock.idle).toBe(true);
  });
});
