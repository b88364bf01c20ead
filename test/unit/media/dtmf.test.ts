import { describe, expect, test } from 'vitest';
import { loadLibopus } from '../../../firmware/audio/codecs/libopus.ts';
import { parseRtp } from '../../../firmware/rtp/packet.ts';
import { keySound, speaksOnce } from '../../sim/keys.ts';
import { EVENTS, G722, OPUS, PCMA, type Phone, speaksTone, World } from '../../sim/phone.ts';
import { blockSnr, decibels, toneLevel } from '../../sim/tone.ts';

const opus = loadLibopus(16_000);

const keysHeard = (phone: Phone) =>
  phone
    .told('dtmf')
    .map(({ key }) => key)
    .join('');

const sendKeys = (phone: Phone, keys: string, toneMs = 100, gapMs = 60) =>
  phone.send({ do: 'send dtmf', stream: 'call', keys, toneMs, gapMs });

function talking(world = new World(), codec = PCMA): [World, Phone, Phone] {
  const door = world.phone('192.0.2.1', { speaks: speaksTone(440, 8000, 16_000), opus });
  const desk = world.phone('192.0.2.2', { speaks: speaksTone(1000, 8000, 16_000), opus });
  world.connect(door, desk, codec);
  world.run(500);
  return [world, door, desk];
}

describe.each([
  ['PCMA', PCMA],
  ['Opus', OPUS],
] as const)('keys over %s', (_, codec) => {
  test('are heard once each, with their length, both ways', () => {
    const [world, door, desk] = talking(new World(), codec);
    sendKeys(desk, '0123456789*#ABCD');
    sendKeys(door, '55#');
    world.run(6000);
    expect(keysHeard(door)).toBe('0123456789*#ABCD');
    expect(keysHeard(desk)).toBe('55#');
    expect(door.told('dtmf').every(({ durationMs }) => durationMs === 100)).toBe(true);
    expect(desk.told('dtmf sent')).toEqual([{ is: 'dtmf sent', stream: 'call', keys: '0123456789*#ABCD' }]);
  });

  test.each([1, 2, 3, 4, 5, 6])('are heard once each at 20 %% loss, duplication and disorder (seed %i)', seed => {
    const [world, door, desk] = talking(new World({ loss: 0.2, duplication: 0.2, delayMs: [5, 60] }, seed), codec);
    sendKeys(desk, '1193*#0072', 160, 80);
    world.run(6000);
    expect(keysHeard(door)).toBe('1193*#0072');
  });
});

describe('keys as tones in the sound', () => {
  function dialling(keysInSound: 'auto' | 'always' | 'never', telephoneEvent: number | undefined, codec = PCMA) {
    const world = new World();
    const door = world.phone('192.0.2.1', { opus, settings: { keysInSound } });
    const desk = world.phone('192.0.2.2', { opus, speaks: speaksOnce(keySound('1159#'), 300) });
    world.connect(door, desk, codec, telephoneEvent === undefined ? { telephoneEvent } : {});
    world.run(2000);
    return { world, door, desk };
  }

  test.each([
    ['PCMA', PCMA],
    ['G.722', G722],
    ['Opus', OPUS],
  ] as const)('are heard over %s where the peer tells of none', (_, codec) => {
    const { door } = dialling('auto', undefined, codec);
    expect(keysHeard(door)).toBe('1159#');
    expect(door.told('dtmf').every(({ by }) => by === 'audio')).toBe(true);
  });

  test('are left alone where the peer can send events, and where it is said so', () => {
    expect(keysHeard(dialling('auto', EVENTS).door)).toBe('');
    expect(keysHeard(dialling('never', undefined).door)).toBe('');
    expect(keysHeard(dialling('always', EVENTS).door)).toBe('1159#');
  });

  test('a key that sounds when the stream is put on hold is told then, and not twice', () => {
    const world = new World();
    const door = world.phone('192.0.2.1');
    const desk = world.phone('192.0.2.2', { speaks: speaksOnce(keySound('7', { onMs: 2000 })) });
    const changes = { telephoneEvent: undefined };
    world.connect(door, desk, PCMA, changes);
    world.run(500);
    world.start(door, desk, PCMA, { ...changes, direction: 'sendonly' });
    world.run(100);
    expect(keysHeard(door)).toBe('7');
    world.run(3000);
    expect(keysHeard(door)).toBe('7');
  });
});

