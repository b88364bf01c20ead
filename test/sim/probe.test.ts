import { expect, test } from 'vitest';
import { showProbe } from '../../firmware/cli/show-probe.ts';
import type { ProbeRequest, ProbeResult } from '../../firmware/controller/sip-probe.ts';
import { isMalformed, type Request } from '../../firmware/sip/message/message.ts';
import { parseMessage } from '../../firmware/sip/message/parse.ts';
import { presets } from './lossy-network.ts';
import { building, World } from './world.ts';

const PBX = { host: '192.0.2.50', port: 5060 };

/** A device, and a server at `PBX` that answers OPTIONS with these lines behind the status line. */
function stage(answer?: (request: Request) => [status: string, ...fields: string[]]) {
  const world = new World({ seed: 1, impairment: presets.perfect });
  const device = world.device({
    ...building,
    sip: {
      listen: { host: '192.0.2.10' },
      accounts: {
        pbx: { uri: `sip:front@${PBX.host}`, password: 'secret', register: false },
        bare: { uri: `sip:front@${PBX.host}`, register: false },
      },
    },
  });
  if (answer !== undefined) {
    const { send } = world.network.transport(PBX);
    world.network.attach(PBX, (bytes, from) => {
      const request = parseMessage(bytes);
      if (isMalformed(request) || request.kind !== 'request') return;
      const [status, ...fields] = answer(request);
      const same = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map(name => `${name}: ${request.headers.get(name)}`);
      const text = [`SIP/2.0 ${status}`, ...same, ...fields, 'Content-Length: 0', '\r\n'].join('\r\n');
      send(Buffer.from(text), from);
    });
  }
  const probe = async (request: ProbeRequest) => {
    const told: (ProbeResult | { why: string })[] = [];
    device.intercom.sipProbe(request, result => told.push(result));
    await world.run(70_000);
    await world.finish(device.intercom.stop());
    expect(told).toHaveLength(1);
    return told[0]!;
  };
  return { probe };
}

const shown = (result: ProbeResult | { why: string }) =>
  'why' in result ? result.why : `\n${showProbe(result).join('\n')}\n`;

const challenge = 'WWW-Authenticate: Digest realm="pbx", nonce="1", algorithm=MD5, qop="auth"';

test('a server that answers tells what it is and takes', async () => {
  const { probe } = stage(() => ['200 OK', 'Server: Example PBX 3', 'Allow: INVITE, ACK, BYE', 'Allow: OPTIONS']);
  expect(shown(await probe({ target: PBX.host }))).toMatchInlineSnapshot(`
    "
    sip:192.0.2.50
    ✓ name        to try: 192.0.2.50:5060
    ✓ OPTIONS     200 OK from 192.0.2.50:5060 after 2 ms; it is Example PBX 3; it
                  takes INVITE, ACK, BYE, OPTIONS
    It can be reached.
    "
  `);
});

test('whoever refuses OPTIONS is there all the same', async () => {
  const { probe } = stage(() => ['405 Method Not Allowed', 'Allow: INVITE']);
  expect(await probe({ target: `sip:${PBX.host}` })).toMatchObject({ reached: true });
});

test('a silent server is passed over in time, with what to do', async () => {
  const { probe } = stage();
  const result = await probe({ target: PBX.host });
  expect(shown(result)).toMatchInlineSnapshot(`
    "
    sip:192.0.2.50
    ✓ name        to try: 192.0.2.50:5060
    ✗ OPTIONS     no answer from 192.0.2.50:5060
    That is: nothing comes back: wrong address or port, PBX down, or a firewall that
      swallows it.
    ! Ping the PBX, look at its port, and try transport tcp.
    "
  `);
});

test('a name that does not exist', async () => {
  expect(shown(await stage().probe({ target: 'pbx.example' }))).toMatchInlineSnapshot(`
    "
    sip:pbx.example
    ✗ name        pbx.example is not known here
    That is: pbx.example is not known here.
    ! The log of the device may say more; so may porter sip trace.
    "
  `);
});

test('the password of the account is tried, and found right', async () => {
  const { probe } = stage(({ headers }) =>
    headers.has('Authorization') ? ['200 OK'] : ['401 Unauthorized', challenge],
  );
  expect(shown(await probe({ target: 'pbx' }))).toMatchInlineSnapshot(`
    "
    sip:192.0.2.50, as account pbx
    ✓ name        to try: 192.0.2.50:5060
    ✓ password    the password of the account is accepted
    ✓ OPTIONS     200 OK from 192.0.2.50:5060 after 2 ms
    It can be reached.
    "
  `);
});

test('or wrong', async () => {
  const { probe } = stage(() => ['401 Unauthorized', challenge]);
  const result = await probe({ target: 'pbx' });
  expect(result).toMatchObject({ reached: false, meaning: 'user name or password is wrong' });
  expect(shown(result)).toContain('✗ password    user name and password of the account are refused');
});

test('or absent', async () => {
  const { probe } = stage(() => ['401 Unauthorized', challenge]);
  expect(await probe({ target: 'bare' })).toMatchObject({
    reached: false,
    meaning: 'the server wants a password, and the account has none here',
  });
});

test('without an account a server that wants a password has been reached', async () => {
  const { probe } = stage(() => ['407 Proxy Authentication Required', challenge.replace('WWW', 'Proxy')]);
  const result = await probe({ target: PBX.host });
  expect(result).toMatchObject({ reached: true });
  expect(shown(result)).toContain('--account NAME tries one');
});

test.each([
  [{ target: 'x y' }, 'is no contact, no account, no SIP URI and no host'],
  [{ target: PBX.host, account: 'nobody' }, 'there is no account "nobody"; there are: pbx, bare'],
])('%j is refused in words', async (request, words) => {
  expect(shown(await stage().probe(request))).toContain(words);
});
