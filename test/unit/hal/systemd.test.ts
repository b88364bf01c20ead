/** What a service manager hears: sent over a real unix socket, of which Node knows nothing, so the ear is koffi too. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { HalError } from '../../../hal/contracts.ts';
import { loadKoffi } from '../../../hal/native.ts';
import { findSystemd, Systemd } from '../../../hal/systemd.ts';
import { codeOf } from './gpio-contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'porter-systemd-'));
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;

/** A service manager's end at `path`; `@` begins a name that is no file. Returns what has come since it was last asked. */
function listen(path: string) {
  const libc = loadKoffi().load(null);
  const fd: number = libc.func('int socket(int, int, int)')(AF_UNIX, SOCK_DGRAM, 0);
  const name = Buffer.from(path.replace('@', '\0'));
  const address = Buffer.concat([Buffer.from([AF_UNIX, 0]), name]);
  expect(libc.func('int bind(int, const void *, unsigned int)')(fd, address, address.length)).toBe(0);
  ends.push(() => libc.func('int close(int)')(fd));
  const receive = libc.func('long recv(int, _Out_ void *, unsigned long, int)');
  return () => {
    const heard: string[] = [];
    const bytes = Buffer.alloc(1024);
    for (;;) {
      const length: number = receive(fd, bytes, bytes.length, MSG_DONTWAIT);
      if (length < 0) return heard;
      heard.push(bytes.toString('utf8', 0, length));
    }
  };
}

/** One that takes nothing until it is no longer busy. */
function busyManager() {
  const heard: string[] = [];
  const manager = { busy: true };
  const tell = (lines: string) => {
    if (manager.busy) throw new HalError('io', 'service manager: EAGAIN');
    heard.push(lines);
  };
  return { heard, manager, systemd: new Systemd(tell, 15_000) };
}

const environment = { watchdogUs: undefined, watchdogPid: undefined };

describe('a service manager', () => {
  test.each([
    ['at a path', join(folder, 'notify')],
    ['at a name that is no file', `@porter-test-${process.pid}`],
  ])('%s hears that the device is ready, alive, and stopping', (_where, socket) => {
    const heard = listen(socket);
    const systemd = findSystemd({ ...environment, socket }, 4711)!;
    systemd.ready();
    systemd.start();
    systemd.feed();
    systemd.feed();
    systemd.describe = () => 'idle\nREADY=0';
    systemd.feed();
    systemd.stopping();
    systemd.stop();
    expect(heard()).toEqual(['READY=1', 'WATCHDOG=1', 'WATCHDOG=1', 'WATCHDOG=1\nSTATUS=idle READY=0', 'STOPPING=1']);
  });

  test('that has gone is an error with a reason, and no crash', () => {
    const systemd = findSystemd({ ...environment, socket: join(folder, 'nobody') }, 4711)!;
    expect(codeOf(() => systemd.feed())).toBe('io');
    const long = findSystemd({ ...environment, socket: `/${'x'.repeat(120)}` }, 4711)!;
    expect(codeOf(() => long.ready())).toBe('unsupported');
  });

  test('that does not read fills its queue and holds nobody', () => {
    const socket = join(folder, 'deaf');
    listen(socket);
    const systemd = findSystemd({ ...environment, socket }, 4711)!;
    expect(() => {
      for (let datagrams = 0; datagrams < 10_000; datagrams++) systemd.feed();
    }).toThrow('EAGAIN');
    // As it is while a machine starts: whoever could not be told now will be fed all the same.
    expect(() => systemd.start()).not.toThrow();
  });

  test('that was too busy to hear of the start hears of it with the next sign of life, once', () => {
    const { heard, systemd, manager } = busyManager();
    expect(codeOf(() => systemd.ready())).toBe('io');
    expect(codeOf(() => systemd.feed())).toBe('io');
    manager.busy = false;
    systemd.feed();
    systemd.feed();
    expect(heard).toEqual(['READY=1\nWATCHDOG=1', 'WATCHDOG=1']);
  });

  test('that was too busy then is not told of a start while the device stops', () => {
    const { heard, systemd, manager } = busyManager();
    expect(codeOf(() => systemd.ready())).toBe('io');
    manager.busy = false;
    systemd.stopping();
    systemd.feed();
    expect(heard).toEqual(['STOPPING=1', 'WATCHDOG=1']);
  });

  test('is there only where the environment says so, and watches only whom it names', () => {
    const of = (socket: string | undefined, watchdogUs?: string, watchdogPid?: string) =>
      findSystemd({ socket, watchdogUs, watchdogPid }, 4711);
    expect(of(undefined)).toBeUndefined();
    expect(of('')).toBeUndefined();
    expect(of('/run/notify')?.timeoutMs).toBeUndefined();
    expect(of('/run/notify', '15000000')?.timeoutMs).toBe(15_000);
    expect(of('/run/notify', '15000000', '4711')?.timeoutMs).toBe(15_000);
    expect(of('/run/notify', '15000000', '1')?.timeoutMs).toBeUndefined();
    expect(of('/run/notify', 'soon')?.timeoutMs).toBeUndefined();
  });
});
