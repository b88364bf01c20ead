import { describe, expect, test } from 'vitest';
import { rms } from '../../../firmware/audio/frame.ts';
import type { PageGroup } from '../../../firmware/paging/groups.ts';
import type { LevelRule, LevelRules } from '../../../firmware/paging/levels.ts';
import { Pager, type PagerOptions } from '../../sim/pager.ts';
import { PCMA, type Phone, speaksTone, World } from '../../sim/phone.ts';
import { blockSnr, decibels, largestStep, sine, toneLevel } from '../../sim/tone.ts';

const RATE = 16_000;
const LOUD = 8_000;
const HALL = { host: '239.1.1.1', port: 5_000 };
const YARD = { host: '239.1.1.2', port: 5_002 };
const POLYCOM = { host: '224.0.1.116', port: 5_001 };

const group = (name: string, at: { host: string; port: number }, changes: Partial<PageGroup> = {}): PageGroup => ({
  name,
  ...at,
  format: 'rtp',
  level: 'normal',
  sources: [],
  volumeDb: 0,
  ...changes,
});

const rule = (changes: Partial<LevelRule> = {}): LevelRule => ({
  call: 'duck',
  pages: 'interrupt',
  volumeDb: 0,
  leastDb: -60,
  gong: false,
  ...changes,
});

const rules = (changes: Partial<Record<keyof LevelRules, Partial<LevelRule>>> = {}): LevelRules => ({
  background: rule({ call: 'ignore', pages: 'mix', ...changes.background }),
  normal: rule(changes.normal),
  high: rule({ pages: 'duck', ...changes.high }),
  emergency: rule({ call: 'interrupt', ...changes.emergency }),
});

function listening(groups: PageGroup[], levels: LevelRules = rules(), loudspeakerDb = 0) {
  const world = new World();
  const speaks = speaksTone(440, LOUD, RATE);
  const paging = { groups, levels, silenceMs: 1_000, delayMs: 0 };
  const speaker = world.phone('192.0.2.1', { speaks, settings: { paging, loudspeakerDb } });
  world.run(100);
  return { world, speaker, pager: (options: PagerOptions) => new Pager(world, options) };
}

/** How loud a tone is in the last 400 ms, against what was sent. Decibels. */
function level(world: World, phone: Phone, hz: number) {
  const nowMs = world.clock.now();
  return decibels(Math.max(1e-3, toneLevel(phone.heard(nowMs - 400, nowMs), hz, RATE)) / LOUD);
}

const states = (phone: Phone) => phone.told('page').map(({ state, group }) => `${group} ${state}`);

function report(world: World, phone: Phone) {
  phone.send({ do: 'report' });
  world.run(1);
  return phone.told('report').at(-1)!;
}

