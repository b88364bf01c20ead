/** The life of a call with SIPp over TCP and over TLS: what needs requests of both sides on one connection. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Authority, type Pair } from '../sim/certificates.ts';
import { Bench } from './support/bench.ts';
import { HOST, type RunningDevice, startDevice } from './support/device.ts';
import { sipPort } from './support/ports.ts';
import { type Sipp, type SippSpec, startSipp } from './support/sipp.ts';
import { startTlsCarrier, type TlsCarrier } from './support/tls-carrier.ts';

let authority: Authority;
let phone: Pair;
beforeAll(() => {
  authority = new Authority();
  phone = authority.sign('phone', `IP:${HOST}`);
});
afterAll(() => authority.stop());

describe.each(['tcp', 'tls'] as const)('over %s', transport => {
  let bench: Bench;
  let device: RunningDevice;
  let devicePort: number;
  let carrier: TlsCarrier | undefined;
  beforeEach(async () => {
    bench = new Bench();
    carrier = undefined;
    const port = await sipPort();
    devicePort = transport === 'tls' ? port + 1 : port;
    device = await startDevice(bench, {
      config: {
        media: { codecs: ['PCMA'], silentAfter: '0 s' },
        sip: {
          listen: { host: HOST, port },
          tls: { port: port + 1, ...authority.sign('front', `IP:${HOST}`), ca: authority.ca },
          accounts: { peer: { uri: `sip:front@${HOST}`, register: false, password: 'front-secret' } },
        },
        calls: { ringFor: '4 s', transfer: { allow: [`*@${HOST}`] } },
      },
    });
  });
  afterEach(async () => {
    // It was TLS indeed.
    if (transport === 'tls') expect(carrier?.secured).toBeGreaterThan(0);
    await bench.stop();
  });

  /** SIPp, carried over TLS where it has to be; `calls`: it calls the device. */
  async function sipp(scenario: string, calls: boolean, spec: SippSpec = {}): Promise<{ peer: Sipp; at: string }> {
    const port = await sipPort();
    if (transport === 'tls')
      carrier = await startTlsCarrier(bench, { pair: phone, ca: authority.ca, programPort: port, devicePort });
    const peer = await startSipp(bench, scenario, {
      port,
      transport: 'tcp',
      ...(carrier !== undefined && { securePort: carrier.securePort }),
      ...(calls && { to: `${HOST}:${carrier?.plainPort ?? devicePort}` }),
      ...spec,
    });
    return { peer, at: `${HOST}:${carrier?.securePort ?? port};transport=${transport}` };
  }

  async function isCalled(scenario: string, spec?: SippSpec) {
    const { peer } = await sipp(scenario, true, spec);
    await device.event('call', 'incoming');
    await device.callState('ringing');
    await device.do('answer');
    return peer;
  }

  test.each([
    ['a call', 'uac-bye'],
    ['an offer in the 200', 'uac-late-offer'],
    ['re-INVITEs that move, hold and resume', 'uac-reinvite'],
    ['a 180 that must arrive', 'uac-100rel'],
    ['a timed session, changed by UPDATE', 'uac-session-timer'],
    ['hold in all three forms', 'uac-hold'],
    ['keys by INFO', 'uac-info'],
  ])('%s, as the one who is called', async (_what, scenario) => {
    const caller = await isCalled(scenario);
    await device.event('call', 'answered', { direction: 'incoming' });
    await caller.passes();
    await device.event('call', 'ended', { by: 'them' });
  });

  test('it is called, and hangs up', async () => {
    const caller = await isCalled('uac-hung-up');
    await device.event('call', 'answered');
    await device.callState('talking');
    await device.do('hang up');
    await caller.passes();
  });

  test('it is transferred over a connection, to somebody over UDP', async () => {
    const other = await startSipp(bench, 'uas-transferred');
    const caller = await isCalled('uac-refer', { keys: { elsewhere: String(other.port) } });
    await device.event('call', 'transfer', { attended: true });
    await device.event('call', 'answered', { direction: 'outgoing' });
    await caller.passes();
    await other.passes();
  });

  test.each([
    ['a call', 'uas-hung-up'],
    ['early media', 'uas-early-media'],
    ['early media that must arrive', 'uas-100rel'],
    ['a challenge', 'uas-challenge-407'],
    ['a session timer', 'uas-session-timer'],
  ])('%s, as the caller', async (_what, scenario) => {
    const { peer, at } = await sipp(scenario, false);
    await device.do(`call sip:desk@${at}`);
    await device.event('call', 'answered', { direction: 'outgoing', codec: 'PCMA' });
    await device.do('hang up');
    await peer.passes();
    await device.event('call', 'ended', { by: 'us' });
  });

  test('it calls, and the other side hangs up', async () => {
    const { peer, at } = await sipp('uas-bye', false);
    await device.do(`call sip:desk@${at}`);
    await device.event('call', 'answered');
    await peer.passes();
    await device.event('call', 'ended', { by: 'them' });
  });
});
