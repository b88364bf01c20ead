import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Authority } from '../sim/certificates.ts';
import { type Baresip, startBaresip } from './support/baresip.ts';
import { Bench } from './support/bench.ts';
import { HOST, type RunningDevice, startDevice } from './support/device.ts';
import { hears, writeTone } from './support/hearing.ts';
import { startKamailio } from './support/kamailio.ts';
import { sipPort } from './support/ports.ts';
import { startSipp } from './support/sipp.ts';
import { passes } from './support/until.ts';

const VISITOR_HZ = 1100;
const DESK_HZ = 700;
/** How long both sides speak. Milliseconds. */
const TALK_MS = 2_000;

let authority: Authority;
let bench: Bench;
beforeAll(() => {
  authority = new Authority();
});
afterAll(() => authority.stop());
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.stop());

describe.each(['udp', 'tcp', 'tls'] as const)('baresip over %s', transport => {
  let desk: Baresip;
  let device: RunningDevice;
  let devicePort: number;

  async function stage() {
    const ours = authority.sign(`front-${transport}`, `IP:${HOST}`);
    const theirs = authority.sign(`desk-${transport}`, `IP:${HOST}`);
    const both = join(bench.folder, 'desk.pem');
    writeFileSync(both, readFileSync(theirs.certificate, 'utf8') + readFileSync(theirs.key, 'utf8'));
    const visitor = join(bench.folder, 'visitor.wav');
    const voice = join(bench.folder, 'desk.wav');
    writeTone(visitor, { hz: VISITOR_HZ, levelDb: -12, rate: 16_000, seconds: 1 });
    writeTone(voice, { hz: DESK_HZ, levelDb: -12, rate: 48_000, seconds: 60 });
    const port = await sipPort();
    devicePort = transport === 'tls' ? port + 1 : port;
    const tls = { certificate: both, ca: authority.ca };
    desk = await startBaresip(bench, 'desk', { transport, tls, codecs: ['PCMA/8000/1'], voice });
    const deskPort = transport === 'tls' ? desk.port + 1 : desk.port;
    device = await startDevice(bench, {
      microphone: visitor,
      config: {
        sip: {
          listen: { host: HOST, port },
          tls: { port: port + 1, ...ours, ca: authority.ca },
          accounts: { direct: { uri: `sip:front@${HOST}`, register: false, transport } },
        },
        contacts: { desk: { uri: `sip:desk@${HOST}:${deskPort};transport=${transport}` } },
        media: { codecs: ['PCMA'] },
      },
    });
  }

  /** The connection that carries the call, in the machine's own words. */
  const isOpen = (port: number) =>
    readFileSync('/proc/net/tcp', 'utf8').includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} `);

  function bothHeard() {
    expect(hears(desk.recording(), VISITOR_HZ).seconds).toBeGreaterThan(1);
    expect(hears(device.heard, DESK_HZ).seconds).toBeGreaterThan(1);
  }

  test('the device calls, each hears the other, the device hangs up', async () => {
    await stage();
    await device.do('press front');
    await desk.event('CALL_INCOMING');
    await desk.command('accept');
    await device.event('call', 'answered');
    await desk.event('CALL_ESTABLISHED');
    if (transport !== 'udp') expect(isOpen(transport === 'tls' ? desk.port + 1 : desk.port)).toBe(true);
    await passes(TALK_MS);
    await device.do('hang up');
    await device.event('call', 'ended', { by: 'us' });
    await desk.event('CALL_CLOSED');
    bothHeard();
  });

  test('baresip calls, each hears the other, baresip hangs up', async () => {
    await stage();
    // It adds the transport of its account by itself.
    await desk.command('dial', `sip:front@${HOST}:${devicePort}`);
    await device.event('call', 'incoming');
    await device.callState('ringing');
    await device.do('answer');
    await device.event('call', 'answered');
    await desk.event('CALL_ESTABLISHED');
    await passes(TALK_MS);
    await desk.command('hangup');
    await device.event('call', 'ended', { by: 'them', direction: 'incoming' });
    bothHeard();
  });
});

describe('registered with Kamailio over TCP', () => {
  const users = { front: 'front-secret', desk: 'desk-secret' };

  async function stage() {
    const kamailio = await startKamailio(bench, users);
    const voice = join(bench.folder, 'desk.wav');
    writeTone(voice, { hz: DESK_HZ, levelDb: -12, rate: 48_000, seconds: 60 });
    const phone = { aor: kamailio.aor('desk'), password: users.desk, codecs: ['PCMA/8000/1'], voice };
    const desk = await startBaresip(bench, 'desk', phone);
    const pbx = { uri: kamailio.aor('front'), password: users.front, transport: 'tcp', expires: '10 min' };
    const device = await startDevice(bench, {
      config: {
        sip: { accounts: { pbx } },
        contacts: { desk: { uri: kamailio.aor('desk') } },
        media: { codecs: ['PCMA'] },
      },
    });
    await device.registered('pbx');
    return { kamailio, desk, device };
  }

  test('it calls and is called, through TCP on its side and UDP on the other', async () => {
    const { kamailio, desk, device } = await stage();
    await device.do('press front');
    await desk.event('CALL_INCOMING');
    await desk.command('accept');
    await device.event('call', 'answered');
    await desk.command('hangup');
    await device.event('call', 'ended', { by: 'them' });
    await desk.command('dial', kamailio.aor('front'));
    await device.event('call', 'incoming');
    await device.callState('ringing');
    await device.do('answer');
    await device.event('call', 'answered');
    await device.do('hang up');
    await device.event('call', 'ended', { by: 'us' });
    await desk.event('CALL_CLOSED');
  });

  test('it is back within seconds after Kamailio restarts, which forgets everybody', async () => {
    const { kamailio, device } = await stage();
    await kamailio.stop();
    await device.event('sip', 'registration failed', { account: 'pbx' });
    await startKamailio(bench, users, { port: kamailio.port });
    await device.event('sip', 'registered', { account: 'pbx' });
  });
});

describe('a PBX whose certificate is not right is refused, and the status says why', () => {
  async function registersWith(host: string, ca: string) {
    const pair = authority.sign('pbx', `IP:${HOST}`);
    const certificate = join(bench.folder, 'pbx.pem');
    writeFileSync(certificate, readFileSync(pair.certificate, 'utf8') + readFileSync(pair.key, 'utf8'));
    const voice = join(bench.folder, 'desk.wav');
    writeTone(voice, { hz: DESK_HZ, levelDb: -12, rate: 48_000, seconds: 1 });
    const tls = { certificate, ca: authority.ca };
    const pbx = await startBaresip(bench, 'pbx', { transport: 'tls', tls, codecs: ['PCMA/8000/1'], voice });
    const account = { uri: `sip:front@${host}:${pbx.port + 1}`, transport: 'tls' };
    const device = await startDevice(bench, { config: { sip: { tls: { ca }, accounts: { pbx: account } } } });
    await device.event('sip', 'registration failed');
    return (await device.status()).accounts.pbx!.detail;
  }

  test('for another name', async () => {
    expect(await registersWith('localhost', authority.ca)).toContain(`the certificate of localhost is for ${HOST}`);
  });

  test('by a stranger', async () => {
    const stranger = new Authority();
    try {
      expect(await registersWith(HOST, stranger.ca)).toContain(
        `the certificate of ${HOST} is signed by nobody this device knows: name the CA in sip.tls.ca`,
      );
    } finally {
      stranger.stop();
    }
  });
});

describe('SIPp over TCP', () => {
  const config = {
    media: { codecs: ['PCMA'], silentAfter: '0 s' },
    sip: { accounts: { peer: { uri: `sip:front@${HOST}`, register: false } } },
  };

  test('calls, is answered, and hangs up', async () => {
    const device = await startDevice(bench, { config });
    const caller = await startSipp(bench, 'uac-bye', { transport: 'tcp', to: `${HOST}:${device.port}` });
    await device.event('call', 'incoming');
    await device.callState('ringing');
    await device.do('answer');
    await device.event('call', 'answered');
    await caller.passes();
    await device.event('call', 'ended', { by: 'them' });
  });

  test('calls, is answered, and the device hangs up', async () => {
    const device = await startDevice(bench, { config });
    const caller = await startSipp(bench, 'uac-hung-up', { transport: 'tcp', to: `${HOST}:${device.port}` });
    await device.event('call', 'incoming');
    await device.callState('ringing');
    await device.do('answer');
    await device.event('call', 'answered');
    await device.do('hang up');
    await caller.passes();
  });

  test.each(['udp', 'tcp'] as const)('over IPv6, by %s, calls, is answered, and hangs up', async transport => {
    const listen = { host: '::1' };
    const sip = { listen, accounts: { peer: { uri: 'sip:front@[::1]', register: false } } };
    const device = await startDevice(bench, { config: { ...config, sip } });
    const to = `[::1]:${device.port}`;
    const caller = await startSipp(bench, 'uac-bye', { transport, host: '::1', to });
    await device.event('call', 'incoming', { remote: /::1/ });
    await device.callState('ringing');
    await device.do('answer');
    await device.event('call', 'answered');
    await caller.passes();
    await device.event('call', 'ended', { by: 'them' });
  });

  test('is called, answers, and hangs up', async () => {
    const called = await startSipp(bench, 'uas-bye', { transport: 'tcp' });
    const contacts = { desk: { uri: `sip:desk@${HOST}:${called.port};transport=tcp` } };
    const device = await startDevice(bench, { config: { ...config, contacts } });
    await device.do('call desk');
    await device.event('call', 'answered');
    await called.passes();
    await device.event('call', 'ended', { by: 'them' });
  });
});
