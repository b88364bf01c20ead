/** RFC 3263 against a DNS that answers what the test says, late, falsely or not at all. */
import { describe, expect, test } from 'vitest';
import type { Resolve } from '../../../../firmware/sip/contracts.ts';
import { type Hop, printHop, type TransportName } from '../../../../firmware/sip/hop.ts';
import { nameLimit } from '../../../../firmware/sip/locate/cache.ts';
import {
  addressPatience,
  avoidMs,
  hopLimit,
  Locator,
  servicePatience,
} from '../../../../firmware/sip/locate/locator.ts';
import type { Naptr, Services, Srv } from '../../../../firmware/sip/locate/services.ts';
import { isMalformed } from '../../../../firmware/sip/message/message.ts';
import { parseUri } from '../../../../firmware/sip/message/uri.ts';
import { seeded } from '../../../sim/seeded.ts';
import { VirtualClock } from '../../../sim/virtual-clock.ts';

interface Zone {
  naptr?: Record<string, Partial<Naptr>[]>;
  srv?: Record<string, Partial<Srv>[]>;
  a?: Record<string, string[]>;
}

const ttlMs = 60_000;

function dns(zone: Zone, { seed = 1, hasStreams = true } = {}) {
  const clock = new VirtualClock();
  const asked: string[] = [];
  /** 'gone': says nothing; 'fails': SERVFAIL. */
  const state = { mood: 'well' as 'well' | 'gone' | 'fails' };
  const answer = <Record>(question: string, records: readonly Record[] | undefined, done: (found: never) => void) => {
    asked.push(question);
    if (state.mood === 'gone') return;
    const found = state.mood === 'fails' ? { why: 'DNS: ESERVFAIL' } : { records: records ?? [], ttlMs };
    clock.after(1, () => done(found as never), 'dns');
  };
  const services: Services = {
    naptr: (name, done) =>
      answer(
        `NAPTR ${name}`,
        zone.naptr?.[name]?.map(record => ({ order: 1, preference: 1, flags: 's', ...record })),
        done,
      ),
    srv: (name, done) =>
      answer(
        `SRV ${name}`,
        zone.srv?.[name]?.map(record => ({ priority: 1, weight: 0, port: 5060, ...record })),
        done,
      ),
  };
  const resolve: Resolve = (host, port = 0, done) => {
    asked.push(`A ${host}`);
    if (state.mood === 'gone') return;
    const found = state.mood === 'well' ? (zone.a?.[host] ?? []) : [];
    const why = state.mood === 'well' ? `no such host: ${host}` : 'DNS: ESERVFAIL';
    const addresses = found.map(address => ({ host: address, port }));
    clock.after(
      1,
      () => done(addresses, found.length > 0 ? undefined : why, state.mood === 'well' ? ttlMs : undefined),
      'dns',
    );
  };
  const locator = new Locator({ clock, random: seeded(seed), resolve, services, hasStreams });
  const find = (text: string, preferred?: TransportName) => {
    const uri = parseUri(text);
    if (isMalformed(uri)) throw new Error(uri.why);
    const told: { hops: readonly Hop[]; why: string | undefined }[] = [];
    locator.locate(uri, preferred, (hops, why) => told.push({ hops, why }));
    clock.advance(20);
    return told;
  };
  const hops = (text: string, preferred?: TransportName) => find(text, preferred)[0]?.hops.map(printHop);
  return { clock, asked, state, locator, services, find, hops };
}

const whole: Zone = {
  naptr: {
    'example.org': [
      { order: 20, service: 'SIP+D2U', replacement: '_sip._udp.example.org' },
      { order: 10, preference: 2, service: 'SIP+D2T', replacement: '_sip._tcp.example.org' },
      { order: 10, preference: 1, service: 'SIPS+D2T', replacement: '_sips._tcp.example.org' },
      { order: 1, service: 'E2U+sip', replacement: 'elsewhere.example.org' },
    ],
  },
  srv: {
    '_sip._udp.example.org': [{ target: 'a.example.org', port: 5070 }],
    '_sip._tcp.example.org': [{ target: 'b.example.org', port: 5080 }],
    '_sips._tcp.example.org': [{ target: 'b.example.org', port: 5081 }],
  },
  a: { 'a.example.org': ['192.0.2.1', '2001:db8::1'], 'b.example.org': ['192.0.2.2'], 'example.org': ['192.0.2.3'] },
};