test('keys take the place of sound, and sound comes back without a click or a gap afterwards', () => {
  const [world, door, desk] = talking();
  const types: number[] = [];
  world.network.onSend = (bytes, from) => {
    if (from.port === 20_002) types.push(parseRtp(bytes)?.payloadType ?? -1);
  };
  sendKeys(desk, '5');
  world.run(1500);
  const events = types.filter(type => type === EVENTS);
  // 100 ms in packets of 20, and the end twice more.
  expect(events).toHaveLength(7);
  const first = types.indexOf(EVENTS);
  expect(types.slice(first, first + 7).every(type => type === EVENTS)).toBe(true);
  expect(blockSnr(door.heard(1200), 1000, 16_000)).toBeGreaterThan(35);
  expect(door.told('dtmf')).toHaveLength(1);
});

test('keys are heard while muted, and while the stream only listens', () => {
  const [world, door, desk] = talking();
  door.send({ do: 'mute', stream: 'call', muted: true });
  world.start(door, desk, PCMA, { direction: 'sendonly' });
  sendKeys(desk, '7');
  world.run(500);
  expect(keysHeard(door)).toBe('7');
});

test('a second order waits for the first, and each is told when it is done', () => {
  const [world, door, desk] = talking();
  sendKeys(desk, '12');
  sendKeys(desk, '3');
  world.run(1500);
  expect(keysHeard(door)).toBe('123');
  expect(desk.told('dtmf sent').map(({ keys }) => keys)).toEqual(['12', '3']);
});

test('the gap between keys is at least what was asked for', () => {
  const [world, , desk] = talking();
  const times: number[] = [];
  world.network.onSend = (bytes, from) => {
    const packet = parseRtp(bytes);
    if (from.port === 20_002 && packet?.payloadType === EVENTS && packet.marker) times.push(world.clock.now());
  };
  sendKeys(desk, '99', 100, 200);
  world.run(1500);
  // The key and the two repetitions of its end, then the gap.
  expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(100 + 200);
});

describe('refused', () => {
  test.each<[string, string, RegExp]>([
    ['no key at all', '', /no key/],
    ['a letter that is none', '12x', /'x' is no key/],
    ['more than the queue holds', '1'.repeat(65), /64 keys/],
  ])('%s', (_, keys, why) => {
    const [world, door, desk] = talking();
    sendKeys(desk, keys);
    world.run(500);
    expect(desk.told('failed')).toMatchObject([
      { stream: 'call', doing: 'send dtmf', why: expect.stringMatching(why) },
    ]);
    expect(keysHeard(door)).toBe('');
  });

  test('keys for a peer that takes none', () => {
    const [world, door, desk] = talking();
    const { telephoneEvent: _, ...settings } = world.settings(door, PCMA);
    desk.send({ do: 'start', stream: 'call', settings });
    sendKeys(desk, '1');
    world.run(500);
    expect(desk.told('failed')).toMatchObject([{ doing: 'send dtmf', why: expect.stringMatching(/telephone-event/) }]);
    expect(keysHeard(door)).toBe('');
  });

  test('keys on a stream that is not there, or has not started', () => {
    const world = new World();
    const desk = world.phone('192.0.2.2');
    sendKeys(desk, '1');
    world.open(desk);
    sendKeys(desk, '1');
    world.run(10);
    expect(desk.told('failed').map(({ why }) => why)).toEqual([
      'there is no stream call',
      'the stream has not started',
    ]);
  });
});

test('the tone under the keys is not sent: nothing of the microphone during a key', () => {
  const [world, door, desk] = talking();
  world.run(500);
  sendKeys(desk, '1', 600);
  world.run(1200);
  // In the midst of the key, when concealment has faded.
  expect(decibels(toneLevel(door.heard(1300, 1600), 1000, 16_000) / 8000)).toBeLessThan(-40);
});
