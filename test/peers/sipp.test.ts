import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Bench } from './support/bench.ts';
import { HOST, type RunningDevice, startDevice } from './support/device.ts';
import { sipPort } from './support/ports.ts';
import { type SippSpec, startSipp } from './support/sipp.ts';
import { passes, until } from './support/until.ts';

/** SIPp sends no sound in these scenarios: a peer that is silent is not what they are about. */
const QUIET = { media: { codecs: ['PCMA'], silentAfter: '0 s' } };

describe('the device registers', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(() => bench.stop());

  async function register(scenario: string, account: Record<string, unknown> = {}) {
    const registrar = await startSipp(bench, scenario);
    const pbx = { uri: `sip:front@${HOST}:${registrar.port}`, password: 'front-secret', ...account };
    const device = await startDevice(bench, { config: { sip: { accounts: { pbx } } } });
    return { registrar, device };
  }

  test('without a password, and takes itself back when it stops', async () => {
    const { registrar, device } = await register('registrar-open', { password: undefined });
    await device.registered('pbx');
    await device.stop();
    await registrar.passes();
  });

  test('with digest, refreshes in time, and takes itself back', async () => {
    const { registrar, device } = await register('registrar-digest');
    await device.registered('pbx');
    // Granted for 3 s, so the refresh comes after 2.4 to 2.7 s.
    await until('a refresh', () => registrar.count(/^SIP\/2\.0 200/) === 2);
    expect((await device.status()).accounts.pbx).toMatchObject({ state: 'registered' });
    await device.stop();
    await registrar.passes();
  });

  test('with a nonce that has become old', async () => {
    const { registrar, device } = await register('registrar-stale');
    await registrar.passes();
    await device.registered('pbx');
  });

  test('for as long as the registrar wants', async () => {
    const { registrar, device } = await register('registrar-too-brief', { expires: '60 s' });
    await registrar.passes();
    await device.registered('pbx');
  });

  test('from behind a NAT, as the registrar sees it', async () => {
    const { registrar, device } = await register('registrar-nat');
    await registrar.passes();
    await device.registered('pbx');
    expect((await device.status()).accounts.pbx!.detail).toContain('192.0.2.9:40000');
  });

  test('again when the registrar is back, and not before it asked', async () => {
    const { registrar, device } = await register('registrar-unavailable');
    await registrar.passes();
    await device.registered('pbx');
    // In the registrar's own words: 503 and 200 are at least as far apart as Retry-After says.
    const [refused, granted] = registrar.times(/^SIP\/2\.0 (503|200)/);
    expect(granted! - refused!).toBeGreaterThanOrEqual(6_000);
  });

  test.each([
    ['registrar-wrong-password', { password: 'not this' }, 401],
    ['registrar-forbids', {}, 403],
  ])('%s: it says so, and waits before it tries again', async (scenario, account, status) => {
    const { registrar, device } = await register(scenario, account);
    await registrar.passes();
    await device.accountState('pbx', 'failed');
    const { detail } = (await device.status()).accounts.pbx!;
    expect(detail).toContain(String(status));
  });
});