describe('what is asked (RFC 3263 §4.1, §4.2)', () => {
  test.each([
    ['sip:a@192.0.2.7', ['192.0.2.7:5060']],
    ['sip:a@192.0.2.7:5070;transport=tcp', ['tcp 192.0.2.7:5070']],
    ['sip:a@[2001:db8::7];transport=tls', ['tls [2001:db8::7]:5061']],
    ['sips:a@192.0.2.7', ['tls 192.0.2.7:5061']],
    ['sips:a@192.0.2.7;transport=tcp', ['tls 192.0.2.7:5061']],
    ['sip:a@example.org;maddr=192.0.2.8', ['192.0.2.8:5060']],
  ])('%s: nothing', (uri, expected) => {
    const { hops, asked } = dns(whole);
    expect(hops(uri)).toEqual(expected);
    expect(asked).toEqual([]);
  });

  test('a name with a port: only its addresses, IPv4 and IPv6', () => {
    const { hops, asked } = dns(whole);
    expect(hops('sip:a@a.example.org:5090')).toEqual(['192.0.2.1:5090', '[2001:db8::1]:5090']);
    expect(asked).toEqual(['A a.example.org']);
  });

  test.each(['pbx', 'pbx.local', 'localhost'])('%s, a name of this site alone: only its addresses', host => {
    const { hops, asked } = dns({ a: { [host]: ['192.0.2.1'] } });
    expect(hops(`sip:${host}`)).toEqual(['192.0.2.1:5060']);
    expect(asked).toEqual([`A ${host}`]);
  });

  test('a name with a transport: its SRV records', () => {
    const { hops, asked } = dns(whole);
    expect(hops('sip:example.org;transport=tcp')).toEqual(['tcp 192.0.2.2:5080']);
    expect(asked).toEqual(['SRV _sip._tcp.example.org', 'A b.example.org']);
  });

  test('the transport of the account counts where the URI names none', () => {
    expect(dns(whole).hops('sip:example.org', 'tcp')).toEqual(['tcp 192.0.2.2:5080']);
    expect(dns(whole).hops('sip:example.org;transport=udp', 'tcp')?.[0]).toBe('192.0.2.1:5070');
  });

  test('a bare name: NAPTR in its order, then all their SRV records', () => {
    expect(dns(whole).hops('sip:example.org')).toEqual([
      'tls 192.0.2.2:5081',
      'tcp 192.0.2.2:5080',
      '192.0.2.1:5070',
      '[2001:db8::1]:5070',
    ]);
  });

  test('sips asks for TLS alone', () => {
    expect(dns(whole).hops('sips:example.org')).toEqual(['tls 192.0.2.2:5081']);
  });

  test('without NAPTR the SRV records of each transport; without those the addresses, over UDP', () => {
    expect(dns({ ...whole, naptr: {} }).hops('sip:example.org')?.[0]).toBe('192.0.2.1:5070');
    const plain = dns({ a: whole.a! });
    expect(plain.hops('sip:example.org')).toEqual(['192.0.2.3:5060']);
    expect(plain.hops('sips:example.org')).toEqual(['tls 192.0.2.3:5061']);
  });

  test('the certificate must be for the domain of the URI, whatever DNS calls the server (RFC 5922 §4)', () => {
    expect(dns(whole).find('sips:Example.org')[0]!.hops[0]).toMatchObject({ host: '192.0.2.2', domain: 'example.org' });
  });

  test('a device with UDP alone neither asks for nor reaches anything else', () => {
    const { hops, find } = dns(whole, { hasStreams: false });
    expect(hops('sip:example.org')).toEqual(['192.0.2.1:5070', '[2001:db8::1]:5070']);
    expect(find('sip:example.org;transport=tcp')).toEqual([{ hops: [], why: 'only SIP over UDP can be reached' }]);
  });

  test.each([
    ['sip:example.org;transport=sctp', 'transport sctp is not supported'],
    ['sips:example.org;transport=udp', 'sips cannot be reached over UDP'],
    ['sip:nowhere.example', 'no such host: nowhere.example'],
  ])('%s leads nowhere: %s', (uri, why) => {
    expect(dns(whole).find(uri)).toEqual([{ hops: [], why }]);
  });
});

