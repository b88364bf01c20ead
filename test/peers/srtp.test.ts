/** Encrypted sound with baresip and linphone: who offers it, who insists, and who will not have it. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startBaresip } from './support/baresip.ts';
import { Bench } from './support/bench.ts';
import { HOST, startDevice } from './support/device.ts';
import { hears, writeTone } from './support/hearing.ts';
import { startLinphone } from './support/linphone.ts';
import { passes } from './support/until.ts';

const VISITOR_HZ = 1100;
const DESK_HZ = 700;
/** How long both sides speak. Milliseconds. */
const TALK_MS = 2_500;

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.stop());

function sounds(rate: number) {
  const visitor = join(bench.folder, 'visitor.wav');
  const voice = join(bench.folder, 'desk.wav');
  writeTone(visitor, { hz: VISITOR_HZ, levelDb: -12, rate: 16_000, seconds: 1 });
  writeTone(voice, { hz: DESK_HZ, levelDb: -12, rate, seconds: 60 });
  return { visitor, voice };
}

const intercom = (visitor: string, port: number, srtp: string) =>
  startDevice(bench, {
    microphone: visitor,
    config: {
      sip: { accounts: { direct: { uri: `sip:front@${HOST}`, register: false, srtp } } },
      contacts: { desk: { uri: `sip:desk@${HOST}:${port}` } },
      media: { codecs: ['PCMA'] },
    },
  });

describe('baresip', () => {
  async function stage(srtp: string, encryption: 'srtp' | 'srtp-mand' | undefined) {
    const { visitor, voice } = sounds(48_000);
    const desk = await startBaresip(bench, 'desk', { codecs: ['PCMA/8000/1'], voice, encryption });
    const device = await intercom(visitor, desk.port, srtp);
    return { desk, device };
  }

  test.each([
    ['required', 'srtp-mand'],
    ['required', 'srtp'],
  ] as const)('the device, %s, calls it with %s: both hear, encrypted', async (ours, theirs) => {
    const { desk, device } = await stage(ours, theirs);
    await device.do('press front');
    await desk.event('CALL_INCOMING');
    await desk.command('accept');
    await device.event('call', 'answered');
    await passes(TALK_MS);
    expect((await device.status()).call.statistics?.srtp).toMatchObject({ refusedPackets: 0 });
    await device.do('hang up');
    await desk.event('CALL_CLOSED');
    expect(hears(desk.recording(), VISITOR_HZ).seconds).toBeGreaterThan(1);
    expect(hears(device.heard, DESK_HZ).seconds).toBeGreaterThan(1);
  });

  test.each([
    ['optional', 'srtp'],
    ['optional', 'srtp-mand'],
    ['required', 'srtp-mand'],
  ] as const)('calls the device, %s, with %s: both hear, encrypted', async (ours, theirs) => {
    const { desk, device } = await stage(ours, theirs);
    await desk.command('dial', `sip:front@${HOST}:${device.port}`);
    await device.event('call', 'incoming');
    await device.callState('ringing');
    await device.do('answer');
    await device.event('call', 'answered');
    await passes(TALK_MS);
    expect((await device.status()).call.statistics?.srtp).toMatchObject({ suite: expect.stringContaining('AES') });
    await desk.command('hangup');
    await device.event('call', 'ended', { by: 'them' });
    expect(hears(desk.recording(), VISITOR_HZ).seconds).toBeGreaterThan(1);
    expect(hears(device.heard, DESK_HZ).seconds).toBeGreaterThan(1);
  });

  test('insists, and the device is told to stay plain: no call, and both say so', async () => {
    const { desk, device } = await stage('off', 'srtp-mand');
    await desk.command('dial', `sip:front@${HOST}:${device.port}`);
    expect((await desk.event('CALL_CLOSED')).param).toContain('488');
    await device.event('call', 'ended', { why: /encryption is switched off/ });
  });

  test('is plain, and the device insists: no call', async () => {
    const { desk, device } = await stage('required', undefined);
    await desk.command('dial', `sip:front@${HOST}:${device.port}`);
    expect((await desk.event('CALL_CLOSED')).param).toContain('488');
    await device.event('call', 'ended', { why: /encryption is required/ });
  });
});

test('linphone and the device, both insisting: both hear, encrypted, either way', async () => {
  const { visitor, voice } = sounds(16_000);
  const desk = await startLinphone(bench, 'desk', { codec: 'PCMA/8000', voice, encrypted: true });
  const device = await intercom(visitor, desk.port, 'required');
  await device.do('press front');
  await desk.says(/incoming call/i);
  desk.type('answer');
  await device.event('call', 'answered');
  await passes(TALK_MS);
  desk.type('terminate');
  await device.event('call', 'ended', { by: 'them' });
  desk.type(`call sip:front@${HOST}:${device.port}`);
  await device.event('call', 'incoming');
  await device.callState('ringing');
  await device.do('answer');
  await desk.says(/connected/);
  await passes(TALK_MS);
  // It opens the way with a few packets that are no RTP.
  expect((await device.status()).call.statistics?.srtp).toMatchObject({ suite: expect.stringContaining('AES') });
  await device.do('hang up');
  await desk.says(/ended/);
  await desk.stop();
  expect(hears(desk.recording, VISITOR_HZ).seconds).toBeGreaterThan(1);
  expect(hears(device.heard, DESK_HZ).seconds).toBeGreaterThan(2);
});
