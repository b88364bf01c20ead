/** The watch over the sound process. Its clock is the test's; the processes are real, and misbehave on purpose. */
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { PackagesAudio } from '../../../hal/audio/packages.ts';
import type { AudioStatus } from '../../../hal/contracts.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

const child = join(import.meta.dirname, '../../fixtures/hal/bad-sound-process.ts');

let device: PackagesAudio | undefined;
afterEach(() => device?.stop());

function run(capture: string, file = child) {
  const clock = new VirtualClock();
  const spec = { driver: 'packages', capture, playback: 'none', rate: 16000, periodMs: 10, bufferMs: 40 } as const;
  device = new PackagesAudio({ spec, clock, child: file });
  const statuses: AudioStatus[] = [];
  const waiting: { is: string; resolve: (status: AudioStatus) => void }[] = [];
  let frames = 0;
  device.start(
    () => frames++,
    status => {
      statuses.push(status);
      for (const wait of waiting.filter(({ is }) => is === status.is)) wait.resolve(status);
    },
  );
  return {
    clock,
    device,
    statuses,
    frames: () => frames,
    next: (is: AudioStatus['is']) => new Promise<AudioStatus>(resolve => waiting.push({ is, resolve })),
  };
}

const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('a sound process', () => {
  test('that does not begin within 5 seconds is replaced, and frames go on meanwhile', async () => {
    const { clock, device, statuses, frames } = run('silent');
    const first = device.childPid!;
    clock.advance(5500);
    expect(statuses).toMatchObject([{ is: 'down', code: 'io', why: expect.stringContaining('no data for 5 s') }]);
    expect(frames()).toBe(550);
    expect(device.childPid).not.toBe(first);
    await device.stop();
    expect(alive(first)).toBe(false);
  });

  test('that stops sending for a second is killed and another started', async () => {
    const { clock, device, statuses, next } = run('stops sending');
    await next('up');
    const first = device.childPid!;
    clock.advance(1500);
    expect(statuses.at(-1)).toMatchObject({ is: 'down', why: expect.stringContaining('no data for 1 s') });
    expect(device.childPid).not.toBe(first);
    await next('up');
    expect(device.counters.reopened).toBe(1);
  });

  test('that sends faster than twice real time is killed after 2 seconds of sound', async () => {
    const { statuses, frames, next, device } = run('sends without end');
    await next('down');
    expect(statuses.at(-1)).toMatchObject({ why: expect.stringContaining('faster than time') });
    expect(frames()).toBeLessThanOrEqual(201);
    expect(device.childPid).toBeUndefined();
  });

  test('that grows over its limit is replaced', async () => {
    const { clock, statuses, next } = run('grows without end');
    await next('up');
    clock.advance(250);
    expect(statuses.at(-1)).toMatchObject({ is: 'down', why: 'the sound process has grown over 256 MB' });
  });

  test.each([
    ['aborts', 'SIGABRT'],
    ['ends', 'exit code 3'],
  ])('that %s is started again, and it is said', async (capture, why) => {
    const { device, next, clock } = run(capture);
    const first = device.childPid;
    expect(await next('down')).toMatchObject({ code: 'io', why: `the sound process ended by ${why}` });
    expect(device.childPid).toBeUndefined();
    clock.advance(200);
    expect(device.childPid).not.toBe(first);
    expect(device.childPid).toBeDefined();
  });

  test('that lacks a package says so, and is ended', async () => {
    const { device, next, statuses } = run('lacks a package');
    expect(await next('down')).toEqual({ is: 'down', code: 'unsupported', why: 'run scripts/native' });
    expect(statuses[0]).toEqual({ is: 'xrun', side: 'playback' });
    expect(device.childPid).toBeUndefined();
    expect(device.counters.xruns).toBe(1);
  });

  test.each(['speaks nonsense', 'speaks without end'])('that %s is ended', async capture => {
    const { next, device } = run(capture);
    expect(await next('down')).toMatchObject({ why: 'the sound process speaks nonsense' });
    expect(device.childPid).toBeUndefined();
  });

  test('that ends each time is started after longer and longer waits', async () => {
    const { device, clock } = run('ends');
    const waits: number[] = [];
    for (let times = 0; times < 6; times++) {
      await expect.poll(() => device.childPid, { interval: 5, timeout: 20_000 }).toBeUndefined();
      let waitMs = 0;
      while (device.childPid === undefined) {
        clock.advance(50);
        waitMs += 50;
      }
      waits.push(waitMs);
    }
    expect(waits).toEqual([200, 400, 800, 1600, 2000, 2000]);
  });

  test('that cannot be started leaves silence at its pace', async () => {
    const { next, frames, clock } = run('healthy', '/nonexistent/sound.ts');
    await next('down');
    const before = frames();
    clock.advance(100);
    expect(frames() - before).toBe(10);
  });

  test('is gone after stop, and nothing is armed', async () => {
    const { device, next, clock, frames } = run('healthy');
    await next('up');
    const pid = device.childPid!;
    await device.stop();
    const before = frames();
    clock.advance(5000);
    expect([alive(pid), clock.idle, frames()]).toEqual([false, true, before]);
  });
});