describe('the order of servers (RFC 2782)', () => {
  const servers = (records: Partial<Srv>[]): Zone => ({
    srv: { '_sip._tcp.example.org': records },
    a: Object.fromEntries(records.map(({ target }) => [target!, [`192.0.2.${target!.charCodeAt(0) - 96}`]])),
  });

  test('is that of their priority', () => {
    const zone = servers([
      { target: 'c', priority: 30 },
      { target: 'a', priority: 10 },
      { target: 'b', priority: 20 },
    ]);
    expect(dns(zone).hops('sip:example.org;transport=tcp')).toEqual(
      ['1', '2', '3'].map(number => `tcp 192.0.2.${number}:5060`),
    );
  });

  test('is by chance within one, in proportion to the weight', () => {
    const zone = servers([
      { target: 'a', weight: 10 },
      { target: 'b', weight: 30 },
      { target: 'c', weight: 0 },
    ]);
    const firsts = { a: 0, b: 0, c: 0 };
    for (let seed = 1; seed <= 2_000; seed++) {
      const order = dns(zone, { seed }).hops('sip:example.org;transport=tcp')!;
      expect(order.length).toBe(3);
      firsts[order[0] === 'tcp 192.0.2.1:5060' ? 'a' : order[0] === 'tcp 192.0.2.2:5060' ? 'b' : 'c']++;
    }
    expect(firsts.a).toBeGreaterThan(400);
    expect(firsts.a).toBeLessThan(600);
    expect(firsts.c).toBe(0);
  });

  test('names each server once', () => {
    const zone = servers([{ target: 'a' }, { target: 'a' }, { target: 'b', priority: 2 }]);
    expect(dns(zone).hops('sip:example.org;transport=tcp')?.length).toBe(2);
  });

  test('has no end beyond 8 hops', () => {
    const many = Array.from({ length: 14 }, (_, index) => ({ target: String.fromCharCode(97 + index) }));
    expect(dns(servers(many)).hops('sip:example.org;transport=tcp')?.length).toBe(hopLimit);
  });
});

describe('a server that failed', () => {
  const zone: Zone = { a: { 'pbx.example': ['192.0.2.1', '192.0.2.2'] } };

  test('comes last for a minute, and then first again', () => {
    const { hops, locator, clock } = dns(zone);
    locator.avoid({ host: '192.0.2.1', port: 5060 });
    expect(hops('sip:pbx.example:5060')).toEqual(['192.0.2.2:5060', '192.0.2.1:5060']);
    clock.advance(avoidMs);
    expect(hops('sip:pbx.example:5060')?.[0]).toBe('192.0.2.1:5060');
  });

  test('comes last for longer each time, up to ten minutes', () => {
    const { hops, locator, clock } = dns(zone);
    for (const minutes of [1, 2, 4, 8, 10, 10]) {
      locator.avoid({ host: '192.0.2.1', port: 5060 });
      clock.advance(minutes * 60_000 - 1_000);
      expect(hops('sip:pbx.example:5060')?.[0], `${minutes} min`).toBe('192.0.2.2:5060');
      clock.advance(1_000);
      expect(hops('sip:pbx.example:5060')?.[0], `${minutes} min`).toBe('192.0.2.1:5060');
    }
  });

  test('that asks for a time is left alone for that, and ten minutes at most', () => {
    const { hops, locator, clock } = dns(zone);
    for (const [askedMs, waitMs] of [
      [0, 0],
      [5_000, 5_000],
      [9e9, 600_000],
    ] as const) {
      locator.avoid({ host: '192.0.2.1', port: 5060 }, askedMs);
      clock.advance(waitMs);
      expect(hops('sip:pbx.example:5060')?.[0]).toBe('192.0.2.1:5060');
    }
  });

  test('comes first again as soon as it answers', () => {
    const { hops, locator } = dns(zone);
    locator.avoid({ host: '192.0.2.1', port: 5060 });
    locator.trust({ host: '192.0.2.1', port: 5060 });
    expect(hops('sip:pbx.example:5060')?.[0]).toBe('192.0.2.1:5060');
  });

  test('is still tried where there is no other', () => {
    const { hops, locator } = dns(zone);
    for (const host of ['192.0.2.1', '192.0.2.2']) locator.avoid({ host, port: 5060 });
    expect(hops('sip:pbx.example:5060')).toEqual(['192.0.2.1:5060', '192.0.2.2:5060']);
  });
});

