/** Beside calls: contacts that are watched, texts, presence, and `check-sync` in a subscription. A whole device. */
import { describe, expect, test } from 'vitest';
import type { Request } from '../../firmware/sip/message/message.ts';
import { presets } from './lossy-network.ts';
import { ready } from './ready.ts';
import { ScriptedPeer } from './scripted-peer.ts';
import { building, DESK, DEVICE, World } from './world.ts';

const second = { host: '192.0.2.11', port: 5060 };

/** Two devices that believe each other; the first watches the second, and neither registers. */
async function pair(watch: 'presence' | 'dialog') {
  const world = new World({ seed: 1, impairment: presets.perfect });
  const document = (own: string, other: string, changes: object = {}) => ({
    ...building,
    sip: { listen: { host: own }, accounts: { self: { uri: `sip:front@${own}`, register: false } } },
    contacts: { other: { uri: `sip:front@${other}`, ...changes } },
    buttons: {},
    calls: { ...building.calls, autoAnswer: { allow: [], trustedSources: [other] } },
  });
  const one = world.device(document(DEVICE.host, second.host, { watch }));
  const two = world.device(document(second.host, DEVICE.host), undefined, second);
  await world.run(3_000);
  const told = () =>
    one.events.filter(({ source, type }) => source === 'sip' && type === 'contact').map(({ is }) => is);
  return { world, one, two, told, document };
}

describe.each(['presence', 'dialog'] as const)('a contact that is watched by %s', watch => {
  test('is available, then busy while it rings or talks, then available again', async () => {
    const { world, one, two, told } = await pair(watch);
    expect(one.intercom.status().contacts).toEqual({ other: { is: 'available' } });
    two.intercom.perform({ do: 'call', target: 'other' }, 'cli');
    await world.run(2_000);
    expect(one.intercom.status().contacts.other).toEqual({ is: 'busy' });
    two.intercom.perform({ do: 'hang up' }, 'cli');
    await world.run(3_000);
    expect(told()).toEqual(['available', 'busy', 'available']);
  });

  test('is unknown when it has gone, and known again when it is back', async () => {
    const { world, two, one, told, document } = await pair(watch);
    await world.finish(two.intercom.stop());
    await world.run(100);
    expect(one.intercom.status().contacts.other!.is).toBe('unknown');
    world.device(document(second.host, DEVICE.host), undefined, second);
    await world.run(120_000);
    expect(one.intercom.status().contacts.other).toEqual({ is: 'available' });
    expect(told().at(-1)).toBe('available');
  });

  test('is watched no longer when the configuration says so, live', async () => {
    const { world, one, two, document } = await pair(watch);
    const { parseConfig } = await import('../../firmware/config/parse.ts');
    const parsed = parseConfig(document(DEVICE.host, second.host));
    if ('problems' in parsed) throw new Error('bad document');
    one.intercom.apply(parsed.config);
    await world.run(1_000);
    expect(one.intercom.status().contacts).toEqual({});
    expect(two.intercom.status().watchers).toBe(0);
  });
});

test('a contact whose server does not have it is unknown, and says why', async () => {
  const { world, intercom } = await ready({ contacts: { desk: { uri: `sip:desk@${DESK.host}`, watch: 'presence' } } });
  await world.run(3_000);
  expect(intercom.status().contacts.desk).toEqual({ is: 'unknown', why: '405 Method Not Allowed' });
});

test('a look at the configuration is asked for in a subscription; its first word is none', async () => {
  const world = new World({ seed: 1, impairment: presets.perfect });
  const pbx = new ScriptedPeer(world.network, DESK);
  let sequence = 0;
  const notify = (received: Request) => {
    sequence++;
    pbx.say(`NOTIFY sip:front@192.0.2.10 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-notify-${sequence}
Max-Forwards: 70
From: <sip:front@192.0.2.1>;tag=pbx
To: ${received.headers.get('From')}
Call-ID: ${received.headers.get('Call-ID')}
CSeq: ${sequence} NOTIFY
Contact: <sip:pbx@192.0.2.1>
Event: check-sync
Subscription-State: active;expires=600
Content-Length: 0

`);
  };
  pbx.onRequest = received => {
    pbx.reply(received, 200, { headers: [['Contact', '<sip:pbx@192.0.2.1>']], tag: 'pbx' });
    if (received.method === 'SUBSCRIBE') notify(received);
  };
  const account = { uri: `sip:front@${DESK.host}:5060`, register: false, events: ['check-sync'] };
  const { events } = world.device({ ...building, sip: { listen: { host: DEVICE.host }, accounts: { pbx: account } } });
  await world.run(3_000);
  const asked = () => events.filter(({ type }) => type === 'check asked for');
  expect(pbx.requests('SUBSCRIBE').length).toBe(1);
  expect(asked()).toEqual([]);
  notify(pbx.requests('SUBSCRIBE')[0]!);
  await world.run(100);
  expect(asked()).toMatchObject([{ account: 'pbx', asksForReboot: false }]);
});

test('a text goes to the other device, which tells it', async () => {
  const { world, one, two } = await pair('presence');
  expect(one.intercom.performText('message other "the gate is open"', 'cli')).toEqual({ done: true });
  await world.run(100);
  expect(two.events.find(({ type }) => type === 'message')).toMatchObject({ text: 'the gate is open' });
  expect(one.events.find(({ type }) => type === 'message sent')).toMatchObject({
    status: 200,
    remote: 'sip:front@192.0.2.11',
  });
});

test('a text that is refused is told, and one to nobody is not sent', async () => {
  const { world, intercom, told } = await ready();
  expect(intercom.performText('message nobody hello', 'cli')).toMatchObject({ done: false, code: 'unknown name' });
  expect(intercom.performText('message desk hello', 'cli')).toEqual({ done: true });
  await world.run(1_000);
  expect(told('sip', 'message refused')).toMatchObject([{ status: 405, why: 'Method Not Allowed' }]);
});
