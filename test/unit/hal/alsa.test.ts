import { describe, expect, test } from 'vitest';
import { AlsaAudio } from '../../../hal/audio/alsa.ts';
import type { AudioProcess, AudioSpec, AudioStatus } from '../../../hal/contracts.ts';
import { HalError } from '../../../hal/contracts.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { audioContract } from './audio-contract.ts';
import { fakeCards } from './fake-alsa.ts';

const spec: AudioSpec = {
  driver: 'alsa',
  capture: 'plughw:CARD=Device',
  playback: 'plughw:CARD=Device',
  rate: 16000,
  periodMs: 10,
  bufferMs: 40,
};

function rig() {
  const clock = new VirtualClock();
  const { card, open } = fakeCards(clock);
  const device = new AlsaAudio({ spec, clock, load: () => open });
  return { clock, card, device };
}

function running(process: AudioProcess = () => {}) {
  const all = rig();
  const statuses: AudioStatus[] = [];
  all.device.start(process, status => statuses.push(status));
  return { ...all, statuses };
}

describe('ALSA keeps the contract', () => {
  audioContract(() => {
    const { clock, card, device } = rig();
    return {
      device,
      clock,
      hear: level => {
        card.hears = () => level;
      },
      played: () => card.played,
      unplug: () => {
        card.state = 'unplugged';
      },
      plug: () => {
        card.state = 'plugged';
      },
    };
  });
});

