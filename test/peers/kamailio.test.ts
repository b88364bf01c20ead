/** Kamailio as PBXs and providers run it: TLS, SHA-256, an edge proxy with Path, a second instance for the first. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Authority, type Pair } from '../sim/certificates.ts';
import { startBaresip } from './support/baresip.ts';
import { Bench } from './support/bench.ts';
import { HOST, type RunningDevice, startDevice } from './support/device.ts';
import { hears, writeTone } from './support/hearing.ts';
import { type Kamailio, startKamailio } from './support/kamailio.ts';
import { startLinphone } from './support/linphone.ts';
import { sipPort } from './support/ports.ts';
import { passes, until } from './support/until.ts';

const VISITOR_HZ = 1100;
const DESK_HZ = 700;
/** How long both sides speak. Milliseconds. */
const TALK_MS = 2_500;
const users = { front: 'front-secret', desk: 'desk-secret' };

let authority: Authority;
let pair: Pair;
let bench: Bench;
let visitor: string;
beforeAll(() => {
  authority = new Authority();
  // linphone's TLS does not know addresses in certificates.
  pair = authority.sign('pbx', `IP:${HOST},DNS:localhost`);
});
afterAll(() => authority.stop());
beforeEach(() => {
  bench = new Bench();
  visitor = join(bench.folder, 'visitor.wav');
  writeTone(visitor, { hz: VISITOR_HZ, levelDb: -12, rate: 16_000, seconds: 1 });
});
afterEach(() => bench.stop());

function voice(rate: number) {
  const file = join(bench.folder, `desk-${rate}.wav`);
  writeTone(file, { hz: DESK_HZ, levelDb: -12, rate, seconds: 60 });
  return file;
}

/** baresip, registered over UDP. */
const telephone = (kamailio: Kamailio) =>
  startBaresip(bench, 'desk', {
    aor: kamailio.aor('desk'),
    password: users.desk,
    codecs: ['PCMA/8000/1'],
    voice: voice(48_000),
  });

const device = (kamailio: Kamailio, account: Record<string, unknown>, sip: Record<string, unknown> = {}) =>
  startDevice(bench, {
    microphone: visitor,
    config: {
      sip: { ...sip, accounts: { pbx: { uri: kamailio.aor('front'), password: users.front, ...account } } },
      contacts: { desk: { uri: kamailio.aor('desk') } },
      media: { codecs: ['PCMA'] },
    },
  });

/** Both ways, and keys: whatever goes through a proxy in the life of a door. */
async function callsBothWays(kamailio: Kamailio, intercom: RunningDevice) {
  const desk = await telephone(kamailio);
  await intercom.do('press front');
  await desk.event('CALL_INCOMING');
  await desk.command('accept');
  await intercom.event('call', 'answered');
  await desk.event('CALL_ESTABLISHED');
  await passes(TALK_MS);
  await intercom.do('hang up');
  await intercom.event('call', 'ended', { by: 'us', direction: 'outgoing' });
  await desk.event('CALL_CLOSED');
  expect(hears(desk.recording(), VISITOR_HZ).seconds).toBeGreaterThan(1);
  expect(hears(intercom.heard, DESK_HZ).seconds).toBeGreaterThan(1);
  await desk.command('dial', kamailio.aor('front'));
  await intercom.event('call', 'incoming');
  await intercom.callState('ringing');
  await intercom.do('answer');
  await intercom.event('call', 'answered');
  await desk.event('CALL_ESTABLISHED');
  await desk.command('hangup');
  await intercom.event('call', 'ended', { by: 'them', direction: 'incoming' });
}

test('over TLS, with its certificate checked, it registers, calls and is called', async () => {
  const kamailio = await startKamailio(bench, users, { tls: { ...pair, ca: authority.ca } });
  const outboundProxy = `sip:${HOST}:${kamailio.port + 1};transport=tls`;
  const intercom = await device(kamailio, { outboundProxy }, { tls: { ca: authority.ca } });
  await intercom.registered('pbx');
  expect(kamailio.log()).toContain('REGISTER from front over tls');
  await callsBothWays(kamailio, intercom);
  expect(kamailio.log()).toContain('INVITE from front over tls');
});

