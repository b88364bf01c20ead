import { describe, expect, test } from 'vitest';
import { rms } from '../../../firmware/audio/frame.ts';
import { isBadWav, MAX_WAV_BYTES, parseWav, wavHeader } from '../../../firmware/audio/wav.ts';
import { PCMA, type Phone, speaksTone, World } from '../../sim/phone.ts';
import { blockSnr, decibels, largestStep, sine, toneLevel } from '../../sim/tone.ts';

const LOUD = 8000;
const level = (sound: Int16Array, hz: number) => decibels(toneLevel(sound, hz, 16_000) / LOUD);

function wavOf(samples: Int16Array, rate = 16_000): Uint8Array {
  return new Uint8Array(Buffer.concat([wavHeader(rate, samples.byteLength), Buffer.from(samples.buffer)]));
}

function alone(): [World, Phone] {
  const world = new World();
  const door = world.phone('192.0.2.1');
  door.files.contents.set('half.wav', wavOf(sine(700, LOUD, 16_000, 0.5)));
  door.files.contents.set('long.wav', wavOf(sine(700, LOUD, 16_000, 10)));
  door.files.contents.set('44k.wav', wavOf(sine(700, LOUD, 44_100, 1), 44_100));
  door.files.contents.set('bad.wav', new TextEncoder().encode('#!/bin/sh\n'));
  door.files.contents.set('huge.wav', new Uint8Array(MAX_WAV_BYTES + 1));
  return [world, door];
}

function talking(): [World, Phone, Phone] {
  const [world, door] = alone();
  const desk = world.phone('192.0.2.2', { speaks: speaksTone(1000, LOUD, 16_000) });
  world.connect(door, desk);
  world.run(500);
  return [world, door, desk];
}

describe('a tone here', () => {
  test('plays beside the call until it is stopped, and stops without a click', () => {
    const [world, door] = talking();
    door.send({ do: 'play tone', tone: 'busy', at: 'here' });
    world.run(450);
    expect(toneLevel(door.heard(600, 900), 425, 16_000)).toBeGreaterThan(4000);
    expect(level(door.heard(600, 900), 1000)).toBeGreaterThan(-1);
    door.send({ do: 'stop playing', at: 'here' });
    world.run(2000);
    expect(toneLevel(door.heard(1000), 425, 16_000)).toBeLessThan(20);
    expect(blockSnr(door.heard(1100), 1000, 16_000)).toBeGreaterThan(35);
    expect(largestStep(door.heard(500))).toBeLessThan(5000);
  });

  test('takes the place of the tone before it', () => {
    const [world, door] = alone();
    door.send({ do: 'play tone', tone: 'ringback', at: 'here' });
    world.run(300);
    door.send({ do: 'play tone', tone: 'answered', at: 'here' });
    world.run(2000);
    expect(rms(door.heard(600, 2300))).toBe(0);
    expect(largestStep(door.heard(0))).toBeLessThan(6000);
  });

  test('is that of the country', () => {
    const world = new World();
    const door = world.phone('192.0.2.1', { settings: { country: 'us' } });
    door.send({ do: 'play tone', tone: 'busy', at: 'here' });
    world.run(450);
    expect(toneLevel(door.heard(50), 620, 16_000)).toBeGreaterThan(3000);
  });
});

