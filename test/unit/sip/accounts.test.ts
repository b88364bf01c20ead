/** Several accounts: which of them register, which one calls, and which one after it. */
import { describe, expect, test } from 'vitest';
import { isMalformed } from '../../../firmware/sip/message/message.ts';
import { printUri } from '../../../firmware/sip/message/uri.ts';
import type { AccountSettings, UserAgentSettings } from '../../../firmware/sip/settings.ts';
import { LossyNetwork, presets } from '../../sim/lossy-network.ts';
import { ScriptedPeer } from '../../sim/scripted-peer.ts';
import { seeded } from '../../sim/seeded.ts';
import { Phone, sdp } from '../../sim/sip-phone.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

type Mood = 'well' | 'silent' | number;

const accountAt = (id: string, host: string, more: Partial<AccountSettings> = {}): AccountSettings => ({
  id,
  aor: `sip:door@${host}`,
  register: true,
  expiresMs: 300_000,
  ...more,
});

/** Two servers at 192.0.2.11 and 192.0.2.12, and a device with an account at each. */
function site(settings: Partial<UserAgentSettings> = {}, more: Partial<AccountSettings> = {}, moods: Mood[] = []) {
  const clock = new VirtualClock();
  const network = new LossyNetwork(clock, seeded(1), presets.perfect);
  const mood = ['192.0.2.11', '192.0.2.12'].map((_, index): Mood => moods[index] ?? 'well');
  const servers = mood.map((_, index) => {
    const peer = new ScriptedPeer(network, { host: `192.0.2.1${index + 1}`, port: 5060 });
    peer.onRequest = request => {
      const now = mood[index]!;
      if (request.method === 'ACK' || now === 'silent') return;
      if (now !== 'well') return peer.reply(request, now);
      const headers = [['Contact', request.headers.get('Contact') ?? '<sip:desk@192.0.2.1>']] as const;
      peer.reply(request, 200, { headers, ...(request.method === 'INVITE' && { body: sdp('answer') }) });
    };
    return peer;
  });
  const told: string[] = [];
  const phone = new Phone(clock, network, {
    address: { host: '192.0.2.1', port: 5060 },
    settings: {
      accounts: [accountAt('one', '192.0.2.11', more), accountAt('two', '192.0.2.12', more)],
      ...settings,
    },
    onReachability: (account, { is }) => told.push(`${account} ${is}`),
  });
  const states = () => ['one', 'two'].map(id => phone.userAgent.registration(id).is);
  const count = (server: number, method: string) => servers[server]!.requests(method).length;
  const turns = (server: number, next: Mood) => {
    mood[server] = next;
  };
  return { clock, phone, servers, states, count, turns, told };
}

describe('concurrent', () => {
  test('all accounts register', () => {
    const { clock, states } = site();
    clock.advance(1_000);
    expect(states()).toEqual(['registered', 'registered']);
  });

  test('calls go by the first account that is registered, in the order of the configuration', () => {
    const { clock, phone, count } = site({}, {}, [403]);
    clock.advance(1_000);
    phone.dial('4711');
    clock.advance(100);
    expect(phone.call!.account).toBe('two');
    expect([count(0, 'INVITE'), count(1, 'INVITE')]).toEqual([0, 1]);
  });

  test('where none is registered the first is tried all the same', () => {
    const { clock, phone, count } = site({}, {}, [403, 403]);
    clock.advance(1_000);
    phone.dial('4711');
    clock.advance(100);
    expect([count(0, 'INVITE'), count(1, 'INVITE')]).toEqual([1, 0]);
    expect(phone.heard).toEqual(['ended by refusal 403']);
  });
});

