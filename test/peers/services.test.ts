/** Several calls at once with real telephones: hold, transfer in both forms, and everybody in one conversation. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Baresip, startBaresip } from './support/baresip.ts';
import { Bench } from './support/bench.ts';
import { HOST, type RunningDevice, startDevice } from './support/device.ts';
import { hears, writeTone } from './support/hearing.ts';
import { startLinphone } from './support/linphone.ts';
import { passes, until } from './support/until.ts';

const VISITOR_HZ = 1100;
const DESK_HZ = 700;
const HALL_HZ = 900;
/** How long everybody speaks. Milliseconds. */
const TALK_MS = 3_000;

let bench: Bench;
let desk: Baresip;
let hall: Baresip;
let device: RunningDevice;
beforeEach(async () => {
  bench = new Bench();
  const visitor = join(bench.folder, 'visitor.wav');
  writeTone(visitor, { hz: VISITOR_HZ, levelDb: -18, rate: 16_000, seconds: 1 });
  const telephone = (name: string, hz: number) => {
    const voice = join(bench.folder, `${name}.wav`);
    writeTone(voice, { hz, levelDb: -18, rate: 48_000, seconds: 60 });
    return startBaresip(bench, name, { codecs: ['PCMA/8000/1'], voice });
  };
  desk = await telephone('desk', DESK_HZ);
  hall = await telephone('hall', HALL_HZ);
  device = await startDevice(bench, {
    microphone: visitor,
    config: {
      sip: { maxCalls: 2, accounts: { direct: { uri: `sip:front@${HOST}`, register: false } } },
      contacts: {
        desk: { uri: `sip:desk@${HOST}:${desk.port}` },
        hall: { uri: `sip:hall@${HOST}:${hall.port}` },
      },
      media: { codecs: ['PCMA'] },
    },
  });
});
afterEach(() => bench.stop());

async function calls(contact: 'desk' | 'hall', phone: Baresip) {
  await device.do(`call ${contact}`);
  await phone.event('CALL_INCOMING');
  await phone.command('accept');
  await device.event('call', 'answered');
  await phone.event('CALL_ESTABLISHED');
}

const seconds = (file: string, hz: number) => hears(file, hz).seconds;

test('hold and resume: nothing comes meanwhile, and sound again', async () => {
  await calls('desk', desk);
  const received = async () => (await device.status()).call.statistics?.receivedPackets ?? 0;
  await until('they talk', async () => (await received()) > 25);
  await device.do('hold');
  await device.callState('held');
  // The telephone has understood: who is put on hold sends nothing.
  await until('nothing comes', async () => {
    const before = await received();
    await passes(300);
    return (await received()) === before;
  });
  const onHold = await received();
  await device.do('resume');
  await device.callState('talking');
  await until('the desk speaks again', async () => (await received()) > onHold + 50);
  await device.do('hang up');
  await desk.event('CALL_CLOSED');
});

test('two calls joined: all three hear the other two', async () => {
  // baresip 1.0 records nothing after it was on hold, as the first call is while the second is made: linphone does.
  const voice = join(bench.folder, 'parlour.wav');
  writeTone(voice, { hz: DESK_HZ, levelDb: -18, rate: 16_000, seconds: 60 });
  const parlour = await startLinphone(bench, 'parlour', { codec: 'PCMA/8000', voice });
  await device.do(`call sip:parlour@${HOST}:${parlour.port}`);
  await parlour.says(/incoming call/i);
  parlour.type('answer');
  await device.event('call', 'answered');
  await calls('hall', hall);
  await device.do('join');
  await passes(2 * TALK_MS);
  await device.do('hang up');
  await hall.event('CALL_CLOSED');
  await parlour.says(/ended/);
  await parlour.stop();
  for (const [who, file, others] of [
    ['the parlour', parlour.recording, [VISITOR_HZ, HALL_HZ]],
    ['the hall', hall.recording(), [VISITOR_HZ, DESK_HZ]],
    ['the visitor', device.heard, [DESK_HZ, HALL_HZ]],
  ] as const) {
    for (const hz of others) {
      expect(hears(file, hz, { amongOthers: true }).seconds, `${who} hears ${hz} Hz`).toBeGreaterThan(1);
    }
  }
});

test('passed on without a word before: the desk talks with the hall, the device is out', async () => {
  await calls('desk', desk);
  await device.do('transfer hall');
  await hall.event('CALL_INCOMING');
  await hall.command('accept');
  await hall.event('CALL_ESTABLISHED');
  await device.event('call', 'transferred');
  await device.callState('idle');
  await passes(TALK_MS);
  await hall.command('hangup');
  expect(seconds(hall.recording(), DESK_HZ)).toBeGreaterThan(1);
});

test('nobody answers there: the call comes back', async () => {
  await calls('desk', desk);
  await device.do(`transfer sip:nobody@${HOST}:${hall.port}`);
  await device.event('call', 'transfer failed');
  expect((await device.status()).call.state).toMatch(/talking|held/);
  await device.do('hang up');
  await desk.event('CALL_CLOSED');
});

test('two calls connected with each other: linphone takes the place of the device, which is out', async () => {
  const phone = async (name: string, hz: number) => {
    const voice = join(bench.folder, `${name}-l.wav`);
    writeTone(voice, { hz, levelDb: -18, rate: 16_000, seconds: 60 });
    return startLinphone(bench, name, { codec: 'PCMA/8000', voice });
  };
  const parlour = await phone('parlour', DESK_HZ);
  const kitchen = await phone('kitchen', HALL_HZ);
  for (const [name, at] of [
    ['parlour', parlour],
    ['kitchen', kitchen],
  ] as const) {
    await device.do(`call sip:${name}@${HOST}:${at.port}`);
    await at.says(/incoming call/i);
    at.type('answer');
    await device.event('call', 'answered');
  }
  await device.do('transfer');
  await device.event('call', 'transferred');
  await device.callState('idle');
  await passes(TALK_MS);
  await parlour.stop();
  await kitchen.stop();
  expect(seconds(kitchen.recording, DESK_HZ)).toBeGreaterThan(1);
  expect(seconds(parlour.recording, HALL_HZ)).toBeGreaterThan(1);
});
