/** The user agent where there is TCP and TLS beside UDP: which is taken, what a message says of it, what a break does. */
import { describe, expect, test } from 'vitest';
import { recoveryMs } from '../../../firmware/sip/registration-pace.ts';
import { connectionLimit } from '../../../firmware/sip/transport/connections.ts';
import { LossyNetwork, presets } from '../../sim/lossy-network.ts';
import { ScriptedPeer } from '../../sim/scripted-peer.ts';
import { seeded } from '../../sim/seeded.ts';
import { sipDesk } from '../../sim/sip-desk.ts';
import { Phone, type PhoneOptions, sdp } from '../../sim/sip-phone.ts';
import { StreamNetwork } from '../../sim/stream-network.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

const a = { host: '192.0.2.1', port: 5060 };
const b = { host: '192.0.2.2', port: 5060 };

function scene(options: Partial<PhoneOptions> = {}, chance = seeded(3)) {
  const clock = new VirtualClock();
  const network = new LossyNetwork(clock, seeded(1), presets.perfect);
  const streams = new StreamNetwork(clock, chance);
  const caller = new Phone(clock, network, { address: a, streams, ...options });
  const callee = new Phone(clock, network, { address: b, streams, seed: 2 });
  callee.onInvite = ({ call }) => {
    call.ring();
    call.accept(sdp('answer'));
  };
  const spoken: string[] = [];
  streams.tap = bytes => spoken.push(`\n${Buffer.from(bytes).toString('latin1')}`);
  return { clock, network, streams, caller, callee, spoken };
}

const field = (message: string, name: string) => new RegExp(`^${name}: (.*?)\r?$`, 'm').exec(message)?.[1];