test('linphone over TLS and the device over TLS, through one Kamailio: each hears the other', async () => {
  const kamailio = await startKamailio(bench, users, { tls: { ...pair, ca: authority.ca } });
  const server = `localhost:${kamailio.port + 1}`;
  const desk = await startLinphone(bench, 'desk', {
    account: { aor: kamailio.aor('desk'), password: users.desk, server, transport: 'tls' },
    ca: authority.ca,
    codec: 'PCMA/8000',
    voice: voice(16_000),
  });
  const outboundProxy = `sip:${server};transport=tls`;
  const intercom = await device(kamailio, { outboundProxy }, { tls: { ca: authority.ca } });
  await intercom.registered('pbx');
  await intercom.do('press front');
  await desk.says(/incoming call/i);
  desk.type('answer');
  await intercom.event('call', 'answered');
  await passes(TALK_MS);
  await intercom.do('hang up');
  await desk.says(/ended/);
  desk.type(`call ${kamailio.aor('front')}`);
  await intercom.event('call', 'incoming');
  await intercom.callState('ringing');
  await intercom.do('answer');
  await desk.says(/connected/);
  desk.type('terminate');
  await intercom.event('call', 'ended', { by: 'them', direction: 'incoming' });
  await desk.stop();
  expect(hears(desk.recording, VISITOR_HZ).seconds).toBeGreaterThan(1);
  expect(hears(intercom.heard, DESK_HZ).seconds).toBeGreaterThan(1);
});

test('with a digest of SHA-256, over UDP', async () => {
  const kamailio = await startKamailio(bench, users, { algorithm: 'SHA-256' });
  const intercom = await device(kamailio, {});
  await intercom.registered('pbx');
});

test.each(['udp', 'tcp'] as const)('through an edge proxy that notes itself in Path, over %s', async transport => {
  const kamailio = await startKamailio(bench, users);
  const edge = await startKamailio(bench, users, { edgeOf: kamailio.port });
  const intercom = await device(kamailio, {
    registrar: `sip:${HOST}:${kamailio.port}`,
    outboundProxy: `sip:${HOST}:${edge.port}${transport === 'tcp' ? ';transport=tcp' : ''}`,
  });
  await intercom.registered('pbx');
  expect(edge.log()).toContain('edge: REGISTER');
  await callsBothWays(kamailio, intercom);
  // Out by the proxy of the configuration, in by the Path of the registration.
  await until('two INVITEs at the edge', () => edge.log().split('edge: INVITE').length > 2);
});

describe('two instances, the second for when the first is gone', () => {
  test('it registers with the second, calls through it, and is back at the first when that is back', async () => {
    const domain = 'pbx.test';
    const first = await startKamailio(bench, users, { domain });
    const second = await startKamailio(bench, users, { domain, port: await sipPort() });
    const account = (kamailio: Kamailio) => ({
      uri: `sip:front@${domain}`,
      password: users.front,
      registrar: `sip:${HOST}:${kamailio.port}`,
      // Over a connection its end is seen at once; over UDP half a minute is waited for an answer.
      outboundProxy: `sip:${HOST}:${kamailio.port};transport=tcp`,
      expires: '10 s',
    });
    const intercom = await startDevice(bench, {
      microphone: visitor,
      config: {
        sip: { registration: 'serial', accounts: { first: account(first), second: account(second) } },
        contacts: { desk: { uri: `sip:desk@${domain}` } },
        media: { codecs: ['PCMA'] },
      },
    });
    await intercom.registered('first');
    await first.stop();
    await intercom.registered('second');
    expect(second.log()).toContain('REGISTER from front over tcp');
    await intercom.do('call desk');
    await intercom.event('call', 'ended', { by: 'refusal', status: 480 });
    await startKamailio(bench, users, { domain, port: first.port });
    await intercom.registered('first');
  });
});
