/** UDP, TCP and TLS on the loopback interface, with certificates that are right, wrong, and none at all. */
import { createSocket } from 'node:dgram';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../../firmware/lib/clock.ts';
import { silentLog } from '../../../../firmware/lib/log.ts';
import type { Hop } from '../../../../firmware/sip/hop.ts';
import { SipSockets, type SocketSettings, type TlsSettings } from '../../../../firmware/sip/transport/sockets.ts';
import { freePort } from '../../../demo/free-port.ts';
import { Authority, type Pair } from '../../../sim/certificates.ts';
import { seeded } from '../../../sim/seeded.ts';
import { VirtualClock } from '../../../sim/virtual-clock.ts';

const text = (name: string) =>
  Buffer.from(`OPTIONS sip:a@b SIP/2.0\r\nSubject: ${name}\r\nContent-Length: 3\r\n\r\n123`);

interface Heard {
  text: string;
  from: Hop;
}

class Party {
  readonly sockets: SipSockets;
  readonly failures: string[] = [];
  readonly lost: Hop[] = [];
  readonly #heard: Heard[] = [];
  #wake = () => {};

  constructor(settings: SocketSettings, clock: Clock) {
    this.sockets = new SipSockets(settings, { clock, log: silentLog, random: seeded(1) });
    this.sockets.start(
      (bytes, from) => {
        this.#heard.push({ text: Buffer.from(bytes).toString(), from });
        this.#wake();
      },
      why => this.failures.push(why),
      to => this.lost.push(to),
    );
  }

