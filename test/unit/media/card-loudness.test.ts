import { expect, test } from 'vitest';
import { Acoustics } from '../../../firmware/media/acoustics.ts';
import { CardLoudness } from '../../../firmware/media/card-loudness.ts';
import type { PagingSettings } from '../../../firmware/media/protocol.ts';

const RATE = 16_000;
const FRAME = 160;

/** A card whose loudspeaker turns in steps of 2 dB up to 0, and whose microphone in steps of 3 dB. */
function rig(paging?: PagingSettings) {
  const asked: number[][] = [];
  const card = new CardLoudness({ ...(paging && { paging }) }, (loudspeakerDb, microphoneDb) => {
    asked.push([loudspeakerDb, microphoneDb]);
    return {
      loudspeaker: { name: 'Speaker', db: Math.min(0, Math.ceil(loudspeakerDb / 2) * 2) },
      microphone: { name: 'Mic', db: Math.floor(microphoneDb / 3) * 3 },
      faults: [],
    };
  });
  const acoustics = new Acoustics(RATE, { loudspeakerDb: -7, microphoneDb: 10 }, undefined, undefined, card);
  /** What comes out of a sample of 1000 on either way, once gains are steady. */
  const ways = () => {
    const [frame, out] = [new Int16Array(FRAME).fill(1000), new Int16Array(FRAME)];
    for (let times = 0; times < 10; times++) {
      acoustics.hear(frame, out);
      acoustics.play(new Int32Array(FRAME).fill(1000), frame);
      if (times < 9) frame.fill(1000);
    }
    return { microphone: dbOf(out), loudspeaker: dbOf(frame) };
  };
  return { asked, acoustics, ways };
}

const dbOf = (frame: Int16Array) => Math.round(20 * Math.log10(frame.at(-1)! / 1000));

test('what the card does not do is done in numbers', () => {
  const { acoustics, asked, ways } = rig();
  expect(ways()).toEqual({ microphone: 10, loudspeaker: -7 });
  acoustics.applyCard();
  expect(asked).toEqual([[-7, 10]]);
  expect(ways()).toEqual({ microphone: 1, loudspeaker: -1 });
  acoustics.setVolume(3, 12);
  expect(ways()).toEqual({ microphone: 0, loudspeaker: 3 });
  expect(acoustics.report().card).toEqual({
    loudspeaker: { name: 'Speaker', db: 0 },
    microphone: { name: 'Mic', db: 12 },
  });
});

test('the card is as loud as the loudest page may be, and calls are softer in numbers', () => {
  const rule = { call: 'mix', pages: 'mix', volumeDb: 0, leastDb: -60, gong: false } as const;
  const levels = { background: rule, normal: rule, high: rule, emergency: { ...rule, leastDb: 0 } };
  const group = { name: 'yard', volumeDb: 2 } as PagingSettings['groups'][number];
  const { acoustics, asked, ways } = rig({ groups: [group], levels, silenceMs: 0, delayMs: 0 });
  acoustics.applyCard();
  expect(asked).toEqual([[0, 10]]);
  expect(ways().loudspeaker).toBe(-7);
});
