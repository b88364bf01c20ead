/** One account and its registrar: refresh, refusals, silence, a NAT, and taking the binding back. */
import { describe, expect, test } from 'vitest';
import type { RegistrationState } from '../../../firmware/sip/contracts.ts';
import type { Request } from '../../../firmware/sip/message/message.ts';
import type { ScriptedPeer } from '../../sim/scripted-peer.ts';
import { stage } from './stage.ts';

const account = { aor: 'sip:front@192.0.2.2', register: true, expiresMs: 100_000 };

/** The user agent begins to register as it is made; `onRegister` answers. */
function registering(onRegister: (peer: ScriptedPeer, request: Request, count: number) => void, more = {}) {
  const all = stage({ account: { ...account, ...more } });
  const { clock, peer } = all;
  const at: number[] = [];
  let count = 0;
  peer.onRequest = request => {
    at.push(clock.now());
    onRegister(peer, request, ++count);
  };
  clock.advance(100);
  return { ...all, at };
}

const grant = (peer: ScriptedPeer, request: Request, seconds = 100) =>
  peer.reply(request, 200, { headers: [['Contact', `${request.headers.get('Contact')};expires=${seconds}`]] });

const granting = (peer: ScriptedPeer, request: Request) => grant(peer, request);

/** Every name leads to the peer, as a proxy would. */
const more = { outboundProxy: 'sip:192.0.2.2' };

const isOf = (states: readonly RegistrationState[]) => states.map(({ is }) => is);

test('a registration is told with its contact and its end', () => {
  const { phone, userAgent } = registering(granting);
  expect(isOf(phone.registrations)).toEqual(['registering', 'registered']);
  expect(userAgent.registration('main')).toEqual({
    is: 'registered',
    untilMs: 100_002,
    contact: 'sip:front@192.0.2.1:5060',
  });
  expect(userAgent.registration('other')).toEqual({ is: 'unregistered' });
});

test('all registrations of a boot have one Call-ID and growing numbers (§10.2)', () => {
  const { clock, peer } = registering(granting);
  clock.advance(300_000);
  const requests = peer.requests('REGISTER');
  expect(requests.length).toBeGreaterThan(3);
  expect(new Set(requests.map(({ headers }) => headers.get('Call-ID'))).size).toBe(1);
  expect(requests.map(({ headers }) => headers.get('CSeq'))).toEqual(
    requests.map((_, index) => `${index + 1} REGISTER`),
  );
});

describe('the refresh comes at 80 to 90 % of what was granted', () => {
  test.each([
    [
      'to our Contact, among others',
      '<sip:other@192.0.2.9>;expires=7, <sip:front@192.0.2.1:5060>;expires=50',
      undefined,
      50,
    ],
    ['in Expires, where Contact says nothing', '<sip:front@192.0.2.1:5060>', '40', 40],
    ['as asked, where the registrar says nothing', undefined, undefined, 100],
    ['as asked, where it says 0 or nonsense', '<sip:front@192.0.2.1:5060>;expires=0', 'soon', 100],
    ['to our Contact, but never at once', '<sip:front@192.0.2.1:5060>;expires=1', undefined, 6],
  ])('%s', (_, contact, expires, seconds) => {
    const { clock, at } = registering((peer, request) =>
      peer.reply(request, 200, {
        headers: [
          ...(contact ? [['Contact', contact] as const] : []),
          ...(expires ? [['Expires', expires] as const] : []),
        ],
      }),
    );
    clock.advance(1_000 * seconds);
    expect(at.length).toBe(2);
    expect(at[1]).toBeGreaterThanOrEqual(800 * seconds);
    expect(at[1]).toBeLessThanOrEqual(900 * seconds + 10);
  });
});

