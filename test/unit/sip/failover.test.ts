/** Several servers of one name: who is asked, who is passed over, and the way back to the preferred one. */
import { expect, test } from 'vitest';
import { avoidMs } from '../../../firmware/sip/locate/locator.ts';
import type { Services, Srv } from '../../../firmware/sip/locate/services.ts';
import { LossyNetwork, presets } from '../../sim/lossy-network.ts';
import { ScriptedPeer } from '../../sim/scripted-peer.ts';
import { seeded } from '../../sim/seeded.ts';
import { Phone, type PhoneOptions, sdp } from '../../sim/sip-phone.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

const address = { host: '192.0.2.1', port: 5060 };
const first = { host: '192.0.2.11', port: 5060 };
const second = { host: '192.0.2.12', port: 5060 };
const hosts = { 'a.pbx.example': [first], 'b.pbx.example': [second] };
const main = { aor: 'sip:front@pbx.example', expiresMs: 3_600_000 };

/** SRV records, the first preferred unless the priorities say otherwise. */
function srv(...priorities: [number, number]): Services {
  const records: Srv[] = ['a', 'b'].map((name, index) => ({
    priority: priorities[index]!,
    weight: 0,
    port: 5060,
    target: `${name}.pbx.example`,
  }));
  return {
    naptr: (_, done) => done({ records: [], ttlMs: 60_000 }),
    srv: (name, done) => done({ records: name === '_sip._udp.pbx.example' ? records : [], ttlMs: 60_000 }),
  };
}

function site(options: Partial<PhoneOptions> = {}) {
  const clock = new VirtualClock();
  const network = new LossyNetwork(clock, seeded(1), presets.perfect);
  const servers = [first, second].map(at => new ScriptedPeer(network, at)) as [ScriptedPeer, ScriptedPeer];
  const answers = (server: ScriptedPeer) => {
    server.onRequest = request => {
      if (request.method === 'ACK') return;
      const headers = [['Contact', request.headers.get('Contact') ?? '<sip:desk@pbx.example>']] as const;
      const body = request.method === 'INVITE' ? { body: sdp('answer') } : {};
      server.reply(request, 200, { headers, tag: server.address.host, ...body });
    };
  };
  const silent = (server: ScriptedPeer) => {
    server.onRequest = () => {};
  };
  const phone = new Phone(clock, network, { address, account: main, services: srv(1, 2), hosts, ...options });
  return { clock, phone, servers, answers, silent };
}

const registered = { ...main, register: true };
const count = (server: ScriptedPeer, method: string) => server.requests(method).length;

test('a server that says nothing costs 4 s, not 32, where there is another', () => {
  const { clock, phone, servers, answers } = site();
  answers(servers[1]);
  phone.dial('sip:desk@pbx.example');
  clock.advance(3_900);
  expect(count(servers[1], 'INVITE')).toBe(0);
  clock.advance(200);
  expect(phone.heard).toEqual(['answered answer']);
});

test('how long a silent server is waited for can be set', () => {
  const { clock, phone, servers, answers } = site({ settings: { serverTimeoutMs: 1_000 } });
  answers(servers[1]);
  phone.dial('sip:desk@pbx.example');
  clock.advance(1_100);
  expect(phone.heard).toEqual(['answered answer']);
});

test('the only server is waited for as long as the RFC says', () => {
  const { clock, phone } = site();
  phone.dial('sip:desk@192.0.2.11');
  clock.advance(31_900);
  expect(phone.heard).toEqual([]);
  clock.advance(200);
  expect(phone.heard).toEqual(['ended by failure no answer from 192.0.2.11:5060']);
});

