import { describe, expect, test } from 'vitest';
import { showSipStatus } from '../../../firmware/cli/show-sip-status.ts';
import { accountStatus, type SipStatus } from '../../../firmware/controller/sip-status.ts';
import type { RegistrationReport } from '../../../firmware/sip/contracts.ts';
import { presets } from '../../sim/lossy-network.ts';
import { SimpleDevice } from '../../sim/simple-device.ts';
import { building, World } from '../../sim/world.ts';

const failed = (why: string, status?: number): RegistrationReport => ({
  state: { is: 'failed', why, retryMs: 60_000, ...(status !== undefined && { status }) },
  server: undefined,
  sinceMs: undefined,
  nextMs: 160_000,
  last: {
    atMs: 92_000,
    why,
    ...(status !== undefined && { status }),
    from: { host: '198.51.100.7', port: 5060 },
  },
});

const account = (uri: string, report?: RegistrationReport, credentials: { password?: string } = { password: 'x' }) =>
  accountStatus({ uri, register: report !== undefined, ...credentials }, report === undefined ? [] : [report], 100_000);

const shown = (changes: Partial<SipStatus>) =>
  `\n${showSipStatus({ ...new SimpleDevice().sipStatus(), ...changes }).join('\n')}\n`;

test('all is well', () => {
  expect(shown({})).toMatchInlineSnapshot(`
    "
    main  sip:door@example.org
      registered at tls 192.0.2.1:5061 for 2 h 13 min, as sip:door@192.0.2.10:5060,
      valid for 48 s more, renewed in 40 s
      last answer: 200 OK, 12 s ago

    Listening    udp 0.0.0.0:5060, tcp 0.0.0.0:5060
    Connections  tls 192.0.2.1:5061, opened by us, kept alive
    Now          0 calls, 0 transactions
    Messages     0 received, 0 sent, 0 sent again
    Turned away  0 refused, 0 malformed, 0 that belong to nothing
                 0 of scanners, 0 above what can be served
    "
  `);
});

test('each kind of trouble says what it is and what to do', () => {
  const text = shown({
    problem: 'port 5060 is taken by another program: set sip.listen.port',
    accounts: {
      locked: account('sip:door@example.org', failed('Forbidden', 403)),
      bare: account('sip:door@example.org', failed('Unauthorized', 401), {}),
      lost: account('sip:door@pbx.example', failed('no such host: pbx.example')),
      secure: account(
        'sips:door@pbx.example',
        failed('could not send to tls 198.51.100.7:5060: the certificate of pbx.example is for other.example'),
      ),
      trunk: account('sip:trunk@192.0.2.1'),
    },
    connections: [],
  });
  expect(text).toMatchInlineSnapshot(`
    "
    ! port 5060 is taken by another program: set sip.listen.port
    locked  sip:door@example.org
      NOT REGISTERED; asked again in 1 min
      last answer: 403 Forbidden from 198.51.100.7:5060, 8 s ago
      that is: the server knows us and refuses: locked, wrong password, or not
      allowed from this address
    ! Look in the PBX whether the account is locked, bound to another address, or
      banned after wrong passwords.

    bare  sip:door@example.org
      NOT REGISTERED; asked again in 1 min
      last answer: 401 Unauthorized from 198.51.100.7:5060, 8 s ago
      that is: the server wants a password, and the account has none here
    ! Set password (and username, where it is not the user of uri) of the account.

    lost  sip:door@pbx.example
      NOT REGISTERED; asked again in 1 min
      last try: no such host: pbx.example, 8 s ago
      that is: the name of the server does not exist
    ! Correct the name in uri or registrar, or the name server of this device.

    secure  sips:door@pbx.example
      NOT REGISTERED; asked again in 1 min
      last try: could not send to tls 198.51.100.7:5060: the certificate of
      pbx.example is for other.example, 8 s ago
      that is: the certificate of the server is for another name
    ! Write the name of the certificate into uri or registrar, or have the
      certificate made for this name.

    trunk  sip:trunk@192.0.2.1
      not to register: calls go out with it, and come in by address

    Listening    udp 0.0.0.0:5060, tcp 0.0.0.0:5060
    Connections  none
    Now          0 calls, 0 transactions
    Messages     0 received, 0 sent, 0 sent again
    Turned away  0 refused, 0 malformed, 0 that belong to nothing
                 0 of scanners, 0 above what can be served
    "
  `);
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});

