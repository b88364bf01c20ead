/** A third party sets up a call between the device and a telephone, as "click to dial" does (RFC 3725). */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startBaresip } from './support/baresip.ts';
import { Bench } from './support/bench.ts';
import { HOST, startDevice } from './support/device.ts';
import { hears, writeTone } from './support/hearing.ts';
import { tcpPort } from './support/ports.ts';
import { startSipp } from './support/sipp.ts';

const VISITOR_HZ = 1100;
const DESK_HZ = 700;

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.stop());

async function stage() {
  const visitor = join(bench.folder, 'visitor.wav');
  const voice = join(bench.folder, 'desk.wav');
  writeTone(visitor, { hz: VISITOR_HZ, levelDb: -12, rate: 16_000, seconds: 1 });
  writeTone(voice, { hz: DESK_HZ, levelDb: -12, rate: 48_000, seconds: 60 });
  const desk = await startBaresip(bench, 'desk', { codecs: ['PCMA/8000/1'], voice });
  const device = await startDevice(bench, {
    microphone: visitor,
    config: {
      media: { codecs: ['PCMA'] },
      sip: { accounts: { peer: { uri: `sip:front@${HOST}`, register: false } } },
    },
  });
  return { desk, device };
}

test('SIPp calls the device without an offer and the telephone with what the device offers: they hear each other', async () => {
  const { desk, device } = await stage();
  const port = await tcpPort();
  const to = `${HOST}:${desk.port}`;
  const second = await startSipp(bench, '3pcc-second', { twin: { port, listens: true }, to, user: 'desk' });
  const first = await startSipp(bench, '3pcc-first', {
    twin: { port, listens: false },
    to: `${HOST}:${device.port}`,
  });
  await device.event('call', 'incoming');
  await device.callState('ringing');
  await device.do('answer');
  await desk.event('CALL_INCOMING');
  await desk.command('accept');
  await device.event('call', 'answered');
  await first.passes();
  await second.passes();
  await device.event('call', 'ended', { by: 'them' });
  expect(hears(desk.recording(), VISITOR_HZ).seconds).toBeGreaterThan(1);
  expect(hears(device.heard, DESK_HZ).seconds).toBeGreaterThan(1);
});
