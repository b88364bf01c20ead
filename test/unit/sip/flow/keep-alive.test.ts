/** The way between registrar and device: held open, watched, and registered anew when it has changed. */
import { describe, expect, test } from 'vitest';
import type { Address } from '../../../../firmware/lib/address.ts';
import type { HeaderFields } from '../../../../firmware/sip/contracts.ts';
import { keepAliveFor } from '../../../../firmware/sip/flow/keep-alive.ts';
import { bindingRequest, bindingSuccess, isStun, parseStun } from '../../../../firmware/sip/flow/stun.ts';
import { answersPerSecond } from '../../../../firmware/sip/flow/stun-endpoint.ts';
import { parseMessage } from '../../../../firmware/sip/message/parse.ts';
import { printMessage } from '../../../../firmware/sip/message/print.ts';
import type { AccountSettings } from '../../../../firmware/sip/settings.ts';
import { makeResponse } from '../../../../firmware/sip/transaction/reply.ts';
import { LossyNetwork, presets } from '../../../sim/lossy-network.ts';
import { seeded } from '../../../sim/seeded.ts';
import { Phone } from '../../../sim/sip-phone.ts';
import { VirtualClock } from '../../../sim/virtual-clock.ts';

const here = { host: '192.0.2.1', port: 5060 };
const there = { host: '192.0.2.2', port: 5060 };

interface Registrar {
  answersStun: boolean;
  mapped: Address;
  /** What it adds to our Via. */
  seenAt?: string;
  headers: HeaderFields;
}

/** A registrar that grants an hour. */
function stage(account: Partial<AccountSettings>, facts: Partial<Registrar> = {}) {
  const clock = new VirtualClock();
  const network = new LossyNetwork(clock, seeded(1), presets.perfect);
  const registrar = {
    answersStun: true,
    mapped: here,
    headers: [] as HeaderFields,
    ...facts,
    registered: [] as string[],
    pings: [] as number[],
    lineEnds: [] as number[],
  };
  network.attach(there, (bytes, from) => {
    if (isStun(bytes)) {
      registrar.pings.push(clock.now());
      const { id } = parseStun(bytes)!;
      if (registrar.answersStun) network.send(bindingSuccess(id, registrar.mapped), there, from);
      return;
    }
    if (Buffer.from(bytes).toString() === '\r\n\r\n') return void registrar.lineEnds.push(clock.now());
    const message = parseMessage(bytes);
    if (message.kind !== 'request') return;
    const contact = message.headers.all('Contact')[0]!;
    registrar.registered.push(contact);
    const expires = ['Contact', `${contact};expires=3600`] as const;
    const response = makeResponse(message, 200, 'r', { headers: [expires, ...registrar.headers] });
    if (registrar.seenAt) response.headers.set('Via', response.headers.get('Via')!.replace('rport', registrar.seenAt));
    network.send(printMessage(response), there, from);
  });
  const phone = new Phone(clock, network, {
    address: here,
    account: { aor: 'sip:front@192.0.2.2', register: true, expiresMs: 3_600_000, ...account },
  });
  clock.advance(100);
  return { clock, network, registrar, phone, userAgent: phone.userAgent };
}