describe('a page in plain RTP', () => {
  test.each(['PCMA', 'PCMU', 'G722'] as const)('%s is heard, and ends a second after the last packet', codec => {
    const { world, speaker, pager } = listening([group('hall', HALL)]);
    const talker = pager({ hz: 1_000, to: HALL, codec });
    talker.talk();
    world.run(1_500);
    expect(blockSnr(speaker.heard(800, 1_500), 1_000, RATE)).toBeGreaterThan(30);
    expect(level(world, speaker, 1_000)).toBeCloseTo(0, 0);
    talker.stop();
    world.run(1_100);
    expect(states(speaker)).toEqual(['hall started', 'hall ended']);
    expect(speaker.told('page').at(-1)).toMatchObject({ source: '192.0.2.77', level: 'normal' });
    expect(rms(speaker.heard(2_300, 2_600))).toBe(0);
  });

  test('is joined late', () => {
    const { world, speaker, pager } = listening([group('hall', HALL)]);
    const talker = pager({ hz: 1_000, to: HALL });
    world.network.faults = { loss: 1 };
    talker.talk();
    world.run(10_000);
    world.network.faults = {};
    world.run(1_000);
    expect(level(world, speaker, 1_000)).toBeGreaterThan(-1);
    expect(report(world, speaker).groups.hall!.counters.lost).toBe(0);
  });

  test('whose sender begins anew from the same port goes on', () => {
    const { world, speaker, pager } = listening([group('hall', HALL)]);
    const first = pager({ hz: 1_000, to: HALL });
    first.talk();
    world.run(1_000);
    first.stop();
    pager({ hz: 1_500, to: HALL, ssrc: 78 }).talk();
    world.run(800);
    expect(level(world, speaker, 1_500)).toBeGreaterThan(-1);
    expect(states(speaker)).toEqual(['hall started']);
  });

  test('holds its group: who talks meanwhile is not heard until it is over', () => {
    const { world, speaker, pager } = listening([group('hall', HALL)]);
    const first = pager({ hz: 1_000, to: HALL });
    const second = pager({ hz: 1_500, to: HALL, from: { host: '192.0.2.78', port: 40_000 }, ssrc: 78 });
    first.talk();
    world.run(100);
    second.talk();
    world.run(1_500);
    expect(level(world, speaker, 1_000)).toBeGreaterThan(-1);
    expect(level(world, speaker, 1_500)).toBeLessThan(-40);
    first.stop();
    world.run(2_000);
    expect(level(world, speaker, 1_500)).toBeGreaterThan(-1);
    expect(speaker.told('page').map(({ state, source }) => `${source} ${state}`)).toEqual([
      '192.0.2.77 started',
      '192.0.2.77 ended',
      '192.0.2.78 started',
    ]);
    expect(report(world, speaker).groups.hall!.counters.otherTalker).toBeGreaterThan(50);
  });

  test('of an address that may not page is dropped and counted', () => {
    const { world, speaker, pager } = listening([group('hall', HALL, { sources: ['192.0.2.0/28', '192.0.2.99'] })]);
    pager({ hz: 1_000, to: HALL }).talk();
    world.run(1_000);
    expect(states(speaker)).toEqual([]);
    expect(report(world, speaker).groups.hall!.counters).toMatchObject({ otherSource: 50, packets: 0 });
    pager({ hz: 1_500, to: HALL, from: { host: '192.0.2.99', port: 1 } }).talk();
    world.run(1_000);
    expect(level(world, speaker, 1_500)).toBeGreaterThan(-1);
  });

  test('no codec that is not known, and nothing that is no RTP, begins one', () => {
    const { world, speaker, pager } = listening([group('hall', HALL)]);
    const talker = pager({ hz: 1_000, to: HALL });
    talker.send(new Uint8Array(3));
    talker.send(new Uint8Array(172).fill(0x40));
    const opus = new Uint8Array(172);
    opus.set([0x80, 96]);
    talker.send(opus);
    world.run(100);
    expect(states(speaker)).toEqual([]);
    expect(report(world, speaker).groups.hall!.counters).toMatchObject({ pages: 0, malformed: 2, otherCodec: 1 });
  });

  test('has the loudness of its group and of its level, and of an emergency at least what is set', () => {
    const quiet = listening([group('hall', HALL, { volumeDb: -6 })], rules({ normal: { volumeDb: -4 } }));
    quiet.pager({ hz: 1_000, to: HALL }).talk();
    quiet.world.run(1_000);
    expect(level(quiet.world, quiet.speaker, 1_000)).toBeCloseTo(-10, 0);
    const loud = listening([group('hall', HALL, { level: 'emergency' })], rules({ emergency: { leastDb: -3 } }), -30);
    loud.pager({ hz: 1_000, to: HALL }).talk();
    loud.world.run(1_000);
    expect(level(loud.world, loud.speaker, 1_000)).toBeCloseTo(-3, 0);
  });

  test('with a gong begins with it', () => {
    const { world, speaker, pager } = listening([group('hall', HALL)], rules({ normal: { gong: true } }));
    pager({ hz: 1_000, to: HALL, amplitude: 1 }).talk();
    world.run(400);
    expect(rms(speaker.heard(150, 400))).toBeGreaterThan(1_000);
    world.run(2_000);
    expect(rms(speaker.heard(2_000, 2_400))).toBeLessThan(50);
  });
});

