/** Names to addresses. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Address } from '../../../../firmware/lib/address.ts';
import { systemClock } from '../../../../firmware/lib/clock.ts';
import { systemRandom } from '../../../../firmware/lib/random.ts';
import { type Hop, printHop } from '../../../../firmware/sip/hop.ts';
import { DnsClient } from '../../../../firmware/sip/locate/dns-client.ts';
import { Locator } from '../../../../firmware/sip/locate/locator.ts';
import type { Found, Naptr, Srv } from '../../../../firmware/sip/locate/services.ts';
import { systemResolve } from '../../../../firmware/sip/locate/system.ts';
import { parseUri } from '../../../../firmware/sip/message/uri.ts';
import { seeded } from '../../../sim/seeded.ts';
import { startDnsServer } from './dns-server.ts';

const find = (host: string, port?: number) =>
  new Promise<{ addresses: readonly Address[]; why: string | undefined }>(resolve =>
    systemResolve(host, port, (addresses, why) => resolve({ addresses, why })),
  );

test.each(['192.0.2.1', '2001:db8::1'])('%s is itself, at once', host => {
  let found: readonly Address[] = [];
  systemResolve(host, undefined, addresses => {
    found = addresses;
  });
  expect(found).toEqual([{ host, port: 5060 }]);
});

test('a name has the port that was asked for', async () => {
  const { addresses } = await find('localhost', 5070);
  expect(addresses.length).toBeGreaterThan(0);
  expect(addresses.every(({ port }) => port === 5070)).toBe(true);
});

test('a name that cannot be found says why', async () => {
  const { addresses, why } = await find('no-such-host.invalid');
  expect(addresses).toEqual([]);
  expect(why).toContain('no-such-host.invalid');
});

describe('service records of a real DNS server', () => {
  const services = new DnsClient({ clock: systemClock, random: systemRandom, servers: () => [server.address] });
  let server: Awaited<ReturnType<typeof startDnsServer>>;
  beforeAll(async () => {
    server = await startDnsServer({
      'NAPTR example.test': [{ naptr: [10, 20, 's', 'SIP+D2T', '_sip._tcp.example.test'] }],
      'SRV _sip._tcp.example.test': [{ srv: [1, 2, 5070, 'a.example.test'] }, { srv: [3, 4, 5071, 'b.example.test'] }],
      'SRV _sip._udp.example.test': [],
      'SRV _sips._tcp.example.test': [{ srv: [0, 0, 0, '.'] }],
      'SRV broken.example.test': 'SERVFAIL',
    });
  });
  afterAll(() => server.stop());

  const srv = (name: string) => new Promise<Found<Srv>>(resolve => services.srv(name, resolve));
  const ttlMs = 60_000;

  test('NAPTR', async () => {
    const found = await new Promise<Found<Naptr>>(resolve => services.naptr('example.test', resolve));
    expect(found).toEqual({
      records: [{ order: 10, preference: 20, flags: 's', service: 'SIP+D2T', replacement: '_sip._tcp.example.test' }],
      ttlMs,
    });
  });

  test('SRV', async () => {
    expect(await srv('_sip._tcp.example.test')).toEqual({
      records: [
        { priority: 1, weight: 2, port: 5070, target: 'a.example.test' },
        { priority: 3, weight: 4, port: 5071, target: 'b.example.test' },
      ],
      ttlMs,
    });
  });

  test.each(['_sip._udp.example.test', 'absent.example.test'])('%s: none is an answer', async name => {
    expect(await srv(name)).toEqual({ records: [], ttlMs: 30_000 });
  });

  test('a service that is decidedly not there has a target without a name', async () => {
    expect(await srv('_sips._tcp.example.test')).toMatchObject({ records: [{ target: '' }] });
  });

  test('a failure of the server is none', async () => {
    expect(await srv('broken.example.test')).toEqual({
      why: expect.stringMatching(/^DNS: the name server .* has failed/),
    });
  });

  test('a locator finds its way by them', async () => {
    const locator = new Locator({
      clock: systemClock,
      random: seeded(1),
      resolve: (host, port = 0, done) => done([{ host: host === 'a.example.test' ? '192.0.2.1' : '192.0.2.2', port }]),
      services,
      hasStreams: true,
    });
    const uri = parseUri('sip:desk@example.test');
    const hops = await new Promise<readonly Hop[]>(resolve => 'host' in uri && locator.locate(uri, undefined, resolve));
    expect(hops.map(printHop)).toEqual(['tcp 192.0.2.1:5070', 'tcp 192.0.2.2:5071']);
  });
});
