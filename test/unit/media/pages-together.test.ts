import { describe, expect, test } from 'vitest';
import { rms } from '../../../firmware/audio/frame.ts';
import type { PageGroup } from '../../../firmware/paging/groups.ts';
import type { LevelRule } from '../../../firmware/paging/levels.ts';
import { Pager, type PagerOptions } from '../../sim/pager.ts';
import { World } from '../../sim/phone.ts';
import { blockSnr, longestGapMs } from '../../sim/tone.ts';

const RATE = 16_000;
const HALL = { host: '239.1.1.1', port: 5_000 };
const YARD = { host: '239.1.1.2', port: 5_002 };
const GARDEN = { host: '239.1.1.3', port: 5_004 };
const POLYCOM = { host: '224.0.1.116', port: 5_001 };
const DELAY_MS = 200;
/** What is heard first was made so long after the start. */
const FRAME_MS = 10;
const rule: LevelRule = { call: 'duck', pages: 'interrupt', volumeDb: 0, leastDb: -60, gong: false };
const group: PageGroup = { name: 'hall', ...HALL, format: 'rtp', level: 'normal', sources: [], volumeDb: 0 };

function listening(groups: PageGroup[], normal: Partial<LevelRule> = {}) {
  const world = new World();
  const levels = { background: rule, normal: { ...rule, ...normal }, high: rule, emergency: rule };
  const paging = { groups, levels, silenceMs: 1_000, delayMs: DELAY_MS };
  const speaker = world.phone('192.0.2.1', { settings: { paging } });
  // Who has just come expects to be in the midst of a page.
  world.run(2_000);
  const report = () => {
    speaker.send({ do: 'report' });
    world.run(1);
    return speaker.told('report').at(-1)!;
  };
  return { world, speaker, report, pager: (options: PagerOptions) => new Pager(world, options) };
}

/** Milliseconds until it is not silent any more. */
const silentMs = (sound: Int16Array) => (sound.findIndex(sample => Math.abs(sample) > 500) * 1000) / RATE;

describe('a page with a common moment', () => {
  test.each(['PCMA', 'G722'] as const)('%s is heard the delay after it was sent, whole and clear', codec => {
    const { world, speaker, pager, report } = listening([group]);
    const talker = pager({ hz: 1_000, to: HALL, codec });
    talker.talk();
    world.run(2_000);
    // 1 ms on the way, and a little in the decoder.
    expect(Math.abs(silentMs(speaker.heard(2_000 - FRAME_MS)) - DELAY_MS - 1)).toBeLessThan(3);
    expect(blockSnr(speaker.heard(2_400, 3_900), 1_000, RATE)).toBeGreaterThan(30);
    expect(report().graph).toContain('together by packets');
    talker.stop();
    world.run(1_500);
    // What was sent last is heard to its end.
    expect(longestGapMs(speaker.heard(2_250, 4_200), RATE, 500)).toBeLessThan(2);
    expect(rms(speaker.heard(4_500, 5_000))).toBe(0);
  });

  test('begins with its gong', () => {
    const { world, speaker, pager } = listening([group], { gong: true });
    pager({ hz: 1_000, to: HALL, amplitude: 0 }).talk();
    world.run(1_000);
    const startsMs = silentMs(speaker.heard(2_000 - FRAME_MS));
    expect([startsMs >= DELAY_MS, startsMs < DELAY_MS + 30]).toEqual([true, true]);
  });

  test('of which nothing was heard does not keep others waiting for its gong', () => {
    const { world, speaker, pager } = listening(
      [
        group,
        { ...group, name: 'yard', ...YARD, level: 'high' },
        { ...group, name: 'garden', ...GARDEN, level: 'background' },
      ],
      { gong: true },
    );
    const urgent = pager({ hz: 2_000, to: YARD });
    urgent.talk();
    world.run(1_000);
    urgent.stop();
    world.run(700);
    const short = pager({ hz: 1_000, to: HALL, ssrc: 78, from: { host: '192.0.2.78', port: 40_000 } });
    short.talk();
    world.run(30);
    short.stop();
    world.run(5_000);
    pager({ hz: 1_500, to: GARDEN, ssrc: 79 }).talk();
    world.run(1_000);
    expect(speaker.told('page').map(({ group: name, state }) => `${name} ${state}`)).toEqual([
      'yard started',
      'hall ignored',
      'yard ended',
      'hall started',
      'hall ended',
      'garden started',
    ]);
  });

  test('that was silenced by a more urgent one goes on at its moment, not at what came meanwhile', () => {
    const { world, speaker, pager, report } = listening([group, { ...group, name: 'yard', ...YARD, level: 'high' }]);
    pager({ hz: 1_000, to: HALL }).talk();
    world.run(1_000);
    const other = pager({ hz: 2_000, to: YARD, ssrc: 78, from: { host: '192.0.2.78', port: 40_000 } });
    other.talk();
    world.run(5_000);
    other.stop();
    world.run(3_000);
    expect(blockSnr(speaker.heard(10_000, 11_000), 1_000, RATE)).toBeGreaterThan(30);
    expect(report().groups.hall!.counters).toMatchObject({ late: 0, resyncs: 0 });
  });

  test('of a Polycom telephone is heard whole though every fifth packet is lost, and ends at its word', () => {
    const { world, speaker, pager } = listening([{ ...group, ...POLYCOM, format: 'polycom', channel: 26 }]);
    const talker = pager({ hz: 1_000, to: POLYCOM });
    talker.loses = index => index % 5 === 3;
    const { end } = talker.talkPolycom(26);
    world.run(3_000);
    expect(blockSnr(speaker.heard(4_000, 4_900), 1_000, RATE)).toBeGreaterThan(30);
    talker.stop();
    end();
    world.run(1_000);
    expect(rms(speaker.heard(5_400, 5_900))).toBe(0);
  });

  test('from which most packets come too late says so', () => {
    const { world, pager, report } = listening([group]);
    pager({ hz: 1_000, to: HALL }).talk();
    world.run(1_000);
    // Half a second more on the way for every second one.
    world.network.faults = { delayMs: [1, 700] };
    world.run(3_000);
    expect(report().groups.hall!.counters.late).toBeGreaterThan(50);
  });
});
