/** Outbound (RFC 5626): a device that names itself and its ways, and is reached as long as one of them works. */
import { describe, expect, test } from 'vitest';
import type { Address } from '../../../../firmware/lib/address.ts';
import type { HeaderFields } from '../../../../firmware/sip/contracts.ts';
import { isStun } from '../../../../firmware/sip/flow/stun.ts';
import type { Request } from '../../../../firmware/sip/message/message.ts';
import { parseMessage } from '../../../../firmware/sip/message/parse.ts';
import { printMessage } from '../../../../firmware/sip/message/print.ts';
import type { AccountSettings } from '../../../../firmware/sip/settings.ts';
import { makeResponse } from '../../../../firmware/sip/transaction/reply.ts';
import { LossyNetwork, presets } from '../../../sim/lossy-network.ts';
import { seeded } from '../../../sim/seeded.ts';
import { Phone } from '../../../sim/sip-phone.ts';
import { VirtualClock } from '../../../sim/virtual-clock.ts';

const here = { host: '192.0.2.1', port: 5060 };
const instanceId = 'urn:uuid:00000000-0000-4000-8000-000a95a0e128';

interface Proxy {
  address: Address;
  requests: Request[];
  /** 0: it is dead. */
  status: number;
  headers: HeaderFields;
}

function proxyAt(network: LossyNetwork, host: string, facts: Partial<Proxy> = {}): Proxy {
  const address = { host, port: 5060 };
  const proxy: Proxy = { address, requests: [], status: 200, headers: [['Require', 'outbound']], ...facts };
  network.attach(address, (bytes, from) => {
    if (isStun(bytes)) return;
    const message = parseMessage(bytes);
    if (message.kind !== 'request') return;
    proxy.requests.push(message);
    const asksForFlow = message.headers.get('Contact')?.includes('reg-id');
    const status = proxy.status === 439 && !asksForFlow ? 200 : proxy.status;
    if (status === 0 || message.method === 'ACK') return;
    const granted = message.headers.all('Contact').slice(0, 1);
    const headers: HeaderFields = [
      ...granted.map(contact => ['Contact', `${contact};expires=600`] as const),
      ...(asksForFlow ? proxy.headers : []),
    ];
    network.send(printMessage(makeResponse(message, status, 'r', { headers })), address, from);
  });
  return proxy;
}

function stage(account: Partial<AccountSettings> = {}, facts: [Partial<Proxy>?, Partial<Proxy>?] = [], named = true) {
  const clock = new VirtualClock();
  const network = new LossyNetwork(clock, seeded(1), presets.perfect);
  const one = proxyAt(network, '192.0.2.2', facts[0]);
  const two = proxyAt(network, '192.0.2.3', facts[1]);
  const phone = new Phone(clock, network, {
    address: here,
    account: {
      aor: 'sip:front@example.org',
      register: true,
      expiresMs: 600_000,
      outboundProxy: 'sip:192.0.2.2',
      outboundProxies: ['sip:192.0.2.3'],
      ...account,
    },
    settings: named ? { instanceId } : {},
  });
  clock.advance(100);
  const registers = (proxy: Proxy) => proxy.requests.filter(({ method }) => method === 'REGISTER');
  return { clock, network, one, two, phone, userAgent: phone.userAgent, registers };
}

test('each way is registered with the same instance and a number of its own', () => {
  const { one, two } = stage();
  const contact = (regId: number) => [`<sip:front@192.0.2.1:5060>;+sip.instance="<${instanceId}>";reg-id=${regId}`];
  expect(one.requests[0]!.headers.all('Contact')).toEqual(contact(1));
  expect(two.requests[0]!.headers.all('Contact')).toEqual(contact(2));
  expect(one.requests[0]!.headers.all('Supported')).toEqual(['path', 'outbound']);
  expect(one.requests[0]!.headers.get('Call-ID')).not.toBe(two.requests[0]!.headers.get('Call-ID'));
});

