/** The kernel's own network under a real call: the device's address is changed, its cable pulled. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startBaresip } from './support/baresip.ts';
import { Bench } from './support/bench.ts';
import { startDevice } from './support/device.ts';
import { hears, writeTone } from './support/hearing.ts';
import { Namespace } from './support/namespace.ts';
import { passes } from './support/until.ts';

const VISITOR_HZ = 1100;
const DESK_HZ = 700;
const TALK_MS = 2_000;

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.stop());

/** A call between the device, in a namespace, and baresip, outside. */
async function talking(transport: 'udp' | 'tcp') {
  const namespace = new Namespace(bench);
  const visitor = join(bench.folder, 'visitor.wav');
  const voice = join(bench.folder, 'desk.wav');
  writeTone(visitor, { hz: VISITOR_HZ, levelDb: -12, rate: 16_000, seconds: 1 });
  writeTone(voice, { hz: DESK_HZ, levelDb: -12, rate: 48_000, seconds: 60 });
  const desk = await startBaresip(bench, 'desk', { host: namespace.here, transport, codecs: ['PCMA/8000/1'], voice });
  const device = await startDevice(bench, {
    microphone: visitor,
    within: namespace.prefix,
    config: {
      sip: {
        listen: { host: '0.0.0.0' },
        accounts: { direct: { uri: `sip:front@${namespace.first}`, register: false, transport } },
      },
      contacts: { desk: { uri: `sip:desk@${namespace.here}:${desk.port};transport=${transport}` } },
      media: { codecs: ['PCMA'] },
    },
  });
  await device.do('press front');
  await desk.event('CALL_INCOMING');
  await desk.command('accept');
  await device.event('call', 'answered');
  await desk.event('CALL_ESTABLISHED');
  await passes(TALK_MS);
  return { namespace, desk, device };
}

test.each(['udp', 'tcp'] as const)(
  'over %s, another address in mid-call: both hear each other from there',
  async transport => {
    const { namespace, desk, device } = await talking(transport);
    namespace.moveToSecond();
    await device.event('sip', 'network changed');
    await device.event('call', 'repaired', { host: namespace.second });
    const heardBefore = hears(device.heard, DESK_HZ).seconds;
    await passes(2 * TALK_MS);
    await desk.command('hangup');
    await device.event('call', 'ended', { by: 'them' });
    expect(hears(device.heard, DESK_HZ).seconds - heardBefore).toBeGreaterThan(3);
    // Its recording has both halves, or begins with the second.
    expect(hears(desk.recording(), VISITOR_HZ).seconds).toBeGreaterThan(3);
  },
);

test('a cable that is away for three seconds: said so, and the call goes on', async () => {
  const { namespace, desk, device } = await talking('udp');
  namespace.cable('down');
  await device.event('sip', 'network gone');
  await passes(3_000);
  namespace.cable('up');
  await device.event('sip', 'network changed');
  await passes(TALK_MS);
  expect((await device.status()).call.state).toBe('talking');
  await device.do('hang up');
  await desk.event('CALL_CLOSED');
  await device.event('call', 'ended', { by: 'us' });
});
