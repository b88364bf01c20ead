import { describe, expect, test } from 'vitest';
import { setCardGain } from '../../../hal/audio/card-gain.ts';
import type { MixerElement } from '../../../hal/audio/mixer-library.ts';
import type { AudioSpec } from '../../../hal/contracts.ts';
import { HalError } from '../../../hal/contracts.ts';

type Control = [name: string, side: MixerElement['side'], minDb: number, maxDb: number, stepDb: number];

/** Cards with mixers of these controls; how loud they are, and what is left open. */
function cards(mixers: Record<string, Control[]>) {
  const levels: Record<string, number> = {};
  let open = 0;
  const openMixer = (card: string) => {
    const controls = mixers[card];
    if (controls === undefined) throw new HalError('missing', `the mixer of ${card}: No such file or directory`);
    open++;
    const elements = controls.map(([name, side, minDb, maxDb, stepDb]) => ({
      name,
      side,
      minDb,
      maxDb,
      set(db: number, up: boolean) {
        const steps = (db - minDb) / stepDb;
        const level = minDb + stepDb * (up ? Math.ceil(steps) : Math.floor(steps));
        levels[`${card} ${name}`] = Math.min(maxDb, Math.max(minDb, level));
        return levels[`${card} ${name}`]!;
      },
    }));
    return { elements, close: () => open-- };
  };
  return { openMixer, levels, left: () => open };
}

const spec = (mixer: AudioSpec['mixer'] = {}): AudioSpec => ({
  driver: 'alsa',
  capture: 'plughw:1',
  playback: 'plughw:1',
  rate: 16_000,
  periodMs: 10,
  bufferMs: 40,
  mixer,
});
const ONE = { capture: 'hw:1', playback: 'hw:1' };
const USB: Control[] = [
  ['Mic', 'playback', -30, 6, 1],
  ['Speaker', 'playback', -37, 0, 3],
  ['Mic', 'capture', 0, 23, 1.5],
];

describe('the loudness of a card', () => {
  test('is set at its likeliest controls: the loudspeaker not softer, the microphone not louder than asked', () => {
    const { openMixer, levels, left } = cards({ 'hw:1': USB });
    const gain = setCardGain(openMixer, spec(), ONE, { loudspeakerDb: -5, microphoneDb: 10 });
    expect(gain).toEqual({ loudspeaker: { name: 'Speaker', db: -4 }, microphone: { name: 'Mic', db: 9 }, faults: [] });
    expect(levels).toEqual({ 'hw:1 Speaker': -4, 'hw:1 Mic': 9 });
    expect(left()).toBe(0);
  });

  test('goes no further than the card', () => {
    const { openMixer } = cards({ 'hw:1': USB });
    const gain = setCardGain(openMixer, spec(), ONE, { loudspeakerDb: 12, microphoneDb: -20 });
    expect([gain.loudspeaker?.db, gain.microphone?.db]).toEqual([0, 0]);
  });

  test('is set at two cards, each its side', () => {
    const { openMixer, levels } = cards({
      'hw:0': [['Digital', 'playback', -100, 24, 0.5]],
      'hw:2': [['PGA', 'capture', -12, 35, 1]],
    });
    setCardGain(openMixer, spec(), { capture: 'hw:2', playback: 'hw:0' }, { loudspeakerDb: -6, microphoneDb: 20 });
    expect(levels).toEqual({ 'hw:0 Digital': -6, 'hw:2 PGA': 20 });
  });

  test('is set at what is named, and the names that there are, are told where it is missing', () => {
    const { openMixer, levels } = cards({ 'hw:1': USB });
    const named = spec({ loudspeaker: 'Horn', microphone: 'Mic' });
    const gain = setCardGain(openMixer, named, ONE, { loudspeakerDb: 0, microphoneDb: 0 });
    expect(gain.faults).toEqual(['the mixer of hw:1 has no Horn: it has Mic, Speaker']);
    expect(levels).toEqual({ 'hw:1 Mic': 0 });
  });

  test.each([
    ['a sound server', { capture: undefined, playback: undefined }, {}],
    ['a card without a mixer', ONE, {}],
    [
      'a card whose controls could be anything',
      ONE,
      {
        'hw:1': [
          ['A', 'playback', -30, 0, 1],
          ['B', 'playback', -30, 0, 1],
        ],
      },
    ],
  ] as [string, typeof ONE, Record<string, Control[]>][])(
    'is left to others by %s, and that is no fault',
    (_, sides, mixers) => {
      const { openMixer, levels } = cards(mixers);
      const gain = setCardGain(openMixer, spec(), sides, { loudspeakerDb: 0, microphoneDb: 0 });
      expect([gain, levels]).toEqual([{ faults: [] }, {}]);
    },
  );

  test('of a mixer that is named and not there is a fault', () => {
    const { openMixer } = cards({});
    const gain = setCardGain(openMixer, spec({ card: 'hw:7' }), ONE, { loudspeakerDb: 0, microphoneDb: 0 });
    expect(gain.faults).toContain('the mixer of hw:7: No such file or directory');
  });
});
