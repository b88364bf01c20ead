/** A whole device that asks its callers for a password: who is answered by itself, who rings, who gets no further. */
import { expect, test } from 'vitest';
import { ready } from './ready.ts';
import { Phone } from './sip-phone.ts';
import { building, DESK, DEVICE } from './world.ts';

const offer = `v=0
o=- 1 1 IN IP4 192.0.2.66
s=-
c=IN IP4 192.0.2.66
t=0 0
m=audio 4000 RTP/AVP 8
`.replaceAll('\n', '\r\n');
const body = { contentType: 'application/sdp', bytes: new TextEncoder().encode(offer) };
const wantsAnswer = [['Answer-Mode', 'Auto']] as const;

async function guarded(username: string, password: string, aor = 'sip:guard@192.0.2.66') {
  const callers = { guard: { password: 'who is there' }, night: { password: 'late' } };
  const stage = await ready({
    sip: { ...building.sip, accounts: { pbx: { ...building.sip.accounts.pbx, callers } } },
    calls: { ...building.calls, autoAnswer: { allow: [`guard@${DESK.host}`, `desk@${DESK.host}`] } },
  });
  const { world } = stage;
  const phone = new Phone(world.clock, world.network, {
    address: { host: '192.0.2.66', port: 5060 },
    seed: 66,
    account: { aor, username, password },
  });
  const call = async (headers: readonly (readonly [string, string])[] = wantsAnswer) => {
    phone.dial(`sip:front@${DEVICE.host}`, { body, headers });
    await world.run(1_000);
    return phone.heard.at(-1)?.split('v=0')[0]?.trim();
  };
  return { ...stage, phone, call };
}

test('who knows the password is answered by itself, without any server', async () => {
  const { call, state, told } = await guarded('guard', 'who is there');
  expect(await call()).toBe('answered');
  expect(state()).toBe('talking');
  expect(told('call', 'incoming')).toMatchObject([{ remote: `sip:guard@${DESK.host}:5060`, autoAnswer: true }]);
});

test('who knows another password rings: its From does not count', async () => {
  const { call, told } = await guarded('night', 'late');
  expect(await call()).toBe('progress 180');
  expect(told('call', 'auto-answer refused')).toMatchObject([{ remote: `sip:night@${DESK.host}:5060` }]);
});

test('who knows none gets no further, and nothing rings', async () => {
  const { call, state } = await guarded('guard', 'guessed');
  expect(await call()).toBe('ended by refusal 401');
  expect(state()).toBe('idle');
});

test('who does not tell the name is not on the list', async () => {
  const { call, told } = await guarded('guard', 'who is there');
  expect(await call([...wantsAnswer, ['Privacy', 'id']])).toBe('progress 180');
  expect(told('call', 'incoming')).toMatchObject([{ remote: 'sip:anonymous@anonymous.invalid' }]);
});

test('the server of the account calls as before', async () => {
  const { world, desk, state } = await guarded('guard', 'who is there');
  desk.call(`sip:front@${DEVICE.host}:${DEVICE.port}`, { page: true });
  await world.run(1_000);
  expect(state()).toBe('talking');
});
