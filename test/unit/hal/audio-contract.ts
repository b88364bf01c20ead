/** What every sound driver does on a clock that a test moves. */
import { beforeEach, expect, test } from 'vitest';
import type { AudioDevice, AudioStatus } from '../../../hal/contracts.ts';
import type { VirtualClock } from '../../sim/virtual-clock.ts';

export interface AudioRig {
  device: AudioDevice;
  clock: VirtualClock;
  /** What the microphone hears from now on: a steady level. */
  hear(level: number): void;
  /** The samples that the loudspeaker has played since the start. */
  played(): number[];
  unplug(): void;
  plug(): void;
}

/** Frames by which a driver may be ahead or behind: its buffers, and the start of its card. */
const SLACK_FRAMES = 10;

export function audioContract(makeRig: () => AudioRig) {
  let rig: AudioRig;
  let statuses: AudioStatus[];
  let heard: number[];
  beforeEach(() => {
    rig = makeRig();
    statuses = [];
    heard = [];
  });
  const start = (fill: (toPlay: Int16Array) => void = () => {}) => {
    rig.device.start(
      (captured, toPlay) => {
        expect(toPlay.every(sample => sample === 0)).toBe(true);
        expect([captured.length, toPlay.length]).toEqual([
          rig.device.format.frameSamples,
          rig.device.format.frameSamples,
        ]);
        heard.push(captured[captured.length - 1]!);
        fill(toPlay);
      },
      status => statuses.push(status),
    );
  };
  const framesIn = (ms: number) => {
    const before = heard.length;
    rig.clock.advance(ms);
    return heard.length - before;
  };
  const near = (frames: number, ms: number) => {
    expect(frames).toBeGreaterThanOrEqual(ms / 10 - SLACK_FRAMES);
    expect(frames).toBeLessThanOrEqual(ms / 10 + SLACK_FRAMES);
  };

  test('gives a hundred frames a second, from start to stop', async () => {
    start();
    near(framesIn(5000), 5000);
    expect(rig.device.counters.frames).toBe(heard.length);
    expect(statuses).toHaveLength(1);
    expect(statuses[0]).toMatchObject({ is: 'up', format: { rate: 16000, frameSamples: 160 } });
    await rig.device.stop();
    expect(framesIn(1000)).toBe(0);
    expect(rig.clock.idle).toBe(true);
  });

  test('hears the microphone', () => {
    start();
    rig.hear(1234);
    rig.clock.advance(300);
    expect(heard.at(-1)).toBe(1234);
  });

  test('plays every sample, once, in order', () => {
    let next = 1;
    start(toPlay => {
      for (let i = 0; i < toPlay.length; i++) toPlay[i] = next++ & 0x7fff;
    });
    rig.clock.advance(3000);
    const played = rig.played().slice(rig.played().indexOf(1));
    expect(played.length).toBeGreaterThan(40_000);
    expect(played.findIndex((sample, i) => sample !== ((i + 1) & 0x7fff))).toBe(-1);
  });

  test('goes on at its pace with silence while the card is away, and is up again when it is back', () => {
    start();
    rig.hear(1234);
    rig.clock.advance(1000);
    rig.unplug();
    rig.clock.advance(200);
    expect(statuses.at(-1)).toMatchObject({ is: 'down' });
    near(framesIn(10_000), 10_000);
    expect(heard.at(-1)).toBe(0);
    expect(rig.device.counters.silentFrames).toBeGreaterThan(900);
    // Why it went and why it does not come back, not each try.
    expect(statuses.length).toBeLessThanOrEqual(3);
    rig.plug();
    rig.clock.advance(3000);
    expect(statuses.at(-1)).toMatchObject({ is: 'up' });
    expect(heard.at(-1)).toBe(1234);
    near(framesIn(5000), 5000);
  });

  test('stops while the card is away', async () => {
    start();
    rig.clock.advance(1000);
    rig.unplug();
    rig.clock.advance(500);
    await rig.device.stop();
    expect(rig.clock.idle).toBe(true);
    expect(framesIn(1000)).toBe(0);
  });

  test('may be stopped by a frame', () => {
    start(() => {
      if (heard.length === 5) void rig.device.stop();
    });
    rig.clock.advance(1000);
    expect(heard).toHaveLength(5);
    expect(rig.clock.idle).toBe(true);
  });
}