describe('a refusal', () => {
  test('423 is obeyed at once with the least that the registrar takes (§10.2.8)', () => {
    const { peer, phone } = registering((peer, request, count) => {
      if (count === 1) peer.reply(request, 423, { headers: [['Min-Expires', '600']] });
      else grant(peer, request, 600);
    });
    expect(peer.requests('REGISTER').map(({ headers }) => headers.get('Expires'))).toEqual(['100', '600']);
    expect(phone.registrations.at(-1)).toMatchObject({ is: 'registered' });
  });

  test.each(['', '50', '99999999999', 'long'])('423 with Min-Expires "%s" makes no sense and is a failure', least => {
    const { phone, peer } = registering((peer, request) =>
      peer.reply(request, 423, { headers: [['Min-Expires', least]] }),
    );
    expect(phone.registrations.at(-1)).toMatchObject({ is: 'failed', status: 423 });
    expect(peer.requests('REGISTER').length).toBe(1);
  });

  test('423 that asks for a little more each time is followed three times, then it is a failure', () => {
    const { phone, peer } = registering((peer, request, count) =>
      peer.reply(request, 423, { headers: [['Min-Expires', String(100 + count)]] }),
    );
    expect(peer.requests('REGISTER').length).toBe(4);
    expect(phone.registrations.at(-1)).toMatchObject({ is: 'failed', status: 423 });
  });

  test('302 is followed once, to the registrar that it names; the refresh goes there too (§8.1.3.4)', () => {
    const { clock, peer, phone } = registering((peer, request) => {
      if (request.uri === 'sip:new.example') grant(peer, request);
      else peer.reply(request, 302, { headers: [['Contact', '<sip:new.example>']] });
    }, more);
    clock.advance(100_000);
    expect(peer.requests('REGISTER').map(({ uri }) => uri)).toEqual([
      'sip:192.0.2.2',
      'sip:new.example',
      'sip:new.example',
    ]);
    expect(isOf(phone.registrations)).not.toContain('failed');
  });

  test('302 that leads to another 302 is a failure, and the next attempt begins where it should', () => {
    const { clock, peer, phone } = registering((peer, request, count) => {
      if (count > 2) grant(peer, request);
      else peer.reply(request, 302, { headers: [['Contact', `<sip:r${count}.example>`]] });
    }, more);
    expect(phone.registrations.at(-1)).toMatchObject({ is: 'failed', status: 302 });
    clock.advance(5_000);
    expect(peer.requests('REGISTER').map(({ uri }) => uri)).toEqual([
      'sip:192.0.2.2',
      'sip:r1.example',
      'sip:192.0.2.2',
    ]);
  });

  test.each(['', '<tel:+123>', '<sip:', '<sip:192.0.2.2>', '<sip:new.example?Route=x>'])(
    '302 to %j leads nowhere and is a failure',
    contact => {
      const { phone, peer } = registering((peer, request) =>
        peer.reply(request, 302, { headers: [['Contact', contact]] }),
      );
      expect(peer.requests('REGISTER').length).toBe(1);
      expect(phone.registrations.at(-1)).toMatchObject({ is: 'failed', status: 302 });
    },
  );

  test('is tried again after growing pauses, for ever', () => {
    const { clock, at, phone } = registering((peer, request) => peer.reply(request, 500));
    clock.advance(3_600_000);
    const pauses = at.slice(1).map((time, index) => time - at[index]!);
    expect(pauses.length).toBeGreaterThan(14);
    expect(pauses[0]).toBeLessThanOrEqual(4_002);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(300_002);
    expect(pauses.at(-1)).toBeGreaterThanOrEqual(150_000);
    expect(phone.registrations.at(-1)).toMatchObject({ is: 'failed', status: 500, why: 'Server Internal Error' });
  });

  test.each([401, 403, 404])('%i is not tried again within a minute: registrars ban who insists', status => {
    const { clock, at } = registering((peer, request) => peer.reply(request, status));
    clock.advance(59_000);
    expect(at.length).toBe(1);
    clock.advance(2_000);
    expect(at.length).toBe(2);
  });

  test('with Retry-After is not tried again before (§20.33)', () => {
    const { clock, at } = registering((peer, request) =>
      peer.reply(request, 503, { headers: [['Retry-After', '120 (lunch);duration=60']] }),
    );
    clock.advance(119_000);
    expect(at.length).toBe(1);
    clock.advance(2_000);
    expect(at.length).toBe(2);
  });

  test('with a Retry-After of years is tried again within the hour', () => {
    const { clock, at } = registering((peer, request) =>
      peer.reply(request, 503, { headers: [['Retry-After', '999999999']] }),
    );
    clock.advance(3_700_000);
    expect(at.length).toBe(2);
  });

  test('forgets its pauses after a success', () => {
    const { clock, at } = registering((peer, request, count) => {
      if (count < 6 || count > 6) peer.reply(request, 500);
      else grant(peer, request);
    });
    clock.advance(600_000);
    expect(at[7]! - at[6]!).toBeLessThanOrEqual(4_002);
  });
});

test('silence is a failure in words, and is tried again', () => {
  const { clock, phone, at } = registering(() => {});
  clock.advance(33_000);
  expect(phone.registrations.at(-1)).toMatchObject({ is: 'failed', why: 'no answer from 192.0.2.2:5060' });
  clock.advance(10_000);
  expect(at.length).toBeGreaterThan(11);
});

test('a registrar that cannot be found is a failure in words', () => {
  const { phone } = registering(() => {}, { registrar: 'sip:pbx.example' });
  expect(phone.registrations.at(-1)).toMatchObject({ is: 'failed', why: 'no such host: pbx.example' });
});

test('goes to the registrar that is set, and first to the outbound proxy', () => {
  const { peer } = registering(granting, { registrar: 'sip:pbx.example:5070', outboundProxy: 'sip:192.0.2.2' });
  const [request] = peer.requests('REGISTER');
  expect(request!.uri).toBe('sip:pbx.example:5070');
  expect(request!.headers.all('Route')).toEqual(['<sip:192.0.2.2;lr>']);
  expect(request!.headers.get('To')).toBe('<sip:front@192.0.2.2>');
});