describe('a file here', () => {
  test('plays once, to its end, and that is told', () => {
    const [world, door] = alone();
    door.send({ do: 'play file', file: 'half.wav', at: 'here', id: 'f1' });
    world.run(450);
    expect(door.told('played')).toEqual([]);
    world.run(100);
    expect(door.told('played')).toEqual([{ is: 'played', id: 'f1' }]);
    expect(level(door.heard(50, 450), 700)).toBeCloseTo(0, 0);
    world.run(500);
    expect(rms(door.heard(700))).toBe(0);
  });

  test('of another rate sounds the same', () => {
    const [world, door] = alone();
    door.send({ do: 'play file', file: '44k.wav', at: 'here', id: 'f1' });
    world.run(1000);
    expect(blockSnr(door.heard(100, 900), 700, 16_000)).toBeGreaterThan(50);
  });

  test('that was stopped while it was read is not heard in place of the next of the same name', () => {
    const [world, door] = alone();
    door.send({ do: 'play file', file: 'long.wav', at: 'here', id: 'f' });
    world.run(2);
    door.send({ do: 'stop playing', at: 'here' });
    door.send({ do: 'play file', file: 'half.wav', at: 'here', id: 'f' });
    world.run(1_000);
    expect(door.told('played')).toEqual([
      { is: 'played', id: 'f', why: 'stopped' },
      { is: 'played', id: 'f' },
    ]);
  });

  test('ends with the next file, and with a stop: each told once', () => {
    const [world, door] = alone();
    door.send({ do: 'play file', file: 'long.wav', at: 'here', id: 'a' });
    world.run(200);
    door.send({ do: 'play file', file: 'long.wav', at: 'here', id: 'b' });
    world.run(200);
    // Stopped while the third is still being read.
    door.send({ do: 'play file', file: 'long.wav', at: 'here', id: 'c' });
    door.send({ do: 'stop playing', at: 'here' });
    world.run(1000);
    expect(door.told('played')).toEqual([
      { is: 'played', id: 'a', why: 'another file was played' },
      { is: 'played', id: 'c', why: 'stopped' },
      { is: 'played', id: 'b', why: 'stopped' },
    ]);
    expect(rms(door.heard(500))).toBe(0);
  });

  test.each([
    ['nowhere.wav', /does not exist/],
    ['bad.wav', /bad.wav: this is not a WAV file/],
    ['huge.wav', /too large/],
  ])('%s is not played, and why is told', (file, why) => {
    const [world, door] = alone();
    door.send({ do: 'play file', file, at: 'here', id: 'f1' });
    world.run(100);
    expect(door.told('played')).toEqual([{ is: 'played', id: 'f1', why: expect.stringMatching(why) }]);
  });
});

describe('into a call', () => {
  test('a file takes the place of the microphone, then gives it back', () => {
    const [world, door, desk] = talking();
    desk.files.contents.set('half.wav', door.files.contents.get('half.wav')!);
    desk.send({ do: 'play file', file: 'half.wav', at: { stream: 'call' }, id: 'announcement' });
    world.run(2000);
    expect(desk.told('played')).toEqual([{ is: 'played', id: 'announcement' }]);
    const during = door.heard(650, 950);
    expect(level(during, 700)).toBeCloseTo(0, 0);
    expect(level(during, 1000)).toBeLessThan(-40);
    expect(blockSnr(door.heard(1300), 1000, 16_000)).toBeGreaterThan(35);
    // Here it is not heard.
    expect(rms(desk.heard(600))).toBeLessThan(10);
  });

  test('a tone is heard there, though the microphone is muted', () => {
    const [world, door, desk] = talking();
    desk.send({ do: 'mute', stream: 'call', muted: true });
    desk.send({ do: 'play tone', tone: 'page', at: { stream: 'call' } });
    world.run(300);
    expect(toneLevel(door.heard(600, 800), 784, 16_000)).toBeGreaterThan(3000);
  });

  test('a file ends with its stream, or without one', () => {
    const [world, door] = talking();
    door.send({ do: 'play file', file: 'long.wav', at: { stream: 'call' }, id: 'a' });
    world.run(200);
    door.send({ do: 'play file', file: 'long.wav', at: { stream: 'call' }, id: 'loading' });
    door.send({ do: 'close', stream: 'call' });
    door.send({ do: 'play file', file: 'long.wav', at: { stream: 'call' }, id: 'b' });
    world.run(200);
    expect(door.told('played').map(({ id, why }) => `${id}: ${why}`)).toEqual([
      'loading: the stream was closed',
      'a: the stream was closed',
      'b: there is no such stream',
    ]);
  });
});

