/** The way between a real registrar and the device, kept open as the registrar wants it (RFC 5626 §4.4). */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Bench } from './support/bench.ts';
import { HOST, startDevice } from './support/device.ts';
import { startKamailio } from './support/kamailio.ts';
import { passes, until } from './support/until.ts';

const users = { front: 'front-secret' };

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.stop());

async function registered(flowTimerS: number | undefined, account: Record<string, unknown> = {}) {
  const kamailio = await startKamailio(bench, users, flowTimerS === undefined ? {} : { flowTimerS });
  const pbx = { uri: kamailio.aor('front'), password: users.front, expires: '10 min', ...account };
  const device = await startDevice(bench, { config: { sip: { accounts: { pbx } } } });
  await device.registered('pbx');
  const logged = (words: string) =>
    until(words, () => device.story().includes(words), { withinMs: 25_000, detail: () => device.story() });
  return { kamailio, device, logged };
}

test("Kamailio's STUN answers on the SIP port, and sees the device where it is", async () => {
  const { device, logged } = await registered(5);
  await logged('keep-alive answered');
  expect(device.story()).toContain(`"seen":"${HOST}:${device.port}"`);
  expect(device.story()).not.toContain('no answer to STUN');
});

test('a registrar that does not know STUN is not asked again, and stays registered with', async () => {
  const { device, logged } = await registered(undefined, { keepAlive: 'stun' });
  await logged('no answer to STUN');
  expect((await device.status()).accounts.pbx?.state).toBe('registered');
});

test('over TCP Kamailio answers the empty line, and the connection lives on', async () => {
  const { device } = await registered(5, { transport: 'tcp' });
  // A ping and the time that its answer may take: silence would have ended the connection.
  await passes(17_000);
  expect((await device.status()).accounts.pbx?.state).toBe('registered');
  expect(device.story()).not.toContain('connection ended');
});