test('an account with several ways shows each', () => {
  const up = { ...failed(''), state: { is: 'registered', untilMs: 200_000, contact: 'sip:a@192.0.2.10' } as const };
  const settings = { uri: 'sip:a@b', register: true, password: 'x' };
  const ways = [{ ...up, last: undefined }, failed('no answer from 192.0.2.2:5060'), up];
  const lines = showSipStatus({
    ...new SimpleDevice().sipStatus(),
    accounts: { main: accountStatus(settings, ways, 100_000) },
  });
  expect(lines.slice(3, 5)).toEqual([
    '  another way: failed, no answer from 192.0.2.2:5060',
    '  another way: registered',
  ]);
});

test('without accounts, before the first answer, and with a network that is gone', () => {
  expect(showSipStatus({ ...new SimpleDevice().sipStatus(), accounts: {} })[0]).toBe(
    'No accounts; calls go from peer to peer.',
  );
  const starting = { ...failed(''), state: { is: 'registering' } as const, nextMs: undefined, last: undefined };
  expect(account('sip:a@b', starting)).toEqual({ aor: 'sip:a@b', registers: true, state: 'registering' });
  const unplugged = failed('no network: is the cable or the switch away?');
  const before = { ...unplugged, last: { atMs: 1, status: 200, why: 'OK', from: undefined } };
  expect(account('sip:a@b', before)).toMatchObject({
    last: { why: 'no network: is the cable or the switch away?', meaning: 'this device has no network' },
    advice: 'Look at the cable, the switch, and whether the device has an address.',
  });
});

describe('in a building', () => {
  test('a registered account names its server, its Contact and its last answer', async () => {
    const world = new World({ seed: 1, impairment: presets.perfect });
    const device = world.device(building);
    world.desk();
    await world.run(10_000);
    const { accounts, listening, calls } = device.intercom.sipStatus();
    expect(accounts).toEqual({
      pbx: {
        aor: 'sip:front@192.0.2.1:5060',
        registers: true,
        state: 'registered',
        server: '192.0.2.1:5060',
        registeredForSeconds: 10,
        contact: 'sip:front@192.0.2.10:5060',
        expiresInSeconds: 50,
        nextInSeconds: expect.any(Number),
        last: { status: 200, why: 'OK', from: '192.0.2.1:5060', agoSeconds: 10, meaning: 'the server agrees' },
      },
    });
    expect(accounts.pbx!.nextInSeconds).toBeLessThan(50);
    expect(listening).toEqual(['udp 192.0.2.10:5060', 'tcp 192.0.2.10:5060']);
    expect(calls).toBe(0);
    await world.finish(device.intercom.stop());
  });

  test('one with a wrong password is told what to do, and one whose server is silent', async () => {
    const world = new World({ seed: 1, impairment: presets.perfect });
    const account = { uri: 'sip:front@192.0.2.1:5060', expires: '60 s' };
    const silent = { uri: 'sip:front@192.0.2.99', password: 'x' };
    const device = world.device({
      ...building,
      sip: { listen: { host: '192.0.2.10' }, accounts: { wrong: { ...account, password: 'guess' }, silent } },
    });
    world.desk();
    await world.run(33_000);
    const { accounts } = device.intercom.sipStatus();
    expect(accounts.wrong).toMatchObject({
      state: 'failed',
      last: { status: 401, meaning: 'user name or password is wrong' },
      nextInSeconds: expect.any(Number),
    });
    expect(accounts.wrong).not.toHaveProperty('server');
    expect(accounts.silent).toMatchObject({
      last: { why: expect.stringContaining('no answer from 192.0.2.99:5060') },
      advice: expect.stringContaining('Ping the PBX'),
    });
    await world.finish(device.intercom.stop());
  });
});