describe('a recording', () => {
  function samples(phone: Phone, file: string): Int16Array {
    const wav = parseWav(phone.files.contents.get(file)!);
    if (isBadWav(wav)) throw new Error(wav.malformed);
    expect(wav.rate).toBe(16_000);
    const all = new Int16Array(wav.length);
    wav.read(0, wav.length, all);
    return all;
  }

  test('holds what the stream received as it was heard, and what it sent', () => {
    const [world, door] = talking();
    door.send({ do: 'record', stream: 'call', what: 'received', file: 'in.wav' });
    door.send({ do: 'record', stream: 'call', what: 'sent', file: 'out.wav' });
    door.send({ do: 'play tone', tone: 'ringback', at: 'here' });
    door.send({ do: 'play file', file: 'long.wav', at: { stream: 'call' }, id: 'f' });
    world.run(2500);
    door.send({ do: 'close', stream: 'call' });
    world.run(100);
    const received = samples(door, 'in.wav');
    expect(received.length / 16).toBeCloseTo(2500, -1);
    expect(blockSnr(received, 1000, 16_000)).toBeGreaterThan(35);
    expect(level(received, 425)).toBeLessThan(-50);
    expect(level(samples(door, 'out.wav').slice(1600), 700)).toBeCloseTo(0, 0);
    expect(door.told('failed')).toEqual([]);
  });

  test('ended by another of the same kind is whole', () => {
    const [world, door] = talking();
    door.send({ do: 'record', stream: 'call', what: 'received', file: 'one.wav' });
    world.run(300);
    door.send({ do: 'record', stream: 'call', what: 'received', file: 'two.wav' });
    world.run(300);
    door.send({ do: 'close', stream: 'call' });
    world.run(100);
    expect(samples(door, 'one.wav').length).toBe(300 * 16);
    expect(samples(door, 'two.wav').length).toBe(300 * 16);
  });

  test('that cannot be written is told, and the call goes on', () => {
    const [world, door] = talking();
    door.files.fails = '/recordings may not be used';
    door.send({ do: 'record', stream: 'call', what: 'received', file: '/recordings/x.wav' });
    world.run(3000);
    expect(blockSnr(door.heard(600), 1000, 16_000)).toBeGreaterThan(35);
    door.send({ do: 'close', stream: 'call' });
    world.run(100);
    expect(door.told('failed')).toEqual([
      { is: 'failed', stream: 'call', doing: 'record', why: '/recordings may not be used' },
    ]);
  });

  test('is on disk before the engine says that it has stopped', async () => {
    const [world, door] = talking();
    door.files.slowMs = 50;
    door.send({ do: 'record', stream: 'call', what: 'received', file: 'in.wav' });
    world.run(500);
    const stopped = door.media.stop();
    world.run(40);
    expect(door.told('stopped')).toEqual([]);
    world.run(500);
    await stopped;
    expect(samples(door, 'in.wav').length).toBe(500 * 16);
  });
});

test('a page: chime, then the file, in order, on a stream that only sends', () => {
  const [world, door] = alone();
  const hall = world.phone('192.0.2.5');
  world.connect(door, hall, PCMA, { direction: 'sendonly' });
  world.start(hall, door, PCMA, { direction: 'recvonly' });
  door.send({ do: 'play tone', tone: 'page', at: { stream: 'call' } });
  world.run(2050);
  door.send({ do: 'play file', file: 'half.wav', at: { stream: 'call' }, id: 'page' });
  world.run(1000);
  expect(toneLevel(hall.heard(90, 220), 784, 16_000)).toBeGreaterThan(3000);
  expect(level(hall.heard(2200, 2500), 700)).toBeCloseTo(0, 0);
  expect(door.told('played')).toEqual([{ is: 'played', id: 'page' }]);
});