describe('by default', () => {
  test('nothing is sent where the registrar sees us as we see ourselves', () => {
    const { clock, registrar } = stage({});
    clock.advance(600_000);
    expect(registrar.pings.length + registrar.lineEnds.length).toBe(0);
  });

  test('behind a NAT empty lines go every 23 to 29 s', () => {
    const { clock, registrar } = stage({}, { seenAt: 'received=198.51.100.7;rport=40000' });
    clock.advance(3_600_000);
    const pauses = registrar.lineEnds.slice(1).map((at, index) => at - registrar.lineEnds[index]!);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(23_200);
    expect(registrar.lineEnds.length).toBeGreaterThan(10);
    expect(registrar.pings).toEqual([]);
  });

  test('a registrar that names a Flow-Timer is asked by STUN within it', () => {
    const { clock, registrar } = stage({}, { headers: [['Flow-Timer', '10']] });
    clock.advance(100_000);
    const pauses = registrar.pings.slice(1).map((at, index) => at - registrar.pings[index]!);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(8_000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(10_010);
  });
});

describe('by STUN', () => {
  test('another mapped address is registered at once, and told as our Contact', () => {
    const { clock, registrar } = stage({ keepAlive: 'stun' });
    clock.advance(60_000);
    expect(registrar.registered).toHaveLength(1);
    registrar.mapped = { host: '198.51.100.9', port: 40_001 };
    clock.advance(30_000);
    expect(registrar.registered[1]).toContain('198.51.100.9:40001');
  });

  test('a server that falls silent is registered with anew after 15.5 s', () => {
    const { clock, registrar } = stage({ keepAlive: 'stun' });
    clock.advance(60_000);
    registrar.answersStun = false;
    const before = registrar.pings.length;
    clock.advance(29_000 + 15_500);
    const sent = registrar.pings.slice(before, before + 5);
    expect(sent.map(at => at - sent[0]!)).toEqual([0, 500, 1_500, 3_500, 7_500]);
    expect(registrar.registered).toHaveLength(2);
  });

  test('a server that never answers is held by empty lines, and not registered with anew for ever', () => {
    const { clock, registrar } = stage({ keepAlive: 'stun' }, { answersStun: false });
    clock.advance(600_000);
    expect(registrar.registered).toHaveLength(1);
    expect(registrar.lineEnds.length).toBeGreaterThan(10);
  });

  test('an answer that nobody asked for, or from elsewhere, changes nothing', () => {
    const { clock, registrar, userAgent } = stage({ keepAlive: 'stun' });
    const forged = { host: '203.0.113.1', port: 1 };
    for (let turn = 0; turn < 100; turn++) {
      userAgent.receive(bindingSuccess(turn.toString(16).padStart(24, '0'), forged), there);
    }
    clock.advance(60_000);
    expect(registrar.registered).toHaveLength(1);
  });
});

test('off: nothing, whatever the registrar wants', () => {
  const { clock, registrar } = stage({ keepAlive: 'off' }, { headers: [['Flow-Timer', '10']] });
  clock.advance(600_000);
  expect(registrar.pings.length + registrar.lineEnds.length).toBe(0);
});

test('nothing is armed after the stop', () => {
  const { clock, userAgent } = stage({ keepAlive: 'stun' });
  clock.advance(25_000);
  userAgent.stop(2_000, () => {});
  clock.advance(2_000);
  expect(userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
});

test('the shorter of the two words counts', () => {
  const facts = { setting: 'stun' as const, hasFlow: false, isBehindNat: false };
  expect(keepAliveFor({ ...facts, longestMs: 10_000, flowTimerMs: 25_000 })).toEqual({
    method: 'stun',
    longestMs: 10_000,
  });
  expect(keepAliveFor({ ...facts, longestMs: 60_000, flowTimerMs: 25_000 })).toEqual({
    method: 'stun',
    longestMs: 25_000,
  });
  expect(keepAliveFor({ ...facts, longestMs: undefined, flowTimerMs: undefined })).toEqual({
    method: 'stun',
    longestMs: 29_000,
  });
});

// RFC 5626 §3.5.2
describe('asked by others', () => {
  test('a Binding request is answered with the address it came from', () => {
    const { network, clock } = stage({});
    const answers: Uint8Array[] = [];
    const peer = { host: '192.0.2.50', port: 12_345 };
    network.attach(peer, bytes => answers.push(bytes));
    network.send(bindingRequest('00112233445566778899aabb'), peer, here);
    clock.advance(10);
    expect(parseStun(answers[0]!)).toEqual({
      is: 'success',
      id: '00112233445566778899aabb',
      unknown: [],
      mapped: peer,
    });
  });

  test('a flood of them gets few answers', () => {
    const { network, clock } = stage({});
    let answers = 0;
    const peer = { host: '192.0.2.50', port: 12_345 };
    network.attach(peer, () => answers++);
    for (let turn = 0; turn < 10_000; turn++) network.send(bindingRequest('00112233445566778899aabb'), peer, here);
    clock.advance(10);
    expect(answers).toBe(answersPerSecond);
    clock.advance(1_000);
    network.send(bindingRequest('00112233445566778899aabb'), peer, here);
    clock.advance(10);
    expect(answers).toBe(answersPerSecond + 1);
  });
});
