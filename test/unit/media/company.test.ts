/** With whom a stream talks: the device, all the others that talk with all, or nobody. */
import { expect, test } from 'vitest';
import type { Company } from '../../../firmware/media/protocol.ts';
import { OPUS, PCMA, type Phone, speaksTone, World } from '../../sim/phone.ts';
import { decibels, toneLevel } from '../../sim/tone.ts';

const RATE = 16_000;
const HZ = { door: 440, desk: 1_000, hall: 1_500 };
type Name = keyof typeof HZ;

/** A door in two calls. */
function building() {
  const world = new World();
  const phone = (host: string, name: Name) => world.phone(host, { speaks: speaksTone(HZ[name], 6_000, RATE) });
  const phones = {
    door: phone('192.0.2.1', 'door'),
    desk: phone('192.0.2.2', 'desk'),
    hall: phone('192.0.2.3', 'hall'),
  };
  world.connect(phones.door, phones.desk, PCMA, {}, 'desk');
  world.connect(phones.door, phones.hall, PCMA, {}, 'hall');
  let nowMs = 0;
  const run = (ms: number) => {
    world.run(ms);
    nowMs += ms;
  };
  const connect = (stream: 'desk' | 'hall', company: Company) =>
    phones.door.send({ do: 'connect', stream, with: company });
  const hears = (who: Name): string => {
    const sound = phones[who].heard(nowMs - 300);
    const level = (name: Name) => decibels(toneLevel(sound, HZ[name], RATE) / 6_000);
    return (Object.keys(HZ) as Name[]).filter(name => level(name) > -3).join(' ');
  };
  return { world, phones, run, connect, hears };
}

test('from the start each talks with the device alone', () => {
  const { run, hears } = building();
  run(1_500);
  expect([hears('door'), hears('desk'), hears('hall')]).toEqual(['desk hall', 'door', 'door']);
});

test('with all: each hears the others, and never itself', () => {
  const { run, connect, hears } = building();
  connect('desk', 'all');
  connect('hall', 'all');
  run(1_500);
  expect([hears('door'), hears('desk'), hears('hall')]).toEqual(['desk hall', 'door hall', 'door desk']);
});

test('with nobody: silence in both directions, and the others go on', () => {
  const { run, connect, hears } = building();
  connect('desk', 'nobody');
  run(1_500);
  expect([hears('door'), hears('desk'), hears('hall')]).toEqual(['hall', '', 'door']);
  connect('desk', 'device');
  run(1_500);
  expect(hears('desk')).toBe('door');
});

test('one who is muted among all is heard by none, and hears them', () => {
  const { run, connect, hears, phones } = building();
  connect('desk', 'all');
  connect('hall', 'all');
  phones.hall.send({ do: 'mute', stream: 'hall', muted: true });
  run(1_500);
  expect([hears('door'), hears('desk'), hears('hall')]).toEqual(['desk', 'door', 'door desk']);
});

test('codecs of different rates meet', () => {
  const { world, run, connect, hears, phones } = building();
  if (phones.door.told('ready')[0]?.opus !== 'none') {
    world.start(phones.door, phones.hall, OPUS, {}, 'hall');
    world.start(phones.hall, phones.door, OPUS, {}, 'hall');
  }
  connect('desk', 'all');
  connect('hall', 'all');
  run(1_500);
  expect([hears('desk'), hears('hall')]).toEqual(['door hall', 'door desk']);
});

test('the graph shows who is joined', () => {
  const { run, connect, phones } = building();
  connect('desk', 'all');
  connect('hall', 'nobody');
  phones.door.send({ do: 'report' });
  run(10);
  const { graph } = phones.door.told('report').at(-1)!;
  expect(graph).toContain('microphone and bridge → encode');
  expect(graph).toContain('→ mixer and bridge');
  expect(graph).toContain('silence → encode');
  expect(graph).toContain('→ nobody');
});

test('of a stream that is not there it is said', () => {
  const { phones, run } = building();
  (phones.door as Phone).send({ do: 'connect', stream: 'elsewhere', with: 'all' });
  run(1);
  expect(phones.door.told('failed')).toMatchObject([{ stream: 'elsewhere', doing: 'connect' }]);
});