test('a server that was passed over is not sent the INVITE again, and is cancelled when it wakes', () => {
  const { clock, phone, servers, answers } = site();
  answers(servers[1]);
  phone.dial('sip:desk@pbx.example');
  clock.advance(4_100);
  const copies = count(servers[0], 'INVITE');
  clock.advance(5_000);
  expect(count(servers[0], 'INVITE')).toBe(copies);
  servers[0].reply(servers[0].requests('INVITE')[0]!, 180, { tag: 'late' });
  clock.advance(100);
  expect(count(servers[0], 'CANCEL')).toBe(1);
  // Nobody was told of the late ringing.
  expect(phone.heard).toEqual(['answered answer']);
});

test('who answers at a server that was passed over is told in the same breath that it is over', () => {
  const { clock, phone, servers, answers, silent } = site();
  answers(servers[1]);
  phone.dial('sip:desk@pbx.example');
  clock.advance(4_100);
  const [invite] = servers[0].requests('INVITE');
  servers[0].onRequest = request => request.method === 'BYE' && servers[0].reply(request, 200);
  const contact = { headers: [['Contact', '<sip:desk@192.0.2.11>']] as const, tag: 'late', body: sdp('late answer') };
  servers[0].reply(invite!, 200, contact);
  clock.advance(100);
  servers[0].reply(invite!, 200, contact);
  clock.advance(100);
  expect(servers[0].requests('ACK').map(({ headers }) => headers.get('CSeq'))).toEqual(['1 ACK', '1 ACK']);
  expect(servers[0].requests('BYE').map(({ headers }) => headers.get('Reason'))).toEqual([
    'SIP;cause=200;text="Call completed elsewhere"',
  ]);
  expect(phone.heard).toEqual(['answered answer']);
  silent(servers[0]);
  phone.call!.hangUp();
  clock.advance(100_000);
  expect(phone.userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
});

test('a call that is hung up while it waits for a silent server goes to no other', () => {
  const { clock, phone, servers, answers } = site();
  answers(servers[1]);
  phone.dial('sip:desk@pbx.example');
  clock.advance(1_000);
  phone.call!.hangUp();
  clock.advance(100_000);
  expect(count(servers[1], 'INVITE')).toBe(0);
  expect(phone.userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
});

test('calls go where the account is registered, and what is preferred is tried again by REGISTER alone', () => {
  const { clock, phone, servers, answers } = site({ account: registered });
  answers(servers[1]);
  clock.advance(5_000);
  expect(phone.registrations.at(-1)).toMatchObject({ is: 'registered' });
  expect(count(servers[1], 'REGISTER')).toBe(1);
  // The first is back, and its time out has ended.
  answers(servers[0]);
  clock.advance(avoidMs - 2_000);
  phone.dial('sip:desk@pbx.example');
  clock.advance(100);
  expect(count(servers[1], 'INVITE')).toBe(1);
  phone.call!.hangUp();
  const before = count(servers[0], 'REGISTER');
  clock.advance(8_000);
  expect(count(servers[0], 'REGISTER')).toBe(before + 1);
  phone.dial('sip:desk@pbx.example');
  clock.advance(100);
  expect(count(servers[0], 'INVITE')).toBe(1);
});

test('while the preferred server stays away it is tried ever more seldom, and the registration lasts', () => {
  const { clock, phone, servers, answers } = site({ account: registered });
  answers(servers[1]);
  clock.advance(3_600_000);
  const tries = new Set(servers[0].requests('REGISTER').map(({ headers }) => headers.get('CSeq')));
  // At once, after 1, 2, 4, 8 min, then each 10.
  expect(tries.size).toBeGreaterThan(5);
  expect(tries.size).toBeLessThan(11);
  expect(phone.registrations.every(({ is }) => is !== 'failed')).toBe(true);
});

test('of servers that are equals the one that has our registration keeps it', () => {
  const { clock, servers, answers } = site({ account: { ...registered, expiresMs: 60_000 }, services: srv(1, 1) });
  for (const server of servers) answers(server);
  clock.advance(3_600_000);
  const counts = servers.map(server => count(server, 'REGISTER')).sort((a, b) => a - b);
  expect(counts[0]).toBe(0);
  expect(counts[1]).toBeGreaterThan(50);
});
