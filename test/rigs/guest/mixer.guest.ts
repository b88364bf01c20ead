/** Loudness by the mixer of a card of the kernel's own (snd-dummy): steps of 0.3 dB from -45 to 0, and a capture switch. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { setCardGain } from '../../../hal/audio/card-gain.ts';
import { loadMixer } from '../../../hal/audio/mixer-library.ts';
import type { AudioSpec } from '../../../hal/contracts.ts';

const CARD = 'hw:Dummy';
const SPEC: AudioSpec = { driver: 'alsa', capture: CARD, playback: CARD, rate: 16_000, periodMs: 10, bufferMs: 40 };
const BOTH = { capture: CARD, playback: CARD };

const set = (loudspeakerDb: number, microphoneDb: number, mixer: AudioSpec['mixer'] = {}) =>
  setCardGain(loadMixer(), { ...SPEC, mixer }, BOTH, { loudspeakerDb, microphoneDb });

/** What another program sees of a control. */
function seen(name: string) {
  const said = execFileSync('amixer', ['-D', CARD, 'sget', name]).toString();
  const [, db] = /\[(-?[\d.]+)dB\]/.exec(said) ?? [];
  return { db: Number(db), on: /Capture \[on\]/.test(said) };
}

test('every control that counts in decibels is found, with its range', () => {
  const mixer = loadMixer()(CARD);
  const mic = mixer.elements.filter(({ name }) => name === 'Mic');
  expect(mic.map(({ side, minDb, maxDb }) => [side, minDb, maxDb])).toEqual([
    ['playback', -45, 0],
    ['capture', -45, 0],
  ]);
  mixer.close();
});

test('loudspeaker and microphone are set to the nearest step, and the microphone is switched on', () => {
  execFileSync('amixer', ['-q', '-D', CARD, 'sset', 'Mic', 'nocap']);
  expect(seen('Mic').on).toBe(false);
  // The loudspeaker not softer, the microphone not louder than was asked.
  const gain = set(-10, -20);
  expect(gain).toEqual({
    loudspeaker: { name: 'Master', db: -9.9 },
    microphone: { name: 'Mic', db: -20.1 },
    faults: [],
  });
  expect(seen('Master').db).toBe(-9.9);
  expect(seen('Mic')).toEqual({ db: -20.1, on: true });
});

test('more than the card has is what it has', () => {
  expect(set(12, -90)).toMatchObject({ loudspeaker: { db: 0 }, microphone: { db: -45 } });
  expect([seen('Master').db, seen('Mic').db]).toEqual([0, -45]);
});

test('a control is taken by its name; one that is not there is told with those that are', () => {
  expect(set(-30, -30, { loudspeaker: 'Line' }).loudspeaker).toEqual({ name: 'Line', db: -30 });
  const { loudspeaker, faults } = set(-30, -30, { loudspeaker: 'Headphone' });
  expect(loudspeaker).toBeUndefined();
  expect(faults).toEqual([expect.stringContaining('the mixer of hw:Dummy has no Headphone: it has Master')]);
});
