import { describe, expect, test } from 'vitest';
import { AlsaAudio } from '../../../hal/audio/alsa.ts';
import { loadMixer, type OpenMixer } from '../../../hal/audio/mixer-library.ts';
import type { AudioProcess, AudioSpec, AudioStatus } from '../../../hal/contracts.ts';
import { HalError } from '../../../hal/contracts.ts';
import { sineSnr } from '../../sim/tone.ts';
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

function rig(more: Partial<AudioSpec> = {}, mixer: () => OpenMixer = loadMixer) {
  const clock = new VirtualClock();
  const { card, open } = fakeCards(clock);
  const device = new AlsaAudio({ spec: { ...spec, ...more }, clock, load: () => open, mixer });
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

describe('the mixer of the card', () => {
  test('is loaded once, however often the volume is set', () => {
    let loaded = 0;
    const { clock, device } = rig({}, () => {
      loaded++;
      return () => ({ elements: [], close: () => {} });
    });
    device.start(
      () => {},
      () => {},
    );
    clock.advance(100);
    for (let times = 0; times < 3; times++) device.setGain(-6, 0);
    expect(loaded).toBe(1);
  });

  test('may be missing in a small libasound: the volume is made elsewhere, and a control that was named is told', () => {
    const none = () => {
      throw new HalError('unsupported', 'libasound has no mixer');
    };
    for (const loudspeaker of [undefined, 'Speaker']) {
      const { clock, device } = rig({ mixer: { ...(loudspeaker && { loudspeaker }) } }, none);
      device.start(
        () => {},
        () => {},
      );
      clock.advance(100);
      expect(device.setGain(-6, 0)).toEqual({ faults: loudspeaker ? ['libasound has no mixer'] : [] });
    }
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
    expect(device.counters.driftSamples).toBeGreaterThan(900);
    expect(device.counters.driftSamples).toBeLessThan(970);
    expect(Math.abs(device.counters.driftPpm - (capture - playback))).toBeLessThanOrEqual(1);
    expect(device.playbackDelayMs()).toBeLessThan(15);
  });

  test('plays as late after a quarter of an hour of clocks 200 ppm apart as after a minute, and as clean', () => {
    const { clock, card, device } = rig();
    card.ppm = { capture: 200, playback: 0 };
    let n = 0;
    device.start(
      (_, toPlay) => {
        for (let at = 0; at < toPlay.length; at++)
          toPlay[at] = Math.round(8000 * Math.sin((2 * Math.PI * 1000 * n++) / 16_000));
      },
      () => {},
    );
    clock.advance(60_000);
    const delayMs = device.playbackDelayMs();
    for (let minute = 1; minute < 15; minute++) {
      card.played.length = 0;
      clock.advance(60_000);
      expect(Math.abs(device.playbackDelayMs() - delayMs)).toBeLessThan(0.5);
    }
    expect(sineSnr(Int16Array.from(card.played.slice(-16_000)), 1000 * 1.0002, 16_000)).toBeGreaterThan(60);
    expect([card.underruns, card.overruns]).toEqual([0, 0]);
  });

  test.each([8000, 44_100, 48_000])('hears and plays on a card that has %s Hz only', rate => {
    const { clock, card, device } = rig();
    card.rate = rate;
    card.ppm = { capture: 100, playback: 0 };
    card.hears = n => Math.round(8000 * Math.sin((2 * Math.PI * 1000 * n) / rate));
    const heard: number[] = [];
    let n = 0;
    device.start(
      (captured, toPlay) => {
        heard.push(...captured);
        for (let at = 0; at < toPlay.length; at++)
          toPlay[at] = Math.round(8000 * Math.sin((2 * Math.PI * 600 * n++) / 16_000));
      },
      () => {},
    );
    clock.advance(60_000);
    expect(Math.abs(heard.length - 60 * 16_000)).toBeLessThan(700);
    expect(sineSnr(Int16Array.from(heard.slice(-16_000)), 1000, 16_000)).toBeGreaterThan(60);
    expect(sineSnr(Int16Array.from(card.played.slice(-rate)), 600 * 1.0001, rate)).toBeGreaterThan(45);
    expect([card.underruns, card.overruns, device.counters.xruns]).toEqual([0, 0, 0]);
    expect(device.playbackDelayMs()).toBeLessThan(20);
  });

  describe('on a stereo card', () => {
    test.each([
      ['left', 100],
      ['right', 300],
      ['both', 200],
    ] as const)('hears the microphone on %s', (microphoneSide, level) => {
      const { clock, card, device } = rig({ microphoneSide });
      card.channels = 2;
      card.hears = (_, channel) => (channel === 0 ? 100 : 300);
      let heard = 0;
      device.start(
        captured => {
          heard = captured.at(-1)!;
        },
        () => {},
      );
      clock.advance(100);
      expect(heard).toBe(level);
    });

    test.each([
      [{}, 700, 700],
      [{ loudspeakerSide: 'left' }, 700, 0],
      [{ loudspeakerSide: 'right' }, 0, 700],
      [{ loudspeakerSide: 'left', lineOutSide: 'right' }, 700, 90],
      [{ loudspeakerSide: 'right', lineOutSide: 'left' }, 90, 700],
      [{ lineOutSide: 'right' }, 700, 90],
    ] as const)('plays %o as left %s and right %s', (sides, left, right) => {
      const { clock, card, device } = rig(sides);
      card.channels = 2;
      device.start(
        (_, toPlay, lineOut) => {
          toPlay.fill(700);
          lineOut.fill(90);
        },
        () => {},
      );
      clock.advance(300);
      expect([card.played.at(-1), card.playedRight.at(-1)]).toEqual([left, right]);
    });
  });

  test('is heard within half a second of the return of its card, whenever it comes', () => {
    for (let awayMs = 50; awayMs < 3000; awayMs += 130) {
      const { clock, card, device } = rig();
      card.hears = () => 500;
      let heard = 0;
      device.start(
        captured => {
          heard = captured.at(-1)!;
        },
        () => {},
      );
      clock.advance(1000);
      card.state = 'unplugged';
      clock.advance(awayMs);
      expect(heard).toBe(0);
      card.state = 'plugged';
      clock.advance(480);
      expect(heard).toBe(500);
    }
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

  test.each([30, 70, 150])(
    'hears every sample though its thread is %s ms late, and plays no later than before',
    lateMs => {
      const heard: number[] = [];
      const { clock, card, device, statuses } = running(captured => heard.push(...captured));
      card.hears = n => n & 0x7fff;
      clock.advance(1000);
      const delayMs = device.playbackDelayMs();
      for (let times = 0; times < 3; times++) {
        const now = clock.now.bind(clock);
        clock.now = () => now() + lateMs;
        clock.advance(2000);
      }
      expect(heard.findIndex((sample, i) => sample !== (i & 0x7fff))).toBe(-1);
      expect(heard.length).toBeGreaterThan((clock.now() - 15) * 16);
      expect(new Set(statuses.map(status => (status.is === 'xrun' ? status.side : status.is)))).toEqual(
        new Set(['up', 'playback']),
      );
      expect(card.overruns).toBe(0);
      expect(Math.abs(device.playbackDelayMs() - delayMs)).toBeLessThan(3);
    },
  );

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

  test('tries again after 0.2, then every 0.3 seconds', () => {
    const clock = new VirtualClock();
    const tries: number[] = [];
    const device = new AlsaAudio({
      spec,
      clock,
      load: () => request => {
        if (request.side === 'capture') tries.push(Math.round(clock.now()));
        throw new HalError('busy', `${request.name} is in use`);
      },
    });
    device.start(
      () => {},
      () => {},
    );
    clock.advance(2000);
    expect(tries).toEqual([0, 200, 500, 800, 1100, 1400, 1700, 2000]);
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

  describe('with half of its sound away', () => {
    /** Hears 500 and plays 700. */
    function half(away: 'capture' | 'playback' | undefined, more: Partial<AudioSpec> = {}) {
      const all = rig(more);
      const statuses: AudioStatus[] = [];
      const heard: number[] = [];
      all.card.hears = () => 500;
      if (away !== undefined) all.card.away = away;
      all.device.start(
        (captured, toPlay) => {
          heard.push(captured.at(-1)!);
          toPlay.fill(700);
        },
        status => statuses.push(status),
      );
      return { ...all, statuses, heard };
    }

    test('plays without a microphone, says so, and hears within half a second of its return', () => {
      const { clock, card, statuses, heard } = half('capture');
      clock.advance(5000);
      expect(statuses).toMatchObject([{ is: 'up', without: { side: 'capture', code: 'missing' } }]);
      expect([card.played.at(-1), heard.at(-1)]).toEqual([700, 0]);
      expect(Math.abs(heard.length - 500)).toBeLessThan(5);
      expect([card.underruns, card.openStreams]).toEqual([0, 1]);
      delete card.away;
      clock.advance(490);
      expect(statuses.at(-1)).not.toHaveProperty('without');
      expect([heard.at(-1), card.openStreams]).toEqual([500, 2]);
    });

    test('hears without a loudspeaker, and plays within half a second of its return', () => {
      const { clock, card, statuses, heard } = half('playback');
      clock.advance(5000);
      expect(statuses).toMatchObject([{ is: 'up', without: { side: 'playback' } }]);
      expect([card.played.length, heard.at(-1)]).toEqual([0, 500]);
      delete card.away;
      clock.advance(490);
      expect(card.played.at(-1)).toBe(700);
    });

    test('goes on playing within 60 ms when the microphone is pulled', () => {
      const { clock, card, statuses } = half(undefined);
      clock.advance(3000);
      card.away = 'capture';
      const before = card.played.length;
      clock.advance(1000);
      expect(statuses.map(({ is }) => is)).toEqual(['up', 'down', 'up']);
      expect(card.played.slice(before).filter(sample => sample === 700).length).toBeGreaterThan(0.94 * 16_000);
    });

    test.each([
      ['capture', { capture: 'none' }],
      ['playback', { playback: 'none' }],
    ] as const)('misses no %s where there is none', (_, more) => {
      const { clock, card, statuses, device } = half(undefined, more);
      clock.advance(5000);
      expect(statuses.map(status => [status.is, 'without' in status])).toEqual([['up', false]]);
      expect([card.openStreams, device.counters.silentFrames]).toEqual([1, 0]);
    });

    test('leaves nothing armed after stop', async () => {
      const { clock, device, card } = half('capture');
      clock.advance(1000);
      await device.stop();
      expect([clock.idle, card.openStreams]).toEqual([true, 0]);
    });
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
