import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Baresip, startBaresip } from './support/baresip.ts';
import { Bench } from './support/bench.ts';
import { HOST, type RunningDevice, startDevice } from './support/device.ts';
import { hears, writeTone } from './support/hearing.ts';
import { type Kamailio, startKamailio } from './support/kamailio.ts';
import { passes, until } from './support/until.ts';

/** Whole periods in every rate and none a harmonic of the other, of the call tones (425 Hz) or of the mains. */
const VISITOR_HZ = 1100;
const DESK_HZ = 700;
const SPOKEN_DB = -12;
/** How long both sides speak. Milliseconds. */
const TALK_MS = 3_000;

const BARESIP_CODECS = {
  G722: 'G722/16000/1',
  PCMA: 'PCMA/8000/1',
  PCMU: 'PCMU/8000/1',
  opus: 'opus/48000/2',
} as const;
type Codec = keyof typeof BARESIP_CODECS;
/** G.711 quantises: 13 segments give about 38 dB for a loud sine; the resamplers of both sides must not spoil that. */
const LEAST_PURITY_DB = 30;

let bench: Bench;
let kamailio: Kamailio;
let desk: Baresip;
let device: RunningDevice;

/** A PBX, a telephone and a device that speak this codec alone, both registered. */
async function stage(codec: Codec, config: Record<string, unknown> = {}) {
  kamailio = await startKamailio(bench, { front: 'front-secret', desk: 'desk-secret', absent: 'absent-secret' });
  const visitor = join(bench.folder, 'visitor.wav');
  const voice = join(bench.folder, 'desk.wav');
  writeTone(visitor, { hz: VISITOR_HZ, levelDb: SPOKEN_DB, rate: 16_000, seconds: 1 });
  writeTone(voice, { hz: DESK_HZ, levelDb: SPOKEN_DB, rate: 48_000, seconds: 60 });
  const telephone = { aor: kamailio.aor('desk'), password: 'desk-secret', codecs: [BARESIP_CODECS[codec]], voice };
  desk = await startBaresip(bench, 'desk', telephone);
  device = await startDevice(bench, {
    microphone: visitor,
    config: {
      sip: { accounts: { pbx: { uri: kamailio.aor('front'), password: 'front-secret' } } },
      contacts: {
        desk: { uri: kamailio.aor('desk') },
        absent: { uri: kamailio.aor('absent') },
        nobody: { uri: kamailio.aor('nobody') },
      },
      media: { codecs: [codec] },
      ...config,
    },
  });
  await device.registered('pbx');
}

async function deviceCallsDesk() {
  await device.do('press front');
  await device.event('call', 'ringback');
  await desk.event('CALL_INCOMING');
  await desk.command('accept');
  await device.event('call', 'answered');
  await desk.event('CALL_ESTABLISHED');
}

async function deskCallsDevice() {
  await desk.command('dial', kamailio.aor('front'));
  await device.event('call', 'incoming');
  await desk.event('CALL_RINGING');
  await device.do('answer');
  await device.event('call', 'answered');
  await desk.event('CALL_ESTABLISHED');
}

function expectTone(file: string, hz: number, leastSeconds = 0.6 * (TALK_MS / 1000)) {
  const { seconds, levelDb, purityDb } = hears(file, hz);
  expect(seconds, `${hz} Hz in ${file}, seconds`).toBeGreaterThan(leastSeconds);
  expect(Math.abs(levelDb - SPOKEN_DB), `${hz} Hz at ${levelDb} dB, spoken at ${SPOKEN_DB} dB`).toBeLessThan(2);
  expect(purityDb, `${hz} Hz above the rest, dB`).toBeGreaterThan(LEAST_PURITY_DB);
}

beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.stop());

describe.each(['PCMA', 'PCMU', 'G722', 'opus'] as const)('in %s, through Kamailio', codec => {
  test('the visitor presses, the desk answers, each hears the other, the desk hangs up', async () => {
    await stage(codec);
    await deviceCallsDesk();
    expect((await device.status()).call.codec).toBe(codec);
    await passes(TALK_MS);
    await desk.command('hangup');
    await device.event('call', 'ended', { by: 'them', direction: 'outgoing' });
    expectTone(desk.recording(), VISITOR_HZ);
    expectTone(device.heard, DESK_HZ);
  });

  test('the desk calls, a press answers, each hears the other, the intercom hangs up', async () => {
    await stage(codec);
    await desk.command('dial', kamailio.aor('front'));
    await device.event('call', 'incoming', { autoAnswer: false });
    await desk.event('CALL_RINGING');
    await device.do('press front');
    await device.event('call', 'answered', { codec, direction: 'incoming' });
    await desk.event('CALL_ESTABLISHED');
    await passes(TALK_MS);
    await device.do('hang up');
    await device.event('call', 'ended', { by: 'us', direction: 'incoming' });
    await desk.event('CALL_CLOSED');
    expectTone(desk.recording(), VISITOR_HZ);
    expectTone(device.heard, DESK_HZ);
  });
});