test('the account is told as registered once, by whichever way is first', () => {
  const { phone, userAgent } = stage();
  expect(phone.registrations.map(({ is }) => is)).toEqual(['registering', 'registered']);
  expect(userAgent.registration('main')).toMatchObject({ is: 'registered' });
});

test('Contact in a call says that requests are to come by the flow', () => {
  const { phone, one, clock } = stage();
  phone.dial('sip:desk@example.org');
  clock.advance(10);
  const invite = one.requests.find(({ method }) => method === 'INVITE')!;
  expect(invite.headers.get('Contact')).toBe('<sip:front@192.0.2.1:5060;ob>');
});

test('a call goes by the other way while the first is down', () => {
  const { phone, two, clock, userAgent } = stage({}, [{ status: 0 }]);
  clock.advance(40_000);
  expect(userAgent.registration('main')).toMatchObject({ is: 'registered' });
  phone.dial('sip:desk@example.org');
  clock.advance(10);
  expect(two.requests.some(({ method }) => method === 'INVITE')).toBe(true);
});

test('a way that is down beside one that works is tried after 45 to 90 s, then ever more seldom up to half an hour', () => {
  const { clock, registers, one, userAgent } = stage();
  one.status = 500;
  userAgent.refreshRegistrations();
  clock.advance(100);
  const at = [clock.now()];
  for (let count = registers(one).length; clock.now() < 6 * 3_600_000; clock.advance(1_000)) {
    if (registers(one).length > count) at.push(clock.now());
    count = registers(one).length;
  }
  const pauses = at.slice(1).map((time, index) => time - at[index]!);
  expect(pauses[0]).toBeGreaterThanOrEqual(44_000);
  expect(pauses[0]).toBeLessThanOrEqual(92_000);
  expect(Math.max(...pauses)).toBeGreaterThan(900_000);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(1_802_000);
});

test('when every way is down that is told, and they are tried within seconds', () => {
  const { clock, phone, userAgent, registers, one } = stage({}, [{ status: 500 }, { status: 500 }]);
  expect(userAgent.registration('main')).toMatchObject({ is: 'failed', status: 500 });
  clock.advance(5_000);
  expect(registers(one).length).toBeGreaterThanOrEqual(2);
  expect(phone.registrations.some(({ is }) => is === 'registered')).toBe(false);
});

describe('without a server that knows outbound', () => {
  test('439: registered all the same, without a flow', () => {
    const { phone, one, clock, userAgent, registers } = stage({ outboundProxies: [] }, [{ status: 439 }]);
    expect(userAgent.registration('main')).toMatchObject({ is: 'registered' });
    expect(registers(one).map(({ headers }) => headers.all('Supported'))).toEqual([['path', 'outbound'], ['path']]);
    phone.dial('sip:desk@example.org');
    clock.advance(10);
    const invite = one.requests.find(({ method }) => method === 'INVITE')!;
    expect(invite.headers.get('Contact')).not.toContain(';ob');
  });

  test('an answer without Require: outbound means that there is no flow', () => {
    const { phone, one, clock } = stage({ outboundProxies: [] }, [{ headers: [] }]);
    phone.dial('sip:desk@example.org');
    clock.advance(10);
    expect(one.requests.find(({ method }) => method === 'INVITE')!.headers.get('Contact')).not.toContain(';ob');
  });
});

test.each([
  ['switched off', { outbound: 'off' as const }, true],
  ['without a name of the device', {}, false],
])('%s: one way, and nothing is said of flows', (_, account, named) => {
  const { one, two } = stage(account, [], named);
  expect(one.requests[0]!.headers.get('Contact')).toBe('<sip:front@192.0.2.1:5060>');
  expect(one.requests[0]!.headers.get('Supported')).toBe('path');
  expect(two.requests).toEqual([]);
});

test('the stop takes every way back', () => {
  const { clock, userAgent, one, two, registers } = stage();
  let stopped = false;
  userAgent.stop(2_000, () => {
    stopped = true;
  });
  clock.advance(100);
  expect(stopped).toBe(true);
  for (const proxy of [one, two]) expect(registers(proxy).at(-1)!.headers.get('Expires')).toBe('0');
  expect(userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
});