describe('answers are kept', () => {
  test('as long as their TTL says, absent records too', () => {
    const { hops, asked, clock } = dns({ a: whole.a! });
    hops('sip:example.org');
    const first = asked.splice(0);
    hops('sip:EXAMPLE.org');
    expect(asked).toEqual([]);
    clock.advance(ttlMs);
    hops('sip:example.org');
    expect(asked).toEqual(first);
  });

  test('for the last 256 names', () => {
    const { hops, asked } = dns(whole);
    for (let count = 0; count < nameLimit + 10; count++) hops(`sip:host-${count}.example:5060`);
    asked.splice(0);
    hops('sip:host-0.example:5060');
    hops(`sip:host-${nameLimit + 9}.example:5060`);
    expect(asked).toEqual(['A host-0.example']);
  });

  test('a question under way is not asked twice', () => {
    const { locator, asked, clock } = dns(whole);
    const uri = parseUri('sip:a.example.org:5060');
    let told = 0;
    for (let count = 0; count < 5; count++) if (!isMalformed(uri)) locator.locate(uri, undefined, () => told++);
    clock.advance(10);
    expect([told, asked]).toEqual([5, ['A a.example.org']]);
  });
});

describe('a DNS', () => {
  test.each(['gone', 'fails'] as const)('that is %s: what was known counts, though outdated', mood => {
    const { hops, state, clock, find } = dns(whole);
    const before = hops('sip:example.org;transport=tcp');
    state.mood = mood;
    clock.advance(3_600_000);
    const told = find('sip:example.org;transport=tcp');
    clock.advance(servicePatience.limitMs + addressPatience.limitMs);
    expect(told[0]?.hops.map(printHop)).toEqual(before);
    // And the next call does not wait for it again.
    expect(hops('sip:example.org;transport=tcp')).toEqual(before);
  });

  test('that is gone and never was there: the call fails within 7 s and says why', () => {
    const { find, state, clock } = dns(whole);
    state.mood = 'gone';
    const told = find('sip:example.org');
    clock.advance(servicePatience.limitMs + addressPatience.limitMs);
    expect(told).toEqual([{ hops: [], why: 'example.org: DNS does not answer' }]);
    expect(clock.armed).toEqual([]);
  });

  test('that knows only addresses, and is silent about the rest, costs 2 s once a minute', () => {
    const { find, hops, clock, services } = dns(whole);
    services.naptr = () => {};
    const told = find('sip:example.org');
    clock.advance(servicePatience.limitMs);
    expect(told[0]?.hops.map(printHop)).toEqual(['192.0.2.3:5060']);
    clock.advance(50_000);
    expect(hops('sip:example.org')).toEqual(['192.0.2.3:5060']);
  });

  test('that comes back is asked again', () => {
    const { hops, state, clock } = dns(whole);
    state.mood = 'gone';
    hops('sip:a.example.org:5060');
    clock.advance(20_000);
    state.mood = 'well';
    expect(hops('sip:a.example.org:5060')?.[0]).toBe('192.0.2.1:5060');
  });

  test('that says the service is not there is believed, whatever addresses the name has', () => {
    const zone: Zone = { ...whole, naptr: {}, srv: { '_sips._tcp.example.org': [{ target: '.' }] } };
    expect(dns(zone).find('sips:example.org')[0]).toEqual({
      hops: [],
      why: '_sips._tcp.example.org: DNS says there is no such service',
    });
  });

  test.each<[string, Partial<Srv>]>([
    ['port 0', { target: 'a.example.org', port: 0 }],
    ['a port above 65535', { target: 'a.example.org', port: 70_000 }],
    ['a target that does not exist', { target: 'nowhere.example' }],
  ])('that names %s beside a sound server: the sound one is found', (_, record) => {
    const zone: Zone = {
      srv: { '_sip._tcp.example.org': [record, { target: 'b.example.org', priority: 9 }] },
      a: whole.a!,
    };
    expect(dns(zone).hops('sip:example.org;transport=tcp')).toEqual(['tcp 192.0.2.2:5060']);
  });

  test('that names nothing sound falls back to the addresses', () => {
    const zone: Zone = { srv: { '_sip._tcp.example.org': [{ target: 'nowhere.example' }] }, a: whole.a! };
    expect(dns(zone).hops('sip:example.org;transport=tcp')).toEqual(['tcp 192.0.2.3:5060']);
  });
});