describe('the device is called', () => {
  let bench: Bench;
  let device: RunningDevice;
  beforeAll(async () => {
    bench = new Bench();
    device = await startDevice(bench, {
      config: {
        ...QUIET,
        sip: { accounts: { peer: { uri: `sip:front@${HOST}`, register: false } } },
        calls: { ringFor: '4 s', transfer: { allow: [`*@${HOST}`] } },
        doors: { main: { relay: 'relay-1', openFor: '1 s', codes: ['55'] } },
      },
    });
  });
  afterAll(() => bench.stop());

  const call = (scenario: string, spec: SippSpec = {}) =>
    startSipp(bench, scenario, { to: `${HOST}:${device.port}`, ...spec });

  /** The scenario, with a person who presses when it rings. */
  async function answered(scenario: string, spec: SippSpec = {}) {
    const caller = await call(scenario, spec);
    await device.event('call', 'incoming');
    await device.callState('ringing');
    await device.do('press front');
    await device.event('call', 'answered', { direction: 'incoming', codec: 'PCMA' });
    return caller;
  }

  async function over(facts: Record<string, unknown>, withinMs?: number) {
    await device.event('call', 'ended', { direction: 'incoming', ...facts }, withinMs);
    await device.callState('idle');
  }

  test('it answers, the caller hangs up', async () => {
    const caller = await answered('uac-bye');
    await caller.passes();
    await over({ by: 'them' });
  });

  test('it answers and hangs up', async () => {
    const caller = await answered('uac-hung-up');
    await device.do('hang up');
    await caller.passes();
    await over({ by: 'us' });
  });

  test('without an offer: it makes one, and takes the answer from the ACK', async () => {
    const caller = await call('uac-late-offer');
    await device.event('call', 'incoming');
    await device.callState('ringing');
    await device.do('answer');
    await device.event('call', 'answered');
    await device.callState('talking');
    await caller.passes();
    await over({ by: 'them' });
  });

  test('the caller gives up', async () => {
    const caller = await call('uac-cancel');
    await caller.passes();
    await over({ by: 'them', talkedForSeconds: 0 });
  });

  test('the caller says BYE before the answer', async () => {
    const caller = await call('uac-early-bye');
    await caller.passes();
    await over({ by: 'them', talkedForSeconds: 0 });
  });

  test('nobody answers', async () => {
    const caller = await call('uac-not-answered');
    await caller.passes();
    await over({ by: 'us', why: 'nobody answered', talkedForSeconds: 0 });
  });

  test('a second caller hears busy', async () => {
    const first = await answered('uac-hung-up');
    const second = await call('uac-busy');
    await second.passes();
    expect((await device.status()).call.state).toBe('talking');
    await device.do('hang up');
    await first.passes();
    await over({ by: 'us' });
  });

  test('re-INVITEs move, hold, resume, and one that cannot be had changes nothing', async () => {
    const caller = await answered('uac-reinvite');
    await caller.passes();
    await over({ by: 'them' });
  });

  test('a door code by INFO opens the door', async () => {
    const caller = await answered('uac-info');
    await device.event('call', 'key', { by: 'info' });
    await device.event('door', 'unlocked', { door: 'main' });
    await caller.passes();
    await over({ by: 'them' });
  });

  test('a session is timed, kept alive and changed by UPDATE', async () => {
    const caller = await answered('uac-session-timer');
    await caller.passes();
    await over({ by: 'them' });
  });

  test('a caller that insists hears 180 until its PRACK, and only then the answer', async () => {
    const caller = await call('uac-100rel');
    await device.event('call', 'incoming');
    await device.callState('ringing');
    await device.do('press front');
    await caller.passes();
    // At 0, 0.5 and 1.5 s, and its PRACK came after 1.2 s.
    expect(caller.count(/^SIP\/2\.0 180/)).toBeGreaterThanOrEqual(2);
    await over({ by: 'them' });
  });

  test('its server asks for a look at the configuration, and sends a text', async () => {
    const caller = await call('uac-check-sync');
    await caller.passes();
    await device.event('provisioning', 'check asked for', { account: 'peer' });
    await device.event('sip', 'message', { text: 'The fire drill is at ten.' });
  });

  test('a lamp of its server follows its calls', async () => {
    const lamp = await call('uac-subscribe');
    await lamp.passes();
  });

  test('it is transferred: calls the other, tells how that goes, and leaves the first', async () => {
    const other = await startSipp(bench, 'uas-transferred');
    const caller = await answered('uac-refer', { keys: { elsewhere: String(other.port) } });
    await device.event('call', 'transfer refused', { target: 'sip:nobody@192.0.2.1' });
    await device.event('call', 'transfer', { attended: true });
    await device.event('call', 'answered', { direction: 'outgoing' });
    await caller.passes();
    await over({ by: 'us' });
    await other.passes();
    await device.event('call', 'ended', { direction: 'outgoing', by: 'them' });
    await device.callState('idle');
  });

  test('it is held in all three forms, and resumed', async () => {
    const caller = await answered('uac-hold');
    await caller.passes();
    await over({ by: 'them' });
  });

  test('the ACK comes twice: it is one call', async () => {
    const caller = await answered('uac-two-acks');
    await caller.passes();
    await over({ by: 'them' });
  });

  test('the ACK is late: the 200 is repeated, the call goes on', async () => {
    const before = (await device.status()).sip.retransmissions;
    const caller = await answered('uac-late-ack');
    await caller.passes();
    await over({ by: 'them' });
    // At 0.5 and 1.5 s (RFC 3261 §13.3.1.4); a third only where the machine was slow.
    expect((await device.status()).sip.retransmissions - before).toBeGreaterThanOrEqual(2);
  });

  test('the ACK never comes: after 64 T1 it hangs up', async () => {
    const caller = await answered('uac-no-ack', { timeoutS: 60 });
    await caller.passes();
    await over({ by: 'failure', why: /no ACK/ });
  });

  test.each([
    ['uac-no-codec', 'no codec in common', /none of PCMA is offered/],
    ['uac-text-body', 'a body that describes nothing', /text\/plain/],
  ])('%s: %s', async (scenario, _what, why) => {
    const caller = await call(scenario);
    await caller.passes();
    await over({ why, talkedForSeconds: 0 });
  });

  test.each([
    ['uac-options', 'OPTIONS'],
    ['uac-unknown-method', 'a method that it does not have'],
    ['uac-require', 'an extension that it does not have'],
    ['uac-malformed', 'a malformed request'],
    ['uac-version', 'another version of SIP'],
    ['uac-stray-bye', 'BYE without a call'],
    ['uac-stray-invite', 'INVITE within a call that does not exist'],
    ['uac-stray-cancel', 'CANCEL without an INVITE'],
  ])('%s: %s is answered, and nothing else happens', async scenario => {
    const told = device.events.length;
    const caller = await call(scenario);
    await caller.passes();
    expect(device.events.slice(told)).toEqual([]);
    expect((await device.status()).call.state).toBe('idle');
  });

  test('after all of this it answers as before', async () => {
    const caller = await answered('uac-bye');
    await caller.passes();
    await over({ by: 'them' });
  });
});

