/** The real system calls, on what every Linux machine has: a named pipe. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { systemClock } from '../../../firmware/lib/clock.ts';
import { ioc, kernelError, linuxKernel } from '../../../hal/kernel.ts';
import { codeOf } from './gpio-contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'porter-kernel-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** FIONREAD of asm-generic/ioctls.h: bytes that wait. */
const BYTES_WAITING = 0x541b;

function pipe(name: string) {
  const path = join(folder, name);
  spawnSync('mkfifo', [path]);
  return path;
}

test('request numbers are those of the kernel headers', () => {
  expect(ioc(2, 0xb4, 0x01, 68)).toBe(0x8044b401);
  expect(ioc(3, 0xb4, 0x07, 592)).toBe(0xc250b407);
  expect(ioc(3, 0x57, 6, 4)).toBe(0xc0045706);
});

test('a file is opened, written, asked by ioctl, read without waiting, and closed', () => {
  const kernel = linuxKernel(systemClock);
  const fd = kernel.open(pipe('one'));
  const waiting = Buffer.alloc(4);
  const read = Buffer.alloc(16);
  expect(kernel.read(fd, read)).toBe(0);
  kernel.write(fd, Buffer.from('hello'));
  kernel.ioctl(fd, BYTES_WAITING, waiting);
  expect(waiting.readInt32LE()).toBe(5);
  expect(kernel.read(fd, read)).toBe(5);
  expect(read.toString('latin1', 0, 5)).toBe('hello');
  kernel.close(fd);
  expect(codeOf(() => thrown(() => kernel.ioctl(fd, BYTES_WAITING, waiting)))).toBe('gone');
});

test.each([
  ['as installed', undefined],
  ['without the package epoll', null],
])('a file that becomes readable is told, until nobody watches (%s)', async (how, epoll) => {
  const kernel = linuxKernel(systemClock, epoll);
  const [first, second] = [kernel.open(pipe(`a ${how}`)), kernel.open(pipe(`b ${how}`))];
  const heard: string[] = [];
  const into = Buffer.alloc(16);
  await new Promise<void>(resolve => {
    const stopFirst = kernel.watch(first, () => {
      heard.push(into.toString('latin1', 0, kernel.read(first, into)));
      stopFirst();
      kernel.write(first, Buffer.from('unheard'));
      kernel.write(second, Buffer.from('two'));
    });
    const stopSecond = kernel.watch(second, () => {
      heard.push(into.toString('latin1', 0, kernel.read(second, into)));
      stopSecond();
      resolve();
    });
    kernel.write(first, Buffer.from('one'));
  });
  expect(heard).toEqual(['one', 'two']);
  kernel.close(first);
  kernel.close(second);
});

test('errors of the kernel have codes to decide on', () => {
  const kernel = linuxKernel(systemClock);
  const fd = kernel.open('/dev/null');
  expect(codeOf(() => thrown(() => kernel.ioctl(fd, ioc(3, 0xb4, 0x07, 592), Buffer.alloc(592))))).toBe('unsupported');
  kernel.close(fd);
  expect(codeOf(() => thrown(() => kernel.open(join(folder, 'none'))))).toBe('missing');
  expect(kernel.list(join(folder, 'none'))).toEqual([]);
  expect(kernelError('x', new Error('strange')).message).toBe('x: strange');
});

test('the monotonic clock goes on', () => {
  const kernel = linuxKernel(systemClock);
  const first = kernel.monotonicNs();
  expect(kernel.monotonicNs()).toBeGreaterThan(first);
  expect(kernel.monotonicNs() - first).toBeLessThan(60_000_000_000n);
});

function thrown(task: () => unknown) {
  try {
    task();
  } catch (error) {
    throw kernelError('file', error);
  }
}
