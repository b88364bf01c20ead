import { describe, expect, test } from 'vitest';
import type { Kernel } from '../../../hal/kernel.ts';
import { LinuxWatchdog } from '../../../hal/watchdog/linux.ts';
import { SimulatedWatchdog } from '../../../hal/watchdog/simulated.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { codeOf } from './gpio-contract.ts';

const errno = (code: string) => Object.assign(new Error(code), { code });

/** /dev/watchdog as the kernel shows it: what was written, and the timeout that was set. */
function watchdogFile(fails: { open?: string; ioctl?: string; write?: string } = {}) {
  const state = { open: false, timeoutSeconds: 60, written: '' };
  const kernel: Pick<Kernel, 'open' | 'close' | 'ioctl' | 'write'> = {
    open(path) {
      if (path !== '/dev/watchdog') throw errno('ENOENT');
      if (fails.open !== undefined) throw errno(fails.open);
      state.open = true;
      return 7;
    },
    close() {
      state.open = false;
    },
    ioctl(fd, request, bytes) {
      if (fails.ioctl !== undefined) throw errno(fails.ioctl);
      // WDIOC_SETTIMEOUT of linux/watchdog.h.
      if (fd !== 7 || request !== 0xc0045706 || bytes.length !== 4) throw errno('ENOTTY');
      state.timeoutSeconds = bytes.readInt32LE();
    },
    write(fd, bytes) {
      if (fd !== 7 || fails.write !== undefined) throw errno(fails.write ?? 'EBADF');
      state.written += bytes.toString('latin1');
    },
  };
  return { state, watchdog: new LinuxWatchdog(() => kernel as Kernel, '/dev/watchdog') };
}

describe('the watchdog of the kernel', () => {
  test('is armed with whole seconds, fed, and disarmed by the magic close', () => {
    const { state, watchdog } = watchdogFile();
    watchdog.start(14_200);
    watchdog.start(1);
    expect(state).toMatchObject({ open: true, timeoutSeconds: 15 });
    watchdog.feed();
    watchdog.feed();
    watchdog.stop();
    watchdog.stop();
    expect(state).toMatchObject({ open: false, written: '\0\0V' });
  });

  test('keeps its own timeout where that cannot be changed', () => {
    const { state, watchdog } = watchdogFile({ ioctl: 'EOPNOTSUPP' });
    watchdog.start(15_000);
    watchdog.feed();
    expect(state).toMatchObject({ open: true, timeoutSeconds: 60, written: '\0' });
  });

  test('lets go when the timeout is refused', () => {
    const { state, watchdog } = watchdogFile({ ioctl: 'EINVAL' });
    expect(codeOf(() => watchdog.start(15_000))).toBe('io');
    expect(state).toMatchObject({ open: false, written: 'V' });
  });

  test.each([
    ['EBUSY', 'busy'],
    ['EACCES', 'denied'],
    ['ENOENT', 'missing'],
  ])('says %s as %s', (error, code) => {
    expect(codeOf(() => watchdogFile({ open: error }).watchdog.start(15_000))).toBe(code);
  });

  test('says that it cannot be fed, and never complains on stop', () => {
    const { state, watchdog } = watchdogFile({ write: 'EIO' });
    watchdog.feed();
    watchdog.start(15_000);
    expect(codeOf(() => watchdog.feed())).toBe('io');
    watchdog.stop();
    expect(state.open).toBe(false);
  });
});

describe('the simulated watchdog', () => {
  test('bites only when it is not fed in time', () => {
    const clock = new VirtualClock();
    let bites = 0;
    const watchdog = new SimulatedWatchdog(clock, () => bites++);
    watchdog.feed();
    watchdog.start(1000);
    for (let i = 0; i < 5; i++) {
      clock.advance(900);
      watchdog.feed();
    }
    expect(bites).toBe(0);
    clock.advance(1000);
    expect(bites).toBe(1);
    watchdog.start(1000);
    watchdog.stop();
    expect(clock.idle).toBe(true);
  });
});