describe('a page over a call', () => {
  function inACall(levels: LevelRules, to: Partial<PageGroup> = {}) {
    const all = listening([group('hall', HALL, to)], levels);
    const desk = all.world.phone('192.0.2.2', { speaks: speaksTone(2_000, LOUD, RATE) });
    all.world.connect(all.speaker, desk, PCMA);
    all.world.run(1_000);
    const talker = all.pager({ hz: 1_000, to: HALL });
    talker.talk();
    all.world.run(1_500);
    const hears = { call: level(all.world, all.speaker, 2_000), page: level(all.world, all.speaker, 1_000) };
    return { ...all, desk, talker, hears, farEnd: level(all.world, desk, 440) };
  }

  test('ducks it', () => {
    const { hears, farEnd } = inACall(rules());
    expect(hears.page).toBeGreaterThan(-1);
    expect(hears.call).toBeCloseTo(-20, 0);
    expect(farEnd).toBeGreaterThan(-1);
  });

  test('is mixed with it', () => {
    const { hears } = inACall(rules({ normal: { call: 'mix' } }));
    expect(hears.page).toBeGreaterThan(-1);
    expect(hears.call).toBeGreaterThan(-1);
  });

  test('takes its place, both ways, and gives it back without a click', () => {
    const { hears, farEnd, talker, world, speaker, desk } = inACall(rules(), { level: 'emergency' });
    expect(hears.page).toBeGreaterThan(-1);
    expect(hears.call).toBeLessThan(-60);
    expect(farEnd).toBeLessThan(-60);
    talker.stop();
    world.run(2_000);
    expect(level(world, speaker, 2_000)).toBeGreaterThan(-1);
    expect(level(world, desk, 440)).toBeGreaterThan(-1);
    const ownStep = largestStep(sine(2_000, LOUD, RATE, 0.1));
    expect(largestStep(speaker.heard(2_650))).toBeLessThan(1.2 * ownStep);
  });

  test('is not heard, until the call ends', () => {
    const { hears, world, speaker } = inACall(rules(), { level: 'background' });
    expect(hears.page).toBeLessThan(-60);
    expect(hears.call).toBeGreaterThan(-1);
    expect(speaker.told('page')).toMatchObject([{ state: 'ignored', why: 'a call is up' }]);
    speaker.send({ do: 'close', stream: 'call' });
    world.run(1_000);
    expect(level(world, speaker, 1_000)).toBeGreaterThan(-1);
    expect(states(speaker)).toEqual(['hall ignored', 'hall started']);
  });
});

describe('two pages at once', () => {
  test('the more urgent one takes the place of the other, which is heard again afterwards', () => {
    const { world, speaker, pager } = listening([group('hall', HALL), group('yard', YARD, { level: 'emergency' })]);
    pager({ hz: 1_000, to: HALL }).talk();
    world.run(1_000);
    const urgent = pager({ hz: 1_500, to: YARD });
    urgent.talk();
    world.run(1_000);
    expect(level(world, speaker, 1_000)).toBeLessThan(-60);
    expect(level(world, speaker, 1_500)).toBeGreaterThan(-1);
    urgent.stop();
    world.run(2_500);
    expect(level(world, speaker, 1_000)).toBeGreaterThan(-1);
    expect(states(speaker)).toEqual(['hall started', 'yard started', 'yard ended']);
  });

  test('of one level: the first is heard, then the other', () => {
    const { world, speaker, pager } = listening([group('hall', HALL), group('yard', YARD)]);
    const first = pager({ hz: 1_000, to: HALL });
    first.talk();
    world.run(500);
    pager({ hz: 1_500, to: YARD }).talk();
    world.run(1_000);
    expect(level(world, speaker, 1_500)).toBeLessThan(-60);
    first.stop();
    world.run(2_000);
    expect(level(world, speaker, 1_500)).toBeGreaterThan(-1);
    expect(states(speaker)).toEqual(['hall started', 'yard ignored', 'hall ended', 'yard started']);
  });
});

describe('a Polycom page', () => {
  const desks = [
    group('desks', POLYCOM, { format: 'polycom', channel: 26 }),
    group('alarm', POLYCOM, { format: 'polycom', channel: 50, level: 'emergency' }),
  ];

  test.each([
    ['PCMU', 160, 160],
    ['PCMU', 80, 80],
    ['G722', 160, 160],
    ['G722', 160, 320],
    ['G722', 80, 160],
    ['PCMA', 160, 160],
  ] as const)('%s in frames of %i bytes, counted as %i, is heard on its channel alone', (codec, frameBytes, step) => {
    const { world, speaker, pager } = listening(desks);
    const talker = pager({ hz: 1_000, to: POLYCOM, codec });
    talker.talkPolycom(26, { frameBytes, step });
    world.run(3_000);
    expect(blockSnr(speaker.heard(1_500, 3_000), 1_000, RATE)).toBeGreaterThan(30);
    expect(states(speaker)).toEqual(['desks started']);
    expect(report(world, speaker).groups.desks!.page).toMatchObject({ caller: 'Front desk', heard: true });
  });

  test('loses nothing where every fifth packet is lost: each carries the frame before', () => {
    const { world, speaker, pager } = listening(desks);
    const talker = pager({ hz: 1_000, to: POLYCOM });
    talker.loses = index => index % 5 === 4;
    talker.talkPolycom(26);
    world.run(4_000);
    expect(blockSnr(speaker.heard(2_000, 4_000), 1_000, RATE)).toBeGreaterThan(30);
  });

  test('ends at once when it is said to', () => {
    const { world, speaker, pager } = listening(desks);
    const talker = pager({ hz: 1_000, to: POLYCOM });
    const { end } = talker.talkPolycom(50);
    world.run(2_000);
    talker.stop();
    end();
    world.run(50);
    expect(states(speaker)).toEqual(['alarm started', 'alarm ended']);
  });
});

