/** linphone, another telephone of its own making, calls and is called: what baresip forgives, it may not. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Bench } from './support/bench.ts';
import { HOST, type RunningDevice, startDevice } from './support/device.ts';
import { hears, writeTone } from './support/hearing.ts';
import { type Linphone, startLinphone } from './support/linphone.ts';
import { passes, until } from './support/until.ts';

const VISITOR_HZ = 1100;
const DESK_HZ = 700;
/** How long both sides speak. Milliseconds. */
const TALK_MS = 3_000;

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.stop());

function voices() {
  const visitor = join(bench.folder, 'visitor.wav');
  const voice = join(bench.folder, 'desk.wav');
  writeTone(visitor, { hz: VISITOR_HZ, levelDb: -12, rate: 16_000, seconds: 1 });
  writeTone(voice, { hz: DESK_HZ, levelDb: -12, rate: 16_000, seconds: 60 });
  return { visitor, voice };
}

describe.each(['udp', 'tcp'] as const)('linphone over %s, from peer to peer', transport => {
  let desk: Linphone;
  let device: RunningDevice;

  async function stage(codec: { theirs: string; ours: string }) {
    const { visitor, voice } = voices();
    desk = await startLinphone(bench, 'desk', { codec: codec.theirs, voice });
    device = await startDevice(bench, {
      microphone: visitor,
      config: {
        sip: { accounts: { direct: { uri: `sip:front@${HOST}`, register: false, transport } } },
        contacts: { desk: { uri: `sip:desk@${HOST}:${desk.port};transport=${transport}` } },
        media: { codecs: [codec.ours] },
      },
    });
  }

  async function bothHeard() {
    // Its file is whole when it has gone.
    await desk.stop();
    expect(hears(desk.recording, VISITOR_HZ).seconds).toBeGreaterThan(1);
    expect(hears(device.heard, DESK_HZ).seconds).toBeGreaterThan(1);
  }

  test('the device calls, each hears the other, linphone hangs up', async () => {
    await stage({ theirs: 'PCMA/8000', ours: 'PCMA' });
    await device.do('press front');
    await desk.says(/incoming call/i);
    desk.type('answer');
    await device.event('call', 'answered', { codec: 'PCMA' });
    await passes(TALK_MS);
    desk.type('terminate');
    await device.event('call', 'ended', { by: 'them', direction: 'outgoing' });
    await bothHeard();
  });

  test('linphone calls, each hears the other in Opus, the device hangs up', async () => {
    await stage({ theirs: 'opus/48000', ours: 'opus' });
    desk.type(`call sip:front@${HOST}:${device.port};transport=${transport}`);
    await device.event('call', 'incoming');
    await device.callState('ringing');
    await device.do('answer');
    await device.event('call', 'answered', { codec: 'opus' });
    await desk.says(/connected/);
    await passes(TALK_MS);
    await device.do('hang up');
    await device.event('call', 'ended', { by: 'us', direction: 'incoming' });
    await desk.says(/ended/);
    await bothHeard();
  });

  test('hold and resume, in its way', async () => {
    await stage({ theirs: 'PCMU/8000', ours: 'PCMU' });
    await device.do('press front');
    await desk.says(/incoming call/i);
    desk.type('answer');
    await device.event('call', 'answered');
    const sent = async () => (await device.status()).call.statistics?.sentPackets ?? 0;
    await until('the device speaks', async () => (await sent()) > 20);
    desk.type('pause');
    await desk.says(/paus/i);
    await passes(500);
    expect((await device.status()).call.state).toMatch(/talking|held/);
    desk.type('resume');
    const before = await sent();
    await until('the device speaks again', async () => (await sent()) > before + 50);
    desk.type('terminate');
    await device.event('call', 'ended', { by: 'them' });
  });

  test('linphone refuses', async () => {
    await stage({ theirs: 'PCMA/8000', ours: 'PCMA' });
    await device.do('press front');
    await desk.says(/incoming call/i);
    desk.type('terminate');
    await device.event('call', 'ended', { by: 'refusal' });
  });
});