describe('serial', () => {
  const serial = { serialRegistration: true };

  test('only the first account registers', () => {
    const { clock, states, count } = site(serial);
    clock.advance(3_600_000);
    expect(states()).toEqual(['registered', 'unregistered']);
    expect(count(1, 'REGISTER')).toBe(0);
  });

  test('when it is lost the next takes over; when it is back the next takes its registration away', () => {
    const { clock, states, turns, servers } = site(serial);
    clock.advance(1_000);
    turns(0, 503);
    clock.advance(300_000);
    expect(states()).toEqual(['failed', 'registered']);
    turns(0, 'well');
    clock.advance(310_000);
    expect(states()).toEqual(['registered', 'unregistered']);
    expect(servers[1]!.requests('REGISTER').at(-1)!.headers.get('Expires')).toBe('0');
  });

  test('it takes over each time', () => {
    const { clock, states, turns } = site(serial);
    for (let round = 0; round < 3; round++) {
      turns(0, 503);
      clock.advance(310_000);
      expect(states(), `round ${round}`).toEqual(['failed', 'registered']);
      turns(0, 'well');
      clock.advance(310_000);
      expect(states(), `round ${round}`).toEqual(['registered', 'unregistered']);
    }
  });

  test('where both are lost both are tried for ever', () => {
    const { clock, states, turns } = site(serial, {}, [503, 503]);
    clock.advance(3_600_000);
    expect(states()).toEqual(['failed', 'failed']);
    turns(1, 'well');
    clock.advance(310_000);
    expect(states()).toEqual(['failed', 'registered']);
  });

  test('a registrar that says nothing costs 4 s before the next takes over, at the start and later', () => {
    const { clock, states, turns, count } = site(serial, {}, ['silent']);
    clock.advance(3_900);
    expect(states()).toEqual(['registering', 'unregistered']);
    clock.advance(200);
    expect(states()).toEqual(['failed', 'registered']);
    turns(0, 'well');
    clock.advance(310_000);
    expect(states()).toEqual(['registered', 'unregistered']);
    turns(0, 'silent');
    const asked = count(0, 'REGISTER');
    while (count(0, 'REGISTER') === asked) clock.advance(100);
    clock.advance(4_100);
    expect(states()).toEqual(['failed', 'registered']);
  });

  test('the last account waits as long as it takes: nobody comes after it', () => {
    const { clock, phone, states } = site(serial, {}, [503, 'silent']);
    clock.advance(31_000);
    expect(states()).toEqual(['failed', 'registering']);
    clock.advance(2_000);
    expect(states()).toEqual(['failed', 'failed']);
    expect(phone.userAgent.registration('two')).toMatchObject({ why: expect.stringMatching(/no answer|timeout/) });
  });

  test('a network that comes and goes starts no account that rests', () => {
    const { clock, phone, count } = site(serial);
    clock.advance(1_000);
    phone.userAgent.refreshRegistrations();
    phone.userAgent.networkChanged(true, []);
    clock.advance(5_000);
    expect(count(1, 'REGISTER')).toBe(0);
  });

  test('stopped in the middle of a change it leaves nothing behind', () => {
    const { clock, phone, turns } = site(serial, {}, [503]);
    clock.advance(4_500);
    turns(0, 'well');
    clock.advance(5_000);
    let stopped = false;
    phone.userAgent.stop(5_000, () => {
      stopped = true;
    });
    clock.advance(5_001);
    expect(stopped).toBe(true);
    expect(phone.userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
  });
});

describe('a call that its server cannot take', () => {
  const trunk = { register: false };

  test.each([503, 'silent'] as const)('goes on by the next account where the server is %s', mood => {
    const { clock, phone, servers } = site({}, trunk, [mood]);
    phone.dial('4711');
    clock.advance(4_100);
    expect(phone.heard).toEqual(['answered answer']);
    expect(phone.call!.account).toBe('two');
    const [invite] = servers[1]!.requests('INVITE');
    expect(invite!.uri).toBe('sip:4711@192.0.2.12');
    expect(invite!.headers.get('From')).toMatch(/^<sip:door@192\.0\.2\.12>;tag=/);
    expect(invite!.headers.get('To')).toBe('<sip:4711@192.0.2.12>');
    phone.call!.hangUp();
    clock.advance(100_000);
    expect(phone.userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
  });

  test.each([404, 480, 486, 500, 603])('ends with %i, which the next account would hear too', status => {
    const { clock, phone, count } = site({}, trunk, [status]);
    phone.dial('4711');
    clock.advance(5_000);
    expect(phone.heard).toEqual([`ended by refusal ${status}`]);
    expect(count(1, 'INVITE')).toBe(0);
  });

  test.each([
    ['a named account', {}, { account: 'one' }, '4711'],
    ['a call that would go the same way', {}, {}, 'sip:desk@192.0.2.11'],
    ['a configuration that says so', { tryNextAccount: false }, {}, '4711'],
  ])('ends there for %s', (_, settings, options, target) => {
    const { clock, phone, count } = site(settings, trunk, [503]);
    phone.dial(target, options);
    clock.advance(5_000);
    expect(phone.heard).toEqual(['ended by refusal 503']);
    expect(count(1, 'INVITE')).toBe(0);
  });

  test('ends once where no account can', () => {
    const { clock, phone, count } = site({}, trunk, ['silent', 503]);
    phone.dial('4711');
    clock.advance(40_000);
    expect(phone.heard).toEqual(['ended by refusal 503']);
    expect(count(1, 'INVITE')).toBe(1);
  });

  test('is not tried again once it has been hung up', () => {
    const { clock, phone, count } = site({}, trunk, ['silent']);
    phone.dial('4711');
    clock.advance(2_000);
    phone.call!.hangUp();
    clock.advance(100_000);
    expect(count(1, 'INVITE')).toBe(0);
    expect(phone.heard).toEqual(['ended by us']);
    expect(phone.userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
  });
});

describe('the server of an account that does not register', () => {
  const trunk = { register: false, pingMs: 60_000 };

  test('is asked by OPTIONS, and told when that changes what is known', () => {
    const { clock, told, turns, phone } = site({}, trunk, ['well', 405]);
    clock.advance(1_000);
    // Who does not know OPTIONS is there all the same.
    expect(told).toEqual(['one reachable', 'two reachable']);
    turns(0, 'silent');
    clock.advance(110_000);
    expect(phone.userAgent.reachability('one')).toMatchObject({ is: 'unreachable', why: /no answer/ });
    turns(0, 'well');
    clock.advance(70_000);
    expect(phone.userAgent.reachability('one')).toEqual({ is: 'reachable', status: 200 });
  });

  test('calls avoid one that is not there', () => {
    const { clock, phone, count } = site({}, trunk, [503]);
    clock.advance(1_000);
    phone.dial('4711');
    clock.advance(100);
    expect([count(0, 'INVITE'), count(1, 'INVITE')]).toEqual([0, 1]);
  });

  test('is left alone after the stop', () => {
    const { clock, phone, count } = site({}, trunk);
    clock.advance(1_000);
    phone.userAgent.stop(1_000, () => {});
    clock.advance(600_000);
    expect(count(0, 'OPTIONS')).toBe(1);
    expect(phone.userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
  });
});

describe('a target', () => {
  const target = (text: string, account?: string) => {
    const uri = site().phone.userAgent.targetUri(text, account);
    return isMalformed(uri) ? uri.why : printUri(uri);
  };

  test.each([
    ['4711', 'sip:4711@192.0.2.11'],
    ['*21#', 'sip:*21%23@192.0.2.11'],
    ['+4930123', 'sip:+4930123@192.0.2.11;user=phone'],
    ['tel:+49-(30)-12.3', 'sip:+4930123@192.0.2.11;user=phone'],
    ['TEL:7042;phone-context=example.org', 'sip:7042;phone-context=example.org@192.0.2.11;user=phone'],
    ['tel:7042;x=y;phone-context=+49;ext=3', 'sip:7042;ext=3;phone-context=+49;x=y@192.0.2.11;user=phone'],
    ['sip:desk@example.org', 'sip:desk@example.org'],
  ])('%s is called as %s', (text, uri) => {
    expect(target(text)).toBe(uri);
  });

  test('is a number of the account that is named', () => {
    expect(target('4711', 'two')).toBe('sip:4711@192.0.2.12');
  });

  test.each([
    ['tel:', 'not a telephone number'],
    ['tel:+', 'not a telephone number'],
    ['tel:+49x', 'not a telephone number'],
    ['tel:1;a=1;A=2', 'Repeated parameter in URI'],
    ['tel:1;;', 'Bad parameter in URI'],
    [`tel:1${';a=b'.repeat(70)}`, 'Too many parameters'],
    ['tel:1;a=<evil>', 'Bad parameter in URI'],
    ['desk', 'Bad URI'],
    ['mailto:desk@example.org', 'Unsupported URI scheme'],
  ])('%s cannot be called: %s', (text, why) => {
    expect(target(text)).toBe(why);
  });

  test('that is a number needs an account', () => {
    const uri = site({ accounts: [] }).phone.userAgent.targetUri('4711', undefined);
    expect(isMalformed(uri) && uri.why).toBe('a number needs an account, whose server knows it');
  });
});
