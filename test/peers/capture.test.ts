/** What `porter sip trace --pcap` writes, as Wireshark reads it. No right to capture is needed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Authority } from '../sim/certificates.ts';
import { startBaresip } from './support/baresip.ts';
import { Bench } from './support/bench.ts';
import { HOST, startDevice } from './support/device.ts';
import { writeTone } from './support/hearing.ts';
import { startKamailio } from './support/kamailio.ts';
import { porter } from './support/porter.ts';
import { sipPort } from './support/ports.ts';
import { Capture } from './support/tshark.ts';
import { passes } from './support/until.ts';

let authority: Authority;
beforeAll(() => {
  authority = new Authority();
});
afterAll(() => authority.stop());

/** A call of a second and a half to baresip, watched from before its INVITE. */
async function watchedCall(bench: Bench, transport: 'udp' | 'tcp' | 'tls', options: readonly string[] = []) {
  const ours = authority.sign(`front-${transport}`, `IP:${HOST}`);
  const theirs = authority.sign(`desk-${transport}`, `IP:${HOST}`);
  const both = join(bench.folder, 'desk.pem');
  writeFileSync(both, readFileSync(theirs.certificate, 'utf8') + readFileSync(theirs.key, 'utf8'));
  const voice = join(bench.folder, 'desk.wav');
  writeTone(voice, { hz: 700, levelDb: -12, rate: 48_000, seconds: 10 });
  const port = await sipPort();
  const desk = await startBaresip(bench, 'desk', {
    transport,
    tls: { certificate: both, ca: authority.ca },
    codecs: ['PCMA/8000/1'],
    voice,
  });
  const deskPort = transport === 'tls' ? desk.port + 1 : desk.port;
  const device = await startDevice(bench, {
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
  const file = join(bench.folder, `${transport}.pcapng`);
  const interrupt = new AbortController();
  const traced = porter(['sip', 'trace', '--pcap', file, ...options], device.socket, interrupt.signal);
  await passes(300);
  await device.do('press front');
  await desk.event('CALL_INCOMING');
  await desk.command('accept');
  await device.event('call', 'answered');
  await passes(1_500);
  await device.do('hang up');
  await device.event('call', 'ended');
  await passes(300);
  interrupt.abort();
  return { capture: new Capture(file), shown: await traced, device, desk };
}

const story = (capture: Capture) =>
  capture.fields('sip', ['sip.Method', 'sip.Status-Code']).map(([method, status]) => method || status);

describe.each(['udp', 'tcp', 'tls'] as const)('a call over %s', transport => {
  let bench: Bench;
  let seen: Awaited<ReturnType<typeof watchedCall>>;
  beforeAll(async () => {
    bench = new Bench();
    seen = await watchedCall(bench, transport);
  });
  afterAll(() => bench.stop());

  test('is read as SIP, in order, with nothing malformed', () => {
    expect(story(seen.capture).filter(what => what !== '100')).toEqual(['INVITE', '180', '200', 'ACK', 'BYE', '200']);
    expect(seen.capture.fields('_ws.malformed || _ws.expert.severity >= 0x800000', ['frame.number'])).toEqual([]);
    expect(seen.capture.fields('sip && sip.Method == INVITE && sdp', ['sdp.media.port'])).toHaveLength(1);
    expect(seen.shown).toMatchObject({ code: 0, err: expect.stringMatching(/\.pcapng: \d+ packets\n$/) });
  });

  test('its sound is two streams of RTP, whole, and a goodbye in RTCP', () => {
    const streams = seen.capture.rtpStreams();
    expect(streams).toHaveLength(2);
    for (const { payload, lost, packets } of streams) {
      expect(payload).toBe('g711A');
      expect(lost).toBe(0);
      expect(packets).toBeGreaterThan(40);
    }
    const { from, to } = seen.device.rtp;
    expect(streams.filter(stream => stream.from >= from && stream.from <= to)).toHaveLength(1);
    expect(seen.capture.fields('rtcp.pt == 203', ['frame.number']).length).toBeGreaterThan(0);
  });
});

test('--no-rtp leaves the sound away', async () => {
  const bench = new Bench();
  try {
    const { capture } = await watchedCall(bench, 'udp', ['--no-rtp']);
    expect(capture.rtpStreams()).toEqual([]);
    expect(story(capture)).toContain('INVITE');
  } finally {
    await bench.stop();
  }
});

test('with --mask no digest answer stands in the file, and all is still well formed', async () => {
  const bench = new Bench();
  try {
    const kamailio = await startKamailio(bench, { front: 'front-secret' });
    const device = await startDevice(bench, {
      config: {
        sip: { accounts: { pbx: { uri: kamailio.aor('front'), password: 'front-secret', transport: 'udp' } } },
      },
    });
    await device.registered('pbx');
    const traced = async (name: string, ...options: string[]) => {
      const file = join(bench.folder, `${name}.pcapng`);
      const interrupt = new AbortController();
      const ended = porter(['sip', 'trace', '--pcap', file, ...options], device.socket, interrupt.signal);
      await passes(300);
      await device.do(`call sip:nobody@${HOST}:${kamailio.port}`);
      await device.event('call', 'ended');
      await passes(200);
      interrupt.abort();
      await ended;
      return { text: readFileSync(file, 'latin1'), capture: new Capture(file) };
    };
    const open = await traced('open');
    const masked = await traced('masked', '--mask');
    expect(open.text).toMatch(/response="[0-9a-f]{32}"/);
    expect(masked.text).toContain('response="***"');
    expect(masked.text).not.toMatch(/(?:nonce|response)="(?!\*\*\*")/);
    for (const { capture } of [open, masked]) {
      expect(story(capture)).toEqual(expect.arrayContaining(['INVITE', '404', 'ACK']));
      expect(capture.fields('_ws.malformed', ['frame.number'])).toEqual([]);
    }
  } finally {
    await bench.stop();
  }
});
