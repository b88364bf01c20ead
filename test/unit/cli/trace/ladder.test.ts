import { expect, test } from 'vitest';
import { WIDTH } from '../../../../firmware/cli/text.ts';
import { Ladder } from '../../../../firmware/cli/trace/ladder.ts';
import { Reader } from '../../../../firmware/cli/trace/seen.ts';
import { type TracedMessage, trace } from '../../../../firmware/rpc/trace.ts';
import { presets } from '../../../sim/lossy-network.ts';
import { building, World } from '../../../sim/world.ts';

/** What a follower of the socket is told while a visitor presses, talks, and the desk hangs up. */
async function pressTalkHangUp(): Promise<TracedMessage[]> {
  const world = new World({ seed: 1, impairment: presets.perfect });
  const device = world.device(building);
  const seen: TracedMessage[] = [];
  trace(device.intercom, {
    notify: (_method, params) => seen.push(params as TracedMessage),
    keepsUp: () => true,
    rtp: false,
  });
  const { desk } = world.desk();
  await world.run(1_000);
  device.intercom.perform({ do: 'call', target: 'desk' }, 'cli');
  await world.run(2_000);
  for (const call of desk.calls) call.answer();
  await world.run(2_000);
  for (const call of desk.calls) call.hangUp();
  await world.run(1_000);
  await world.finish(device.intercom.stop());
  return seen;
}

const show = (messages: readonly TracedMessage[], full = false) => {
  const reader = new Reader();
  const ladder = new Ladder({ device: 'Front door', full });
  return messages.flatMap(message => ladder.lines(reader.read(message)));
};

const told = (text: string, rest: Partial<TracedMessage> = {}): TracedMessage => ({
  atMs: 0,
  way: 'in',
  transport: 'udp',
  local: { host: '192.0.2.10', port: 5060 },
  remote: { host: '192.0.2.1', port: 5060 },
  bytes: Buffer.from(text, 'latin1').toString('base64'),
  ...rest,
});

test('registration, call and goodbye as a ladder of 80 columns', async () => {
  const lines = show(await pressTalkHangUp());
  expect(`\n${lines.join('\n')}\n`).toMatchInlineSnapshot(`
    "
          Front door                 192.0.2.1
                                     5060/udp
        0.000  │◀─ 401 Unauthorized ─────│  REGISTER · wants credentials of desk
        0.000  │── REGISTER ────────────▶│  front · for 60 s · with credentials
        0.002  │◀─ 200 OK ───────────────│  REGISTER · for 60 s
        0.998  │── INVITE ──────────────▶│  #1 · front → desk · PCMA/PCMU · with cr…
        1.000  │◀─ 100 Trying ───────────│  #1 · INVITE
        1.000  │◀─ 180 Ringing ──────────│  #1 · INVITE
        2.999  │◀─ 200 OK ───────────────│  #1 · INVITE · PCMA
        2.999  │── ACK ─────────────────▶│  #1
        4.999  │◀─ BYE ──────────────────│  #1
        4.999  │── 200 OK ──────────────▶│  #1 · BYE
        5.998  │── REGISTER ────────────▶│  front · away · with credentials
        6.000  │◀─ 200 OK ───────────────│  REGISTER
    "
  `);
  for (const line of lines) expect([...line].length).toBeLessThanOrEqual(WIDTH);
});

test('repetitions and keep-alives are drawn thin; what is not SIP is shown as such', () => {
  const options = `OPTIONS sip:front@192.0.2.10 SIP/2.0\r
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r
From: <sip:pbx@192.0.2.1>;tag=1\r
To: <sip:front@192.0.2.10>\r
Call-ID: a\r
CSeq: 1 OPTIONS\r
Content-Length: 0\r
\r
`;
  const lines = show([
    told(options),
    told(options, { atMs: 500 }),
    told('\r\n\r\n', { atMs: 1_000 }),
    told('', { atMs: 1_000, bytes: '', way: 'out' }),
    told('GET / HTTP/1.1\r\n\r\n', { atMs: 2_000 }),
    told(options.replace('CSeq: 1 OPTIONS', 'CSeq: x'), { atMs: 3_000 }),
  ]);
  expect(`\n${lines.join('\n')}\n`).toMatchInlineSnapshot(`
    "
          Front door                 192.0.2.1
                                     5060/udp
        0.000  │◀─ OPTIONS ──────────────│  pbx → front
        0.500  │<  OPTIONS  · · · · · · ·│  sent again · pbx → front
        1.000  │<  keep-alive · · · · · ·│
        1.000  │·  keep-alive · · · · · >│
        2.000  │◀─ unreadable ───────────│  Not a SIP message · 18 bytes
        3.000  │◀─ OPTIONS ──────────────│  Bad CSeq · pbx → front
    "
  `);
});

test('each peer has a line of life; a fourth takes the place of the most silent', () => {
  const bye = 'SIP/2.0 407 Proxy Authentication Required\r\nCSeq: 1 INVITE\r\nCall-ID: a\r\n\r\n';
  const from = (host: string, atMs: number, transport: TracedMessage['transport'] = 'udp') =>
    told(bye, { remote: { host, port: 5061 }, atMs, transport });
  const lines = show([
    from('192.0.2.1', 0),
    from('2001:db8:1234:5678::1', 1, 'tls'),
    from('192.0.2.3', 2, 'tcp'),
    { ...from('192.0.2.1', 3), way: 'out' },
    from('192.0.2.4', 4),
  ]);
  expect(`\n${lines.join('\n')}\n`).toMatchInlineSnapshot(`
    "
          Front door                 192.0.2.1
                                     5061/udp
        0.000  │◀─ 407 Proxy Authentic… ─│  Missing Via · 73 bytes
          Front door           192.0.2.1      [2001:db8:1234:567…
                               5061/udp            5061/tls
        0.001  │◀─ 407 Proxy Aut… ─────────────────────│  Missing Via · 73 bytes
          Front door        192.0.2.1    [2001:db8:1234:…     192.0.2.3
                            5061/udp         5061/tls         5061/tcp
        0.002  │◀─ 407 Proxy… ────────────────────────────────────│  Missing Via ·…
        0.003  │── 407 Proxy… ─▶│                │                │  Missing Via ·…
          Front door        192.0.2.1        192.0.2.4        192.0.2.3
                            5061/udp         5061/udp         5061/tcp
        0.004  │◀─ 407 Proxy… ───────────────────│                │  Missing Via ·…
    "
  `);
  for (const line of lines) expect([...line].length).toBeLessThanOrEqual(WIDTH);
});

test('a message whole has no secrets and no control characters', () => {
  const lines = show(
    [told('REGISTER sip:a SIP/2.0\r\nAuthorization: Digest response="c0ffee"\r\nX: \x1b[2J\r\n\r\n')],
    true,
  );
  expect(lines.slice(-5)).toEqual([
    '',
    '    REGISTER sip:a SIP/2.0',
    '    Authorization: Digest response="***"',
    '    X: ?[2J',
    '',
  ]);
});