  async hears(): Promise<Heard> {
    while (this.#heard.length === 0) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
    return this.#heard.shift()!;
  }

  /** Why it could not be sent. */
  fails(to: Hop): Promise<string> {
    return new Promise(resolve => this.sockets.send(text('x'), to, error => resolve(error.message)));
  }
}

const parties: Party[] = [];
afterEach(() => {
  for (const { sockets } of parties.splice(0)) sockets.stop();
});

async function party(
  tls: Partial<TlsSettings> = {},
  listen: Partial<SocketSettings['listen']> = {},
  clock: Clock = systemClock,
): Promise<{ party: Party; port: number; tlsPort: number }> {
  const port = listen.port ?? (await freePort('tcp'));
  const tlsPort = await freePort('tcp');
  const settings: SocketSettings = {
    listen: { host: '127.0.0.1', more: [], port, transports: ['udp', 'tcp'], ...listen },
    tls: { port: tlsPort, ...tls },
  };
  const made = new Party(settings, clock);
  parties.push(made);
  // Listening begins after this turn of the event loop: until then a connection is refused.
  for (let tries = 0; tries < 100 && !(await reaches(port, listen.host)); tries++);
  return { party: made, port, tlsPort };
}

const reaches = (port: number, host = '127.0.0.1') =>
  new Promise<boolean>(resolve => {
    const socket = connect(port, host === '0.0.0.0' ? '127.0.0.1' : host);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

async function turnsUntil(done: () => boolean) {
  while (!done()) await new Promise<void>(resolve => setImmediate(resolve));
}

describe.each(['127.0.0.1', '::1', '::'])('on %s', host => {
  const target = host === '::' ? '127.0.0.1' : host;

  test.each(['udp', 'tcp'] as const)(
    'a message goes by %s, and its answer comes back the same way',
    async transport => {
      const [caller, callee] = [await party({}, { host }), await party({}, { host })];
      caller.party.sockets.send(text('question'), { host: target, port: callee.port, transport });
      const { text: heard, from } = await callee.party.hears();
      expect(heard).toBe(text('question').toString());
      expect(from.host).toBe(target);
      expect(from.transport ?? 'udp').toBe(transport);
      callee.party.sockets.send(text('answer'), from);
      expect((await caller.party.hears()).text).toBe(text('answer').toString());
    },
  );
});

test('UDP and TCP have the same port, and any free one where none is asked for', async () => {
  const { party: one } = await party({}, { port: 0 });
  const udp = one.sockets.localFor({ host: '127.0.0.1', port: 9 });
  expect(udp.port).toBeGreaterThan(0);
  expect(one.sockets.localFor({ host: '127.0.0.1', port: 9, transport: 'tcp' })).toEqual({ ...udp, transport: 'tcp' });
});

test('with several addresses each is listened on, and the one of the same family speaks', async () => {
  const { party: both, port } = await party({}, { host: '127.0.0.1', more: ['::1'] });
  const { party: peer } = await party({}, { host: '::' });
  for (const host of ['127.0.0.1', '::1']) {
    for (const transport of ['udp', 'tcp'] as const) {
      peer.sockets.send(text('x'), { host, port, transport });
      expect((await both.hears()).from.host).toBe(host);
    }
    expect(both.sockets.localFor({ host, port: 9 }).host).toBe(host);
  }
});

test('a transport that is not listened for is not', async () => {
  const { party: made, port } = await party({}, { transports: ['tcp'] });
  expect(await made.fails({ host: '127.0.0.1', port })).toBe('UDP is switched off: see sip.listen.transports');
});

test('a taken TCP port says so', async () => {
  const { port } = await party({}, { transports: ['tcp'] });
  const { party: second } = await party({}, { transports: ['tcp'], port });
  await turnsUntil(() => second.failures.length > 0);
  expect(second.failures).toEqual([`port ${port} is taken by another program: set sip.listen.port`]);
});

test('a server that is not there is told in words', async () => {
  const { party: made } = await party();
  const port = await freePort('tcp');
  expect(await made.fails({ host: '127.0.0.1', port, transport: 'tcp' })).toBe(
    `127.0.0.1:${port} refuses TCP connections`,
  );
});

test('a kept connection that its server ends is told as lost', async () => {
  const [caller, callee] = [await party(), await party()];
  const to: Hop = { host: '127.0.0.1', port: callee.port, transport: 'tcp' };
  caller.party.sockets.send(text('x'), { ...to, keep: true });
  await callee.party.hears();
  callee.party.sockets.stop();
  await turnsUntil(() => caller.party.lost.length > 0);
  expect(caller.party.lost).toEqual([to]);
});

describe('TLS', () => {
  let authority: Authority;
  let others: Authority;
  let pbx: Pair;
  const domain = 'pbx.example.org';
  beforeAll(() => {
    authority = new Authority();
    others = new Authority();
    pbx = authority.sign('pbx', `DNS:${domain},URI:sip:example.org`);
  });
  afterAll(() => {
    authority.stop();
    others.stop();
  });

  test.each(['pbx.example.org', 'example.org'])('a certificate for %s is good for it', async wanted => {
    const server = await party(pbx);
    const client = await party({ ca: authority.ca });
    const to: Hop = { host: '127.0.0.1', port: server.tlsPort, transport: 'tls', domain: wanted };
    client.party.sockets.send(text('question'), to);
    const { text: heard, from } = await server.party.hears();
    expect(heard).toBe(text('question').toString());
    expect(from.transport).toBe('tls');
    server.party.sockets.send(text('answer'), from);
    expect((await client.party.hears()).from).toMatchObject(to);
  });

  test('who must show a certificate of our CA is let in with it, and not without or with another', async () => {
    const door = await party({ ...pbx, ca: authority.ca, clientCertificates: 'require' });
    const to: Hop = { host: '127.0.0.1', port: door.tlsPort, transport: 'tls', domain };
    const known = await party({ ca: authority.ca, ...authority.sign('desk', 'DNS:desk.example.org') });
    const foreign = await party({ ca: authority.ca, ...others.sign('stranger', `DNS:${domain}`) });
    const nobody = await party({ ca: authority.ca });
    expect(await foreign.party.fails(to)).toMatch(/closed by the peer|refused our TLS/);
    expect(await nobody.party.fails(to)).toMatch(/it may want a client certificate/);
    known.party.sockets.send(text('known'), to);
    // The first that is heard: of the others nothing was.
    expect((await door.party.hears()).text).toContain('known');
  });

  const refused = async (server: Pair, tls: Partial<TlsSettings>, wanted = domain) => {
    const { tlsPort } = await party(server);
    const { party: client } = await party(tls);
    return client.fails({ host: '127.0.0.1', port: tlsPort, transport: 'tls', domain: wanted });
  };

  test('one for somebody else is not, and the message says for whom it is', async () => {
    expect(await refused(pbx, { ca: authority.ca }, 'sip.evil.example')).toBe(
      'the certificate of sip.evil.example is for pbx.example.org, example.org',
    );
  });

  test('a wildcard is not', async () => {
    const wild = authority.sign('wild', 'DNS:*.example.org');
    expect(await refused(wild, { ca: authority.ca })).toContain('a wildcard does not count');
  });

  test('nor one by a CA that nobody here knows', async () => {
    const why = `the certificate of ${domain} is signed by nobody this device knows: name the CA in sip.tls.ca`;
    expect(await refused(pbx, {})).toBe(why);
    expect(await refused(pbx, { ca: others.ca })).toBe(why);
  });

  test('nor one that has run out', async () => {
    const old = authority.sign('old', `DNS:${domain}`, { days: -1 });
    expect(await refused(old, { ca: authority.ca })).toBe(
      `the certificate of ${domain} has expired, or the clock of this device is wrong`,
    );
  });

  test('a port that speaks plain TCP is told apart', async () => {
    const { port } = await party();
    const { party: client } = await party({ ca: authority.ca });
    const why = await client.fails({ host: '127.0.0.1', port, transport: 'tls', domain });
    // It reads our greeting as SIP, finds that it is none, and hangs up.
    expect(why).toMatch(/TLS|broke the connection|disconnected/);
  });

  test('a server that asks for our certificate gets it; one that misses it is explained', async () => {
    const ours = authority.sign('front', 'URI:sip:example.org', { commonName: 'front' });
    const shown: string[] = [];
    const server = createServer(
      {
        cert: readFileSync(pbx.certificate),
        key: readFileSync(pbx.key),
        ca: readFileSync(authority.ca),
        requestCert: true,
        rejectUnauthorized: true,
      },
      socket => {
        const { CN } = socket.getPeerCertificate().subject;
        shown.push(String(CN));
        socket.on('error', () => {}).resume();
      },
    );
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const to: Hop = { host: '127.0.0.1', port, transport: 'tls', domain };
    const { party: known } = await party({ ...ours, ca: authority.ca });
    known.sockets.send(text('x'), to);
    await turnsUntil(() => shown.length > 0);
    expect(shown).toEqual(['front']);
    const { party: unknown } = await party({ ca: authority.ca });
    expect(await unknown.fails(to)).toMatch(/may want a client certificate/);
    for (const { sockets } of parties) sockets.stop();
    await new Promise(resolve => server.close(resolve));
  });

  test.each(['a..b', `${'x'.repeat(300)}.example`, 'under_score.example'])(
    '%s, an odd name, fails and throws nothing',
    async odd => {
      expect(await refused(pbx, { ca: authority.ca }, odd)).not.toBe('');
    },
  );

  test('files that cannot be read are named, and UDP and TCP work on', async () => {
    const { party: made, port } = await party({ ca: join(authority.folder, 'absent.pem') });
    expect(await made.fails({ host: '127.0.0.1', port, transport: 'tls', domain })).toBe(
      `sip.tls.ca: ${authority.folder}/absent.pem cannot be read (ENOENT)`,
    );
    made.sockets.send(text('x'), { host: '127.0.0.1', port, transport: 'tcp' });
    expect((await made.hears()).text).toBe(text('x').toString());
  });

  test('files of nonsense are told, and UDP and TCP work on', async () => {
    const nonsense = join(authority.folder, 'nonsense.pem');
    writeFileSync(nonsense, 'nonsense');
    const { party: made, port } = await party({ certificate: nonsense });
    expect(await made.fails({ host: '127.0.0.1', port, transport: 'tls', domain })).toMatch(
      /^the files of sip\.tls cannot be used: /,
    );
    made.sockets.send(text('x'), { host: '127.0.0.1', port, transport: 'tcp' });
    expect((await made.hears()).text).toBe(text('x').toString());
  });

  test.each(['tcp', 'tls'] as const)(
    'who opens %s and says nothing is put out, before any TLS too',
    async transport => {
      const clock = new VirtualClock();
      const { port, tlsPort } = await party(pbx, {}, clock);
      const stranger = connect(transport === 'tls' ? tlsPort : port, '127.0.0.1');
      let closed = false;
      stranger
        .on('error', () => {})
        .on('close', () => {
          closed = true;
        });
      stranger.resume();
      await turnsUntil(() => {
        clock.advance(1_000);
        return closed;
      });
      // Its end was ours: had it been the stranger's, nothing would have closed here.
      expect(stranger.bytesRead).toBe(0);
    },
  );

  test('without a certificate nothing listens', async () => {
    const { tlsPort } = await party({ ca: authority.ca });
    expect(await reaches(tlsPort)).toBe(false);
  });
});

test('where several addresses are listened on, an answer leaves from the one that was asked', async () => {
  const { party: device, port } = await party({}, { host: '127.0.0.1', more: ['127.0.0.2'] });
  const peer = createSocket('udp4');
  peer.bind(0, '127.0.0.1');
  const answeredFrom = async (asked: string) => {
    const answer = new Promise<string>(resolve => peer.once('message', (_, { address }) => resolve(address)));
    peer.send(text('x'), port, asked);
    const { from } = await device.hears();
    expect(device.sockets.localFor(from).host).toBe(asked);
    device.sockets.send(text('y'), from);
    return answer;
  };
  expect(await answeredFrom('127.0.0.2')).toBe('127.0.0.2');
  expect(await answeredFrom('127.0.0.1')).toBe('127.0.0.1');
  peer.close();
});