describe('the device calls', () => {
  let bench: Bench;
  let device: RunningDevice;
  beforeAll(async () => {
    bench = new Bench();
    device = await startDevice(bench, {
      config: {
        ...QUIET,
        sip: { accounts: { peer: { uri: `sip:front@${HOST}`, register: false, password: 'front-secret' } } },
        calls: { ringFor: '4 s' },
      },
    });
  });
  afterAll(() => bench.stop());

  async function calls(scenario: string, spec: SippSpec = {}) {
    const called = await startSipp(bench, scenario, spec);
    await device.do(`call sip:desk@${HOST}:${called.port}`);
    await device.event('call', 'calling');
    return called;
  }

  async function over(facts: Record<string, unknown>) {
    await device.event('call', 'ended', { direction: 'outgoing', ...facts });
    await device.callState('idle');
  }

  async function talksAndHangsUp() {
    await device.event('call', 'answered', { direction: 'outgoing', codec: 'PCMA' });
    await device.do('hang up');
    await over({ by: 'us' });
  }

  test('is answered and hangs up', async () => {
    const called = await calls('uas-hung-up');
    await device.event('call', 'ringback');
    await talksAndHangsUp();
    await called.passes();
  });

  test('is answered, the other side hangs up', async () => {
    const called = await calls('uas-bye');
    await called.passes();
    await over({ by: 'them' });
  });

  test('hears early media', async () => {
    const called = await calls('uas-early-media');
    await device.event('call', 'ringback');
    await talksAndHangsUp();
    await called.passes();
  });

  test('acknowledges early media that must arrive', async () => {
    const called = await calls('uas-100rel');
    await device.event('call', 'ringback');
    await talksAndHangsUp();
    await called.passes();
  });

  test.each([401, 407])('answers a challenge of %i', async status => {
    const called = await calls(`uas-challenge-${status}`);
    await talksAndHangsUp();
    await called.passes();
  });

  test('is not let in with this password', async () => {
    const called = await calls('uas-wrong-password');
    await called.passes();
    await over({ by: 'refusal', status: 407 });
  });

  test.each([
    [486, 'Busy Here'],
    [404, 'Not Found'],
    [603, 'Decline'],
    [500, 'Server Internal Error'],
  ])('is refused with %i %s', async (status, reason) => {
    const called = await calls(`uas-refuses-${status}`);
    await called.passes();
    await over({ by: 'refusal', status, why: reason });
  });

  test('asks for a longer session where the shorter is refused', async () => {
    const called = await calls('uas-session-timer');
    await talksAndHangsUp();
    await called.passes();
  });

  test('gives up while it rings', async () => {
    const called = await calls('uas-rings');
    await device.event('call', 'ringback');
    await device.do('hang up');
    await called.passes();
    await over({ by: 'us', talkedForSeconds: 0 });
  });

  test('gives up, but the answer was on its way', async () => {
    const called = await calls('uas-crossing');
    await device.event('call', 'ringback');
    await device.do('hang up');
    await called.passes();
    await over({ by: 'us', talkedForSeconds: 0 });
  });

  test('two telephones answer: the first is talked to, the second sent home', async () => {
    const called = await calls('uas-fork');
    await device.event('call', 'answered');
    await until('the second was sent home', () => called.count(/^BYE /) > 0);
    expect((await device.status()).call.state).toBe('talking');
    await device.do('hang up');
    await called.passes();
    await over({ by: 'us' });
  });

  test('nobody answers within the limit', async () => {
    const called = await calls('uas-rings');
    await called.passes();
    await over({ by: 'failure', why: /no answer/ });
  });

  test('follows a redirection', async () => {
    const elsewhere = await startSipp(bench, 'uas-hung-up');
    const called = await calls('uas-redirects', { keys: { elsewhere: String(elsewhere.port) } });
    await called.passes();
    await talksAndHangsUp();
    await elsewhere.passes();
  });

  test('says its INVITE again until it is answered', async () => {
    const before = (await device.status()).sip.retransmissions;
    const called = await calls('uas-slow');
    await talksAndHangsUp();
    await called.passes();
    // At 0.5 and 1.5 s (RFC 3261 §17.1.1.2).
    expect((await device.status()).sip.retransmissions - before).toBeGreaterThanOrEqual(2);
  });

  test('says its ACK again for each copy of the 200', async () => {
    const called = await calls('uas-lost-ack');
    await device.event('call', 'answered');
    await device.callState('talking');
    await passes(800);
    await device.do('hang up');
    await called.passes();
    await over({ by: 'us' });
  });

  test('nobody is there', async () => {
    await device.do(`call sip:desk@${HOST}:${await sipPort()}`);
    await over({ by: 'failure', talkedForSeconds: 0 });
  });
});

test('the device calls by way of its outbound proxy', async () => {
  const bench = new Bench();
  onTestFinished(() => bench.stop());
  const proxy = await startSipp(bench, 'uas-proxied');
  const outboundProxy = `sip:${HOST}:${proxy.port}`;
  const device = await startDevice(bench, {
    config: {
      ...QUIET,
      // The scenario knows no OPTIONS.
      sip: { accounts: { pbx: { uri: 'sip:front@porter.invalid', register: false, outboundProxy, ping: '0 s' } } },
    },
  });
  await device.do('call sip:desk@porter.invalid');
  await device.event('call', 'answered');
  await device.do('hang up');
  await proxy.passes();
  await device.event('call', 'ended', { by: 'us' });
});