describe('a Linksys page', () => {
  const CONTROL = { host: '224.168.168.168', port: 6_061 };
  const AUDIO = { host: '224.168.168.168', port: 34_567 };

  test('is joined when it starts and left when it stops', () => {
    const { world, speaker, pager } = listening([group('spa', CONTROL, { format: 'linksys' })]);
    const control = pager({ hz: 1_000, to: CONTROL });
    const sound = pager({ hz: 1_000, to: AUDIO, codec: 'PCMU' });
    control.say({ command: 'start', id: 9, ...AUDIO });
    world.run(10);
    expect(world.network.membersOf(AUDIO)).toEqual(['192.0.2.1']);
    sound.talk();
    world.run(1_500);
    expect(level(world, speaker, 1_000)).toBeGreaterThan(-1);
    sound.stop();
    control.say({ command: 'stop', id: 9, ...AUDIO });
    world.run(100);
    expect(states(speaker)).toEqual(['spa started', 'spa ended']);
    expect(world.network.membersOf(AUDIO)).toEqual([]);
  });

  test('that never comes is forgotten, and the next one is heard', () => {
    const { world, speaker, pager } = listening([group('spa', CONTROL, { format: 'linksys' })]);
    const control = pager({ hz: 1_000, to: CONTROL });
    control.say({ command: 'start', id: 9, ...AUDIO });
    world.run(6_000);
    expect(world.network.membersOf(AUDIO)).toEqual([]);
    control.say({ command: 'start', id: 10, ...AUDIO });
    world.run(10);
    pager({ hz: 1_000, to: AUDIO }).talk();
    world.run(1_000);
    expect(level(world, speaker, 1_000)).toBeGreaterThan(-1);
  });
});

describe('membership', () => {
  test('that is refused is told with its reason, and tried again', () => {
    const world = new World();
    world.network.refusedGroups.set(HALL.host, 'no network leads to it');
    const paging = { groups: [group('hall', HALL)], levels: rules(), silenceMs: 1_000, delayMs: 0 };
    const speaker = world.phone('192.0.2.1', { settings: { paging } });
    world.run(35_000);
    expect(speaker.told('group')).toMatchObject([{ group: 'hall', why: 'no network leads to it' }]);
    expect(report(world, speaker).groups.hall!.why).toBe('no network leads to it');
    world.network.refusedGroups.clear();
    world.run(10_000);
    expect(speaker.told('group').at(-1)).toMatchObject({ group: 'hall', why: undefined });
    new Pager(world, { hz: 1_000, to: HALL }).talk();
    world.run(1_000);
    expect(level(world, speaker, 1_000)).toBeGreaterThan(-1);
  });

  test('ends with the media thread: nothing stays joined or armed', async () => {
    const { world, speaker } = listening([group('hall', HALL), group('yard', YARD)]);
    const stopped = speaker.media.stop();
    world.run(10);
    await stopped;
    expect([HALL, YARD].flatMap(at => world.network.membersOf(at))).toEqual([]);
    expect(world.clock.armed).toEqual([]);
  });
});

test('a group of a codec that the device lacks says so, and is heard in the others', () => {
  const { world, speaker, pager } = listening([group('hall', HALL, { dynamicCodec: 'opus' })]);
  expect(speaker.told('group').map(({ why }) => why)).toContain('this device has no Opus library');
  pager({ hz: 1_000, to: HALL }).talk();
  world.run(1_000);
  expect(level(world, speaker, 1_000)).toBeGreaterThan(-1);
  expect(report(world, speaker).groups.hall!.why).toBe('this device has no Opus library');
});

test('32 groups at once: the most urgent of all is heard, clearly', () => {
  const groups = Array.from({ length: 32 }, (_, index) =>
    group(`zone-${index}`, { host: '239.2.0.1', port: 6_000 + 2 * index }, { level: index === 20 ? 'high' : 'normal' }),
  );
  const { world, speaker, pager } = listening(groups, rules({ high: { pages: 'interrupt' } }));
  for (const [index, { host, port }] of groups.entries())
    pager({ hz: index === 20 ? 1_000 : 300 + 10 * index, to: { host, port }, ssrc: index }).talk();
  world.run(2_000);
  expect(blockSnr(speaker.heard(1_000, 2_000), 1_000, RATE)).toBeGreaterThan(30);
});