describe.each([
  ['tcp', 'sip:user@192.0.2.2;transport=tcp', 'SIP/2.0/TCP 192.0.2.1:5060', '<sip:user@192.0.2.1:5060;transport=tcp>'],
  ['tls', 'sip:user@192.0.2.2;transport=tls', 'SIP/2.0/TLS 192.0.2.1:5061', '<sip:user@192.0.2.1:5061;transport=tls>'],
  ['tls', 'sips:user@192.0.2.2', 'SIP/2.0/TLS 192.0.2.1:5061', '<sips:user@192.0.2.1:5061>'],
])('a call over %s to %s', (_, target, via, contact) => {
  test('says so in Via and Contact, and nothing of it goes by UDP', () => {
    const { clock, network, caller, callee, spoken } = scene();
    caller.dial(target);
    clock.advance(1_000);
    expect(caller.heard).toEqual(['progress 180', 'answered answer']);
    const invite = spoken.find(text => text.includes('\nINVITE '))!;
    expect(field(invite, 'Via')).toMatch(new RegExp(`^${via};`));
    expect(field(invite, 'Contact')).toBe(contact);
    callee.call!.hangUp();
    clock.advance(1_000);
    expect(caller.heard.at(-1)).toBe('ended by them');
    expect(network.trace).toEqual([]);
  });

  test('sends nothing twice to a peer that is slow to answer (§17.1.1.2)', () => {
    const { clock, caller, callee, spoken } = scene();
    callee.onInvite = () => {};
    caller.dial(target);
    clock.advance(20_000);
    expect(spoken.filter(text => text.includes('\nINVITE ')).length).toBe(1);
  });

  test('leaves no transaction behind when it has ended', () => {
    const { clock, caller, callee } = scene();
    caller.dial(target);
    clock.advance(1_000);
    caller.call!.hangUp();
    clock.advance(33_000);
    for (const { userAgent } of [caller, callee])
      expect(userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
  });
});

describe.each(['', ';transport=tcp'])('a call from IPv6 to IPv6%s', parameter => {
  test('has its literals in brackets, and goes its way', () => {
    const clock = new VirtualClock();
    const network = new LossyNetwork(clock, seeded(1), presets.perfect);
    const streams = new StreamNetwork(clock, seeded(3));
    const [caller, callee] = [1, 2].map(
      number =>
        new Phone(clock, network, { address: { host: `2001:db8::${number}`, port: 5060 }, streams, seed: number }),
    ) as [Phone, Phone];
    callee.onInvite = ({ call }) => call.accept(sdp('answer'));
    caller.dial(`sip:user@[2001:db8::2]${parameter}`);
    clock.advance(1_000);
    expect(caller.heard).toEqual(['answered answer']);
    expect(callee.invite?.header('Via')[0]).toMatch(/^SIP\/2.0\/(UDP|TCP) \[2001:db8::1\]:5060;/);
    expect(callee.invite?.header('Contact')[0]).toBe(`<sip:user@[2001:db8::1]:5060${parameter}>`);
    expect(callee.invite?.source.host).toBe('2001:db8::1');
    callee.call!.hangUp();
    clock.advance(1_000);
    expect(caller.heard.at(-1)).toBe('ended by them');
  });
});

describe('a request above 1300 bytes (§18.1.1)', () => {
  const large = sdp('x'.repeat(1_300));
  const firstTransports = (spoken: readonly string[], network: LossyNetwork) => [
    spoken.filter(text => text.includes('\nINVITE ')).length,
    network.trace.filter(line => line.includes('INVITE ')).length,
  ];

  test('goes by TCP, and its Via says so', () => {
    const { clock, caller, network, spoken } = scene();
    caller.dial('sip:user@192.0.2.2', { body: large });
    clock.advance(1_000);
    expect(caller.heard.at(-1)).toBe('answered answer');
    expect(firstTransports(spoken, network)).toEqual([1, 0]);
    expect(field(spoken.find(text => text.includes('\nINVITE '))!, 'Via')).toMatch(/^SIP\/2.0\/TCP/);
  });

  test('stays with UDP where the account says udp: a firewall that swallows TCP must not delay a call', () => {
    const account = {
      id: 'pbx',
      aor: 'sip:door@192.0.2.2',
      register: false,
      expiresMs: 60_000,
      transport: 'udp',
    } as const;
    const { clock, caller, network, spoken } = scene({ account });
    caller.dial('sip:user@192.0.2.2', { body: large });
    clock.advance(1_000);
    expect(caller.heard.at(-1)).toBe('answered answer');
    expect(firstTransports(spoken, network)).toEqual([0, 1]);
  });

  test.each(['refuses', 'swallows'] as const)('goes by UDP where the peer %s TCP, and soon knows', mood => {
    const { clock, caller, callee, network, spoken, streams } = scene();
    callee.streams!.stop();
    streams.moods.set('tcp 192.0.2.2:5060', mood);
    caller.dial('sip:user@192.0.2.2', { body: large });
    clock.advance(5_000);
    expect(caller.heard.at(-1)).toBe('answered answer');
    expect(network.trace.filter(line => line.includes('INVITE ')).length).toBe(1);
    caller.call!.hangUp();
    clock.advance(1_000);
    const asked = streams.asked.length;
    caller.dial('sip:user@192.0.2.2', { body: large });
    clock.advance(100);
    expect(caller.heard.at(-1)).toBe('answered answer');
    expect(streams.asked.length).toBe(asked);
    expect(spoken.filter(text => text.includes('\nINVITE ')).length).toBe(1);
  });
});

test('a server that refuses by TCP with 503 and no pause is asked once by TCP and once by UDP', () => {
  const { clock, caller, callee } = scene();
  callee.onInvite = ({ call }) => call.refuse(503, undefined, [['Retry-After', '0']]);
  caller.dial('sip:user@192.0.2.2', { body: sdp('x'.repeat(1_300)) });
  clock.advance(10_000);
  expect(caller.heard).toEqual(['ended by refusal 503']);
  expect(callee.ends.length).toBe(2);
});

describe('servers (RFC 3263 §4.3)', () => {
  const pbx = [1, 2].map(number => ({ host: `192.0.2.10${number}`, port: 5060 }));
  function twoServers() {
    const all = scene({ hosts: { 'pbx.example': pbx } });
    const peers = pbx.map(address => new ScriptedPeer(all.network, address));
    return { ...all, peers };
  }

  test('503 makes the next one try, and the first comes first again after the time that it asked for', () => {
    const { clock, caller, peers } = twoServers();
    const [first, second] = peers as [ScriptedPeer, ScriptedPeer];
    first.onRequest = request => first.reply(request, 503, { headers: [['Retry-After', '120']] });
    second.onRequest = request => request.method === 'INVITE' && second.reply(request, 486);
    caller.dial('sip:desk@pbx.example:5060');
    clock.advance(1_000);
    expect(caller.heard).toEqual(['ended by refusal 486']);
    const vias = [first, second].map(peer => peer.requests('INVITE')[0]!.headers.get('Via'));
    expect(new Set(vias).size).toBe(2);
    for (const [afterMs, firstHeard] of [
      [0, 1],
      [120_000, 2],
    ] as const) {
      clock.advance(afterMs);
      caller.dial('sip:desk@pbx.example:5060');
      clock.advance(1_000);
      expect(first.requests('INVITE').length).toBe(firstHeard);
    }
  });

  test('silence makes the next one try after 32 s, and the next call does not wait', () => {
    const { clock, caller, peers } = twoServers();
    const [first, second] = peers as [ScriptedPeer, ScriptedPeer];
    second.onRequest = request => request.method === 'INVITE' && second.reply(request, 486);
    caller.dial('sip:desk@pbx.example:5060');
    clock.advance(33_000);
    expect(caller.heard).toEqual(['ended by refusal 486']);
    const before = first.requests('INVITE').length;
    caller.dial('sip:desk@pbx.example:5060');
    clock.advance(1_000);
    expect(caller.heard.at(-1)).toBe('ended by refusal 486');
    expect(first.requests('INVITE').length).toBe(before);
  });

  test('a refused connection makes the next one try at once, and its words reach the caller when none is left', () => {
    const { clock, caller } = scene({ hosts: { 'pbx.example': pbx } });
    caller.dial('sip:desk@pbx.example:5060;transport=tcp');
    clock.advance(1_000);
    expect(caller.heard).toEqual([
      'ended by failure could not send to tcp 192.0.2.102:5060: 192.0.2.102:5060 refuses TCP connections',
    ]);
  });
});

describe('a registration over TCP', () => {
  function registered(settings: object = {}) {
    const clock = new VirtualClock();
    const network = new LossyNetwork(clock, seeded(1), presets.perfect);
    const streams = new StreamNetwork(clock);
    const { phone: pbx, registrar } = sipDesk(clock, network, b, {}, { streams });
    const account = {
      aor: 'sip:front@192.0.2.2',
      register: true,
      password: 'secret',
      transport: 'tcp' as const,
      ...settings,
    };
    const front = new Phone(clock, network, { address: a, streams, account });
    clock.advance(1_000);
    return { clock, network, streams, pbx, registrar, front };
  }

  test('follows the transport of the account, and its Contact has the port that we listen on', () => {
    const { network, front, registrar } = registered();
    expect(front.registrations.at(-1)).toMatchObject({ is: 'registered' });
    expect(registrar.contactFor('front')).toBe('sip:front@192.0.2.1:5060;transport=tcp');
    expect(network.trace).toEqual([]);
  });

  test('is made again at once where the connection breaks', () => {
    const { clock, streams, front } = registered();
    const before = front.registrations.length;
    clock.advance(60_000);
    expect(front.registrations.length).toBe(before);
    streams.breakAll();
    clock.advance(recoveryMs + 100);
    expect(front.registrations.length).toBe(before + 1);
    expect(front.registrations.at(-1)).toMatchObject({ is: 'registered' });
  });

  test('is tried less and less often while nobody takes the connection', () => {
    const { clock, streams, front, pbx } = registered();
    pbx.streams!.stop();
    streams.breakAll();
    const before = streams.asked.length;
    clock.advance(600_000);
    expect(front.registrations.at(-1)).toMatchObject({ is: expect.stringMatching(/failed|registering/) });
    const attempts = streams.asked.length - before;
    expect(attempts).toBeGreaterThan(3);
    expect(attempts).toBeLessThan(12);
  });

  test('is not made again by the break of a stranger, nor after the stop', () => {
    const { clock, streams, front } = registered();
    const before = front.registrations.length;
    front.userAgent.connectionLost({ host: '192.0.2.77', port: 5060, transport: 'tcp' });
    clock.advance(recoveryMs + 100);
    expect(front.registrations.length).toBe(before);
    front.userAgent.stop(1_000, () => {});
    streams.breakAll();
    clock.advance(recoveryMs + 100);
    expect(front.userAgent.alive.timers).toBe(0);
  });
});

describe('what a registrar says of routes', () => {
  function behind(routes: [string, string][]) {
    const all = scene({ account: { aor: 'sip:front@192.0.2.9', register: true } });
    const peer = new ScriptedPeer(all.network, { host: '192.0.2.9', port: 5060 });
    peer.onRequest = request =>
      request.method === 'REGISTER' ? peer.reply(request, 200, { headers: routes }) : peer.reply(request, 404);
    all.clock.advance(5_000);
    all.caller.dial('sip:desk@example.org');
    all.clock.advance(1_000);
    return { ...all, peer };
  }

  test('Supported: path is offered (RFC 3327 §4.1)', () => {
    expect(behind([]).peer.requests('REGISTER')[0]!.headers.all('Supported')).toContain('path');
  });

  test('calls take the service route (RFC 3608), REGISTER does not', () => {
    const { peer } = behind([['Service-Route', '<sip:192.0.2.9;lr>, <sip:core.example.org;lr>']]);
    const [invite] = peer.requests('INVITE');
    expect(invite!.headers.all('Route')).toEqual(['<sip:192.0.2.9;lr>', '<sip:core.example.org;lr>']);
    expect(invite!.uri).toBe('sip:desk@example.org');
    expect(peer.requests('REGISTER').every(({ headers }) => !headers.has('Route'))).toBe(true);
  });

  test.each([['nonsense'], ['<sip:192.0.2.9>'], ['<tel:1;lr>']])('%s is no service route', value => {
    const { caller, peer } = behind([['Service-Route', value]]);
    expect(peer.requests('INVITE')).toEqual([]);
    expect(caller.heard.at(-1)).toContain('ended by failure');
  });

  test('there is an end to it', () => {
    const { peer } = behind([['Service-Route', Array(40).fill('<sip:192.0.2.9;lr>').join(', ')]]);
    expect(peer.requests('INVITE')[0]!.headers.all('Route').length).toBe(8);
  });
});

test('a flood of connections leaves a call over TCP up, and it can be hung up', () => {
  const { clock, caller, callee, streams } = scene();
  caller.dial('sip:user@192.0.2.2;transport=tcp');
  clock.advance(1_000);
  for (let number = 0; number < 2_000; number++) {
    const stranger = streams.raw(`198.51.100.${number % 250}`, { ...b, transport: 'tcp' });
    stranger.say(['', 'INVITE sip:user@192.0.2.2 SIP/2.0\r\n', '\x16\x03\x01', '\r\n\r\n'][number % 4]!);
    clock.advance(5);
    expect(callee.streams!.connections.size).toBeLessThanOrEqual(connectionLimit);
  }
  caller.call!.hangUp();
  clock.advance(1_000);
  expect(callee.heard.at(-1)).toBe('ended by them');
  clock.advance(60_000);
  expect(callee.streams!.connections.size).toBeLessThanOrEqual(1);
});

test('connections that break at any moment: each call ends once, and nothing outlives it', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const chance = seeded(seed);
    const { clock, caller, callee, streams } = scene({}, seeded(seed + 1));
    callee.onInvite = ({ call }) => {
      call.ring();
      clock.after(40 * chance.next(), () => call.accept(sdp('answer')), 'finger');
    };
    caller.dial('sip:user@192.0.2.2;transport=tcp');
    clock.advance(120 * chance.next());
    streams.breakAll();
    if (chance.next() < 0.3) callee.streams!.stop();
    clock.advance(5_000 * chance.next());
    for (const { call } of [caller, callee]) call?.hangUp();
    clock.advance(300_000);
    for (const { ends, call, userAgent } of [caller, callee]) {
      expect(ends.length, `seed ${seed}`).toBe(call === undefined ? 0 : 1);
      expect(userAgent.alive, `seed ${seed}`).toEqual({ transactions: 0, calls: 0, timers: 0 });
    }
    for (const { streams: wires } of [caller, callee]) wires!.stop();
    clock.advance(1_000_000);
    expect(clock.armed, `seed ${seed}`).toEqual([]);
  }
});