describe('refreshRegistrations', () => {
  test('registers again now', () => {
    const { clock, at, userAgent } = registering(granting);
    userAgent.refreshRegistrations();
    clock.advance(10);
    expect(at.length).toBe(2);
    // And the refresh starts anew.
    clock.advance(79_000);
    expect(at.length).toBe(2);
  });

  test('while one is on its way comes after it (§10.2)', () => {
    const waiting: Request[] = [];
    const { clock, peer, userAgent } = registering((_, request) => waiting.push(request));
    userAgent.refreshRegistrations();
    clock.advance(10);
    expect(waiting.length).toBe(1);
    grant(peer, waiting[0]!);
    clock.advance(10);
    expect(waiting.length).toBe(2);
    expect(waiting[1]!.headers.get('CSeq')).toBe('2 REGISTER');
  });
});

describe('behind a NAT (RFC 3581)', () => {
  const behind = (peer: ScriptedPeer, request: Request, port: number) => {
    const via = request.headers.get('Via')!.replace('rport', `rport=${port};received=203.0.113.7`);
    request.headers.set('Via', via);
    grant(peer, request);
  };

  test('the address that the registrar sees becomes our Contact, and the old one goes', () => {
    const { peer, phone } = registering((peer, request) => behind(peer, request, 40_000));
    expect(peer.requests('REGISTER').map(({ headers }) => headers.all('Contact'))).toEqual([
      ['<sip:front@192.0.2.1:5060>'],
      ['<sip:front@203.0.113.7:40000>', '<sip:front@192.0.2.1:5060>;expires=0'],
    ]);
    expect(phone.registrations.at(-1)).toMatchObject({ contact: 'sip:front@203.0.113.7:40000' });
  });

  test('that gives another port each time is not followed round in circles', () => {
    const { peer, clock } = registering((peer, request, count) => behind(peer, request, 40_000 + count));
    clock.advance(1_000);
    expect(peer.requests('REGISTER').length).toBe(2);
  });

  test.each(['rport=0;received=203.0.113.7x', 'rport=99999', 'rport=x;received=evil.example'])(
    '%s is not believed',
    lie => {
      const { peer } = registering((peer, request) => {
        request.headers.set('Via', request.headers.get('Via')!.replace('rport', lie));
        grant(peer, request);
      });
      expect(peer.requests('REGISTER').length).toBe(1);
    },
  );
});

describe('stop', () => {
  test('takes the binding back and then is done', () => {
    const { clock, peer, phone, userAgent } = registering(granting);
    let doneAt = 0;
    userAgent.stop(5_000, () => {
      doneAt = clock.now();
    });
    clock.advance(1_000);
    const last = peer.requests('REGISTER').at(-1)!;
    expect(last.headers.get('Expires')).toBe('0');
    expect(last.headers.all('Contact')).toEqual(['<sip:front@192.0.2.1:5060>']);
    expect(doneAt).toBe(102);
    expect(isOf(phone.registrations)).toEqual(['registering', 'registered', 'unregistered']);
    expect(clock.armed).toEqual([]);
  });

  test('of an account that never registered is done at once', () => {
    const { clock, userAgent } = registering((peer, request) => peer.reply(request, 403));
    let done = false;
    userAgent.stop(5_000, () => {
      done = true;
    });
    expect(done).toBe(true);
    expect(clock.armed).toEqual([]);
  });

  test('does not wait for a registrar that is away', () => {
    const { clock, userAgent } = registering((peer, request, count) => {
      if (count === 1) grant(peer, request);
    });
    let doneAt = 0;
    userAgent.stop(2_000, () => {
      doneAt = clock.now();
    });
    clock.advance(60_000);
    expect(doneAt).toBe(2_100);
    expect(clock.armed).toEqual([]);
  });
});

describe('a network that changes', () => {
  test('without a new address for us asks nothing of the registrar', () => {
    const { userAgent, peer, clock } = registering(granting);
    userAgent.networkChanged(true, []);
    clock.advance(10_000);
    expect(peer.requests('REGISTER').length).toBe(1);
  });

  test('gone: said so at once, and told again as registered within two seconds of its return', () => {
    const { userAgent, peer, clock } = registering(granting);
    userAgent.networkChanged(false, ['192.0.2.1']);
    expect(userAgent.registration('main')).toMatchObject({ is: 'failed', why: expect.stringContaining('no network') });
    userAgent.networkChanged(true, []);
    clock.advance(2_100);
    expect(userAgent.registration('main')).toMatchObject({ is: 'registered' });
    expect(peer.requests('REGISTER').length).toBe(2);
  });

  test('does not ask a registrar sooner that has refused us', () => {
    const { userAgent, peer, clock } = registering((at, request) => at.reply(request, 403));
    userAgent.networkChanged(true, []);
    clock.advance(10_000);
    expect(peer.requests('REGISTER').length).toBe(1);
  });

  test('tries a registrar at once that could not be reached', () => {
    const { userAgent, clock, phone } = registering(() => {});
    clock.advance(33_000);
    expect(phone.registrations.at(-1)).toMatchObject({ is: 'failed' });
    const before = phone.registrations.length;
    userAgent.networkChanged(true, []);
    expect(isOf(phone.registrations.slice(before))).toEqual(['registering']);
  });
});