describe('ALSA', () => {
  test('hears every sample, once, in order', () => {
    const heard: number[] = [];
    const { clock, card } = running(captured => heard.push(...captured));
    card.hears = n => n & 0x7fff;
    clock.advance(3000);
    expect(heard.length).toBeGreaterThan(47_000);
    expect(heard.findIndex((sample, i) => sample !== (i & 0x7fff))).toBe(-1);
  });

  test.each([1, 2])('plays and hears on a card of %s channels', channels => {
    const { device, card, clock } = rig();
    card.channels = channels;
    card.hears = () => 500;
    const heard: number[] = [];
    device.start(
      (captured, toPlay) => {
        heard.push(...captured);
        toPlay.fill(700);
      },
      () => {},
    );
    clock.advance(500);
    expect(new Set(heard)).toEqual(new Set([500]));
    expect(card.played.at(-1)).toBe(700);
  });

  test('plays within 20 to 30 ms, and knows it', () => {
    const { clock, device } = running();
    clock.advance(2000);
    expect(device.playbackDelayMs()).toBeGreaterThanOrEqual(7);
    expect(device.playbackDelayMs()).toBeLessThanOrEqual(20);
  });

  test.each([
    [200, 0],
    [-200, 0],
    [0, 200],
    [0, -200],
    [100, -100],
  ])('never runs dry nor over when the crystals are %s and %s ppm off, for five minutes', (capture, playback) => {
    const { clock, card, device, statuses } = running();
    card.ppm = { capture, playback };
    clock.advance(300_000);
    expect([card.underruns, card.overruns, device.counters.xruns]).toEqual([0, 0, 0]);
    expect(statuses.map(({ is }) => is)).toEqual(['up']);
    // 200 ppm of five minutes at 16 kHz are 960 samples; what is evened out stays in the buffer's slack.
    expect(device.counters.driftSamples).toBeGreaterThan(700);
    expect(device.counters.driftSamples).toBeLessThan(1100);
    expect(device.playbackDelayMs()).toBeLessThan(25);
  });

  test.each([341, 512])('never runs dry on a card whose samples come in lumps of %s', period => {
    const { clock, card, device } = rig();
    card.period = period;
    device.start(
      () => {},
      () => {},
    );
    clock.advance(60_000);
    expect([card.underruns, card.overruns]).toEqual([0, 0]);
    // All but the newest frame of the first lump.
    expect(device.counters.driftSamples).toBeLessThanOrEqual(320);
  });

  test('evens nothing out between sides of one crystal', () => {
    const { clock, card, device } = running();
    card.ppm = { capture: 150, playback: 150 };
    clock.advance(300_000);
    expect(device.counters.driftSamples).toBe(0);
  });

  test('heals the gap that a late thread leaves, on both sides', () => {
    const all = rig();
    const statuses: AudioStatus[] = [];
    let frames = 0;
    let stallMs = 0;
    const now = all.clock.now.bind(all.clock);
    all.clock.now = () => now() + stallMs;
    all.device.start(
      () => frames++,
      status => statuses.push(status),
    );
    all.clock.advance(1000);
    stallMs = 300;
    all.clock.advance(1000);
    expect(statuses.map(status => (status.is === 'xrun' ? status.side : status.is))).toEqual([
      'up',
      'capture',
      'playback',
    ]);
    expect(all.device.counters.xruns).toBe(2);
    expect(frames).toBeGreaterThan(190);
    expect(all.device.playbackDelayMs()).toBeLessThan(25);
  });

  test('gives frames of silence after 60 ms without data, and takes the card for dead after a second', () => {
    let frames = 0;
    const { clock, card, statuses } = running(() => frames++);
    clock.advance(1000);
    card.state = 'mute';
    const before = frames;
    clock.advance(900);
    expect(statuses.map(({ is }) => is)).toEqual(['up']);
    expect(frames - before).toBeGreaterThan(80);
    expect(frames - before).toBeLessThanOrEqual(90);
    clock.advance(200);
    expect(statuses.at(-1)).toMatchObject({ is: 'down', code: 'io', why: expect.stringContaining('no data for 1 s') });
  });

  test('leaves out what a stalled card delivers late, where silence has stood in for it', () => {
    const clock = new VirtualClock();
    const { card, open } = fakeCards(clock);
    const device = new AlsaAudio({ spec: { ...spec, bufferMs: 300 }, clock, load: () => open });
    let frames = 0;
    device.start(
      () => frames++,
      () => {},
    );
    clock.advance(1000);
    const before = frames;
    card.lateMs = 150;
    clock.advance(140);
    card.lateMs = 0;
    clock.advance(860);
    expect([card.overruns, device.counters.silentFrames]).toEqual([0, 8]);
    expect(frames - before).toBeGreaterThanOrEqual(94);
    expect(frames - before).toBeLessThanOrEqual(101);
  });

  test('tries again after 0.2, 0.4, 0.8, 1.6, then every 2 seconds', () => {
    const clock = new VirtualClock();
    const tries: number[] = [];
    const device = new AlsaAudio({
      spec,
      clock,
      load: () => request => {
        tries.push(Math.round(clock.now()));
        throw new HalError('busy', `${request.name} is in use`);
      },
    });
    device.start(
      () => {},
      () => {},
    );
    clock.advance(8000);
    expect(tries).toEqual([0, 200, 600, 1400, 3000, 5000, 7000]);
  });

  test('starts anew with short waits once the card has given data', () => {
    const { clock, card, device, statuses } = running();
    clock.advance(1000);
    for (let times = 0; times < 3; times++) {
      card.state = 'unplugged';
      clock.advance(5000);
      card.state = 'plugged';
      clock.advance(2100);
      expect(statuses.at(-1)?.is).toBe('up');
      card.state = 'unplugged';
      clock.advance(150);
      card.state = 'plugged';
      clock.advance(250);
      expect(statuses.at(-1)?.is).toBe('up');
    }
    expect(device.counters.reopened).toBe(6);
    expect(card.openStreams).toBe(2);
  });

  test('holds neither side while the other cannot be opened', () => {
    const clock = new VirtualClock();
    const { card, open } = fakeCards(clock);
    const statuses: AudioStatus[] = [];
    const device = new AlsaAudio({
      spec: { ...spec, playback: 'nowhere' },
      clock,
      load: () => request => {
        if (request.name === 'nowhere') throw new HalError('missing', 'playback nowhere cannot be opened');
        return open(request);
      },
    });
    device.start(
      () => {},
      status => statuses.push(status),
    );
    clock.advance(5000);
    expect(card.openStreams).toBe(0);
    expect(statuses).toEqual([{ is: 'down', code: 'missing', why: 'playback nowhere cannot be opened' }]);
  });

  test('without its library is down, and frames go on', () => {
    const clock = new VirtualClock();
    let frames = 0;
    const statuses: AudioStatus[] = [];
    const load = () => {
      throw new HalError('unsupported', 'libasound.so.2 is not installed');
    };
    new AlsaAudio({ spec, clock, load }).start(
      () => frames++,
      status => statuses.push(status),
    );
    clock.advance(10_000);
    expect(statuses).toMatchObject([{ is: 'down', code: 'unsupported' }]);
    expect(frames).toBeGreaterThan(995);
    expect(frames).toBeLessThanOrEqual(1000);
  });

  test('leaves the card closed and nothing armed after stop', async () => {
    const { clock, card, device } = running();
    clock.advance(1000);
    await device.stop();
    await device.stop();
    expect(card.openStreams).toBe(0);
    expect(clock.idle).toBe(true);
  });
});
