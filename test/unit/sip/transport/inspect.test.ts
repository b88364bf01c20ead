import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { createSecureContext, createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../../firmware/lib/clock.ts';
import type { TransportName } from '../../../../firmware/sip/hop.ts';
import { type Inspected, inspectConnection } from '../../../../firmware/sip/transport/inspect.ts';
import { Authority } from '../../../sim/certificates.ts';

let authority: Authority;
beforeAll(() => {
  authority = new Authority();
});
afterAll(() => authority.stop());

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listening(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const tlsServer = (names: string) => {
  const { certificate, key } = authority.sign(`inspected-${names.replaceAll(/\W/g, '-')}`, names);
  return listening(createTlsServer({ cert: readFileSync(certificate), key: readFileSync(key) }, () => {}));
};

const look = (port: number, transport: TransportName, { domain = 'pbx.example', trusting = true } = {}) =>
  new Promise<Inspected>(resolve => {
    const context = () => createSecureContext(trusting ? { ca: readFileSync(authority.ca) } : { ca: [] });
    const to = { host: '127.0.0.1', port, transport, domain };
    inspectConnection({ clock: systemClock, localAddress: undefined, context }, to, resolve);
  });

test('a TCP port that takes connections', async () => {
  const port = await listening(createServer(socket => socket.on('error', () => {})));
  expect(await look(port, 'tcp')).toEqual({ openMs: expect.any(Number) });
});

test('one that refuses them', async () => {
  const port = await listening(createServer());
  await new Promise(resolve => servers.pop()!.close(resolve));
  expect(await look(port, 'tcp')).toMatchObject({ why: `127.0.0.1:${port} refuses TCP connections` });
});

test('a certificate that is right is shown', async () => {
  const found = await look(await tlsServer('DNS:pbx.example'), 'tls');
  expect(found).toEqual({
    openMs: expect.any(Number),
    tls: expect.stringMatching(/^TLSv1\.3, certificate for pbx\.example, signed by .+, valid until \d{4}-\d\d-\d\d$/),
  });
});

test('one for another name, and one of an unknown authority, are shown with why they do not count', async () => {
  const port = await tlsServer('DNS:other.example');
  expect(await look(port, 'tls')).toMatchObject({
    tls: expect.stringContaining('certificate for other.example'),
    why: 'the certificate of pbx.example is for other.example',
  });
  expect(await look(port, 'tls', { domain: 'other.example', trusting: false })).toMatchObject({
    tls: expect.stringContaining('certificate for other.example'),
    why: expect.stringContaining('signed by nobody this device knows'),
  });
});

test('a port that does not speak TLS', async () => {
  const port = await listening(
    createServer(socket => {
      socket.on('error', () => {});
      socket.end('SIP/2.0 400 Bad Request\r\n\r\n');
    }),
  );
  expect(await look(port, 'tls')).toMatchObject({ why: expect.stringContaining('does not speak TLS') });
});