describe('during a call', () => {
  test.each(['PCMA', 'opus'] as const)('keys of the telephone open the door, in %s', async codec => {
    await stage(codec);
    await deskCallsDevice();
    expect(device.line('relay-1')).toBe('0');
    for (const key of '56#') await desk.command('sndcode', key);
    await device.event('door', 'wrong code');
    expect(device.line('relay-1')).toBe('0');
    for (const key of '55#') await desk.command('sndcode', key);
    await device.event('door', 'unlocked', { door: 'main' });
    await device.event('door', 'locked', { door: 'main' });
    expect((await device.status()).call.state).toBe('talking');
    await desk.command('hangup');
    await device.event('call', 'ended', { by: 'them' });
  });

  test('keys of the intercom reach the telephone', async () => {
    await stage('PCMA');
    await deskCallsDevice();
    await device.do('dial 1#');
    await until('baresip tells the keys', () => desk.keys() === '1#');
  });

  test('hold and resume by re-INVITE keep the call and its sound', async () => {
    await stage('PCMA');
    await deskCallsDevice();
    await passes(TALK_MS);
    await desk.command('hold');
    const sent = async () => (await device.status()).call.statistics?.sentPackets ?? 0;
    // On hold the telephone hears nothing, so nothing is sent.
    await until('the intercom has stopped sending', async () => {
      const before = await sent();
      await passes(300);
      return (await sent()) === before;
    });
    const onHold = await sent();
    expect((await device.status()).call.state).toBe('held');
    await desk.command('resume');
    // baresip 1.0 records nothing after its own resume, though it gets every packet: the counter tells of our side.
    await until('the intercom speaks again', async () => (await sent()) > onHold + 50);
    await desk.command('hangup');
    await device.event('call', 'ended', { by: 'them' });
    expectTone(desk.recording(), VISITOR_HZ);
    expectTone(device.heard, DESK_HZ, 1.2 * (TALK_MS / 1000));
  });

  test('a second caller hears busy, and the first call goes on', async () => {
    await stage('PCMA');
    const voice = join(bench.folder, 'desk.wav');
    const aor = kamailio.aor('absent');
    const second = await startBaresip(bench, 'second', {
      aor,
      password: 'absent-secret',
      codecs: [BARESIP_CODECS.PCMA],
      voice,
    });
    await deviceCallsDesk();
    await second.command('dial', kamailio.aor('front'));
    const closed = await second.event('CALL_CLOSED');
    expect(closed.param).toContain('486');
    expect((await device.status()).call).toMatchObject({ state: 'talking', remote: kamailio.aor('desk') });
  });
});

describe('the PBX asks for an automatic answer', () => {
  const allow = { calls: { autoAnswer: { allow: [`sip:desk@${HOST}`] } } };

  test('a listed caller is heard at once', async () => {
    await stage('PCMA', allow);
    await desk.command('dial', kamailio.aor('page-front'));
    await device.event('call', 'incoming', { autoAnswer: true });
    await device.event('call', 'answered', { mode: 'talk' });
    await desk.event('CALL_ESTABLISHED');
    // The gong that announces a page fades over the first two seconds.
    await passes(TALK_MS + 2_000);
    await desk.command('hangup');
    await device.event('call', 'ended', { by: 'them' });
    expectTone(device.heard, DESK_HZ);
  });

  test('another caller rings, and the device says why', async () => {
    await stage('PCMA', allow);
    const stranger = await startBaresip(bench, 'stranger', {
      aor: kamailio.aor('absent'),
      password: 'absent-secret',
      codecs: [BARESIP_CODECS.PCMA],
      voice: join(bench.folder, 'desk.wav'),
    });
    await stranger.command('dial', kamailio.aor('page-front'));
    await device.event('call', 'auto-answer refused', { why: /not on the allow list/ });
    await stranger.event('CALL_RINGING');
    await device.callState('ringing');
    await stranger.command('hangup');
    await device.event('call', 'ended', { by: 'them', talkedForSeconds: 0 });
  });
});

describe('calls that do not come about', () => {
  test('the desk gives up while the intercom rings', async () => {
    await stage('PCMA');
    await desk.command('dial', kamailio.aor('front'));
    await device.event('call', 'incoming');
    await desk.event('CALL_RINGING');
    await desk.command('hangup');
    await device.event('call', 'ended', { by: 'them', direction: 'incoming', talkedForSeconds: 0 });
    await device.callState('idle');
  });

  test('the visitor gives up while the desk rings', async () => {
    await stage('PCMA');
    await device.do('press front');
    await desk.event('CALL_INCOMING');
    await device.event('call', 'ringback');
    await device.do('hang up');
    await desk.event('CALL_CLOSED');
    await device.event('call', 'ended', { by: 'us', direction: 'outgoing', talkedForSeconds: 0 });
  });

  test('the desk refuses', async () => {
    await stage('PCMA');
    await device.do('press front');
    await desk.event('CALL_INCOMING');
    await desk.command('hangup');
    await device.event('call', 'ended', { by: 'refusal', status: 486 });
  });

  test('nobody is registered there, and nobody of that name exists', async () => {
    await stage('PCMA');
    await device.do('call absent');
    await device.event('call', 'ended', { by: 'refusal', status: 480 });
    await device.do('call nobody');
    await device.event('call', 'ended', { by: 'refusal', status: 404 });
  });
});
