/** Session timers (RFC 4028): what is asked, agreed and refreshed, on both sides and in both roles. */
import { describe, expect, test } from 'vitest';
import type { Request } from '../../../../firmware/sip/message/message.ts';
import { sdp } from '../../../sim/sip-phone.ts';
import { type Line, request, stage } from '../stage.ts';

const contact = ['Contact', '<sip:peer@192.0.2.2>'] as const;
const expires = (peer: { headers: { get(name: string): string | undefined } }) => peer.headers.get('Session-Expires');

/** A call that we make; `answer` gives the header fields of the 200, or a status that refuses. */
function calling(
  answer: (received: Request, count: number) => readonly (readonly [string, string])[] | number,
  sessionExpiresMs = 1_800_000,
) {
  const all = stage({ settings: { sessionExpiresMs } });
  const { clock, peer, phone } = all;
  let count = 0;
  peer.onRequest = received => {
    if (received.method === 'BYE') peer.reply(received, 200);
    if (received.method !== 'INVITE' && received.method !== 'UPDATE') return;
    const given = answer(received, count++);
    if (given === 0) return;
    if (typeof given === 'number') peer.reply(received, given, { headers: [['Min-SE', '600']] });
    else {
      const isOffer = received.body.length > 0;
      peer.reply(received, 200, { headers: [contact, ...given], ...(isOffer && { body: sdp('answer') }) });
    }
  };
  phone.dial('sip:peer@192.0.2.2');
  clock.advance(10);
  return all;
}

describe('our INVITE', () => {
  test('asks for the session interval, and leaves the refresher to the peer', () => {
    const { peer } = calling(() => []);
    const [invite] = peer.requests('INVITE');
    expect(invite!.headers.all('Supported')).toContain('timer');
    expect(expires(invite!)).toBe('1800');
    expect(invite!.headers.has('Min-SE')).toBe(false);
  });

  test('asks for nothing where that is off, but knows the extension', () => {
    const { peer } = calling(() => [], 0);
    expect(peer.requests('INVITE')[0]!.headers.has('Session-Expires')).toBe(false);
    expect(peer.requests('INVITE')[0]!.headers.all('Supported')).toContain('timer');
  });

  test('never asks for less than 90 s', () => {
    expect(expires(calling(() => [], 10_000).peer.requests('INVITE')[0]!)).toBe('90');
  });

  test('answered 422 is sent again with the Min-SE of the answer, in the same call (§7.3)', () => {
    const { peer, phone } = calling((_, count) => (count === 0 ? 422 : []), 100_000);
    const [first, second] = peer.requests('INVITE');
    expect(expires(second!)).toBe('600');
    expect(second!.headers.get('Min-SE')).toBe('600');
    expect(second!.headers.get('Call-ID')).toBe(first!.headers.get('Call-ID'));
    expect(second!.headers.get('CSeq')).toBe('2 INVITE');
    expect(phone.call!.state).toBe('confirmed');
  });

  test('answered 422 for ever has failed', () => {
    const { peer, phone, userAgent } = calling(() => 422, 100_000);
    expect(peer.requests('INVITE').length).toBe(2);
    expect(phone.heard).toEqual(['ended by refusal 422']);
    expect(userAgent.alive.calls).toBe(0);
  });

  test('answered without Session-Expires makes a call that is not timed', () => {
    const { clock, phone, peer } = calling(() => []);
    clock.advance(10_000_000);
    expect(phone.call!.state).toBe('confirmed');
    expect(peer.received.length).toBe(2);
  });
});

describe('where we refresh', () => {
  const uac = ['Session-Expires', '100;refresher=uac'] as const;

  test('UPDATE without body goes at half of the time, and each answer starts it anew', () => {
    const { clock, peer, phone } = calling(() => [uac, ['Allow', 'INVITE, UPDATE']]);
    clock.advance(49_980);
    expect(peer.requests('UPDATE').length).toBe(0);
    clock.advance(1_000);
    const [update] = peer.requests('UPDATE');
    expect(expires(update!)).toBe('100;refresher=uac');
    expect(update!.body.length).toBe(0);
    clock.advance(1_000_000);
    expect(peer.requests('UPDATE').length).toBe(21);
    expect(phone.call!.state).toBe('confirmed');
  });

  test('a peer that has no UPDATE gets a re-INVITE with the present offer', () => {
    const { clock, peer, phone } = calling(() => [uac]);
    clock.advance(50_020);
    expect(phone.heard.slice(-2)).toEqual(['refresh', 'reoffered answer']);
    expect(expires(peer.requests('INVITE')[1]!)).toBe('100;refresher=uac');
    clock.advance(500_000);
    expect(peer.requests('INVITE').length).toBe(12);
  });

  test('a peer that refuses the UPDATE that it allows gets a re-INVITE', () => {
    const { clock, peer, phone } = calling(({ method }) =>
      method === 'UPDATE' ? 405 : [uac, ['Allow', 'INVITE, UPDATE']],
    );
    clock.advance(70_000);
    expect([peer.requests('UPDATE').length, peer.requests('INVITE').length]).toEqual([1, 2]);
    clock.advance(300_000);
    expect(peer.requests('UPDATE').length).toBe(1);
    expect(phone.call!.state).toBe('confirmed');
  });

  test.each([481, 408])('%i ends the call', status => {
    const { clock, peer, phone } = calling(({ method }) => (method === 'UPDATE' ? status : [uac, ['Allow', 'UPDATE']]));
    clock.advance(51_000);
    expect(phone.heard.at(-1)).toMatch(/^ended by failure/);
    expect(peer.requests('BYE').length).toBe(1);
  });

  test('a peer that is not there any more: BYE and the end', () => {
    const { clock, phone } = calling(({ method }) => (method === 'UPDATE' ? 0 : [uac, ['Allow', 'UPDATE']]));
    clock.advance(83_000);
    expect(phone.heard.at(-1)).toBe('ended by failure no answer from 192.0.2.2:5060');
  });

  test('a peer that refuses every refresh: BYE when the time is over (§10)', () => {
    const { clock, peer, phone } = calling((_, count) => (count === 0 ? [uac] : 488));
    clock.advance(99_000);
    expect(phone.call!.state).toBe('confirmed');
    clock.advance(1_100);
    expect(phone.heard.at(-1)).toBe('ended by failure the session was not refreshed in time');
    const [bye] = peer.requests('BYE');
    expect(bye!.headers.get('Reason')).toBe('SIP;cause=408;text="the session was not refreshed in time"');
  });

  test('422 to the refresh is obeyed', () => {
    const { clock, peer } = calling((_, count) => (count === 1 ? 422 : [uac, ['Allow', 'UPDATE']]));
    clock.advance(51_000);
    expect(peer.requests('UPDATE').map(expires)).toEqual(['100;refresher=uac', '600;refresher=uac']);
  });

  test('hanging up leaves nothing armed', () => {
    const { clock, phone, userAgent } = calling(() => [uac]);
    phone.call!.hangUp();
    clock.advance(40_000);
    expect(userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
  });
});

describe('where the peer refreshes', () => {
  const uas = ['Session-Expires', '120;refresher=uas'] as const;

  test('nothing of ours goes out, and without a refresh comes BYE 32 s before the end (§10)', () => {
    const { clock, peer, phone } = calling(() => [uas]);
    clock.advance(87_000);
    expect(peer.requests('BYE').length).toBe(0);
    clock.advance(1_100);
    expect(peer.requests('BYE').length).toBe(1);
    expect(phone.heard.at(-1)).toBe('ended by failure the session was not refreshed in time');
  });

  test('BYE comes a third before the end of a short session', () => {
    const { clock, peer } = calling(() => [['Session-Expires', '90;refresher=uas']]);
    clock.advance(59_000);
    expect(peer.requests('BYE').length).toBe(0);
    clock.advance(1_100);
    expect(peer.requests('BYE').length).toBe(1);
  });
});

/** A call that comes to us and is answered; `inside` says a request within it. */
function called(line: Line, sessionExpiresMs = 0) {
  const all = stage({ settings: { sessionExpiresMs } });
  all.say(request({ body: 'offer', ...line }));
  all.phone.call?.accept(sdp('answer'));
  all.clock.advance(10);
  const to = all.peer.responses(200)[0]?.headers.get('To') ?? '';
  all.say(request({ method: 'ACK', to }));
  const inside = (method: string, sequence: number, more: Line = {}) =>
    all.say(request({ method, sequence, to, branch: `z9hG4bK-${method}-${sequence}`, ...more }));
  return { ...all, inside, ok: all.peer.responses(200)[0] };
}

describe('an INVITE that comes', () => {
  test.each([
    ['Supported: timer\nSession-Expires: 1800', '1800;refresher=uac', true],
    ['Supported: timer\nSession-Expires: 1800;refresher=uas', '1800;refresher=uas', true],
    ['k: timer\nx: 1800 ; Refresher = UAC', '1800;refresher=uac', true],
    // A proxy has asked for a caller that does not know of it.
    ['Session-Expires: 1800', '1800;refresher=uas', false],
    ['Session-Expires: 30', '90;refresher=uas', false],
    ['Supported: timer', undefined, false],
    ['Supported: timer\nSession-Expires: soon', undefined, false],
    ['Supported: timer\nSession-Expires: 1800;;', '1800;refresher=uac', true],
  ])('with %j is answered %s', (more, value, requires) => {
    const { ok } = called({ more });
    expect(expires(ok!)).toBe(value);
    expect(ok!.headers.all('Require')).toEqual(requires ? ['timer'] : []);
  });

  test('of a caller that knows it and asks for nothing gets what we want, and we refresh', () => {
    const { ok } = called({ more: 'Supported: timer\nMin-SE: 2000' }, 1_800_000);
    expect(expires(ok!)).toBe('2000;refresher=uas');
  });

  test('that asks for less than 90 s is answered 422 (§9)', () => {
    const { peer, phone } = called({ more: 'Supported: timer\nSession-Expires: 60' });
    expect(peer.responses(422)[0]!.headers.get('Min-SE')).toBe('90');
    expect(phone.heard).toEqual([]);
  });

  test('that requires the extension is served', () => {
    expect(called({ more: 'Require: timer\nSession-Expires: 90' }).ok).toBeDefined();
  });

  test('and is refreshed goes on; when that ends, it ends', () => {
    const { clock, inside, peer, phone } = called({ more: 'Supported: timer\nSession-Expires: 90' });
    for (let sequence = 2; sequence < 12; sequence++) {
      clock.advance(45_000);
      inside('UPDATE', sequence, { more: 'Supported: timer\nSession-Expires: 90;refresher=uac' });
    }
    expect(peer.responses(200).length).toBe(11);
    expect(expires(peer.responses(200).at(-1)!)).toBe('90;refresher=uac');
    expect(phone.call!.state).toBe('confirmed');
    clock.advance(60_100);
    expect(phone.heard.at(-1)).toBe('ended by failure the session was not refreshed in time');
  });

  test('may let us refresh: UPDATE where the caller knows that', () => {
    const { clock, peer } = called({ more: 'Allow: INVITE, UPDATE\nSession-Expires: 90' });
    clock.advance(45_100);
    expect(peer.requests('UPDATE').length).toBe(1);
    expect(expires(peer.requests('UPDATE')[0]!)).toBe('90;refresher=uac');
  });

  test('is not timed any more after a refresh without Session-Expires', () => {
    const { clock, inside, phone } = called({ more: 'Supported: timer\nSession-Expires: 90' });
    inside('UPDATE', 2);
    clock.advance(1_000_000);
    expect(phone.call!.state).toBe('confirmed');
  });

  test('may be refreshed by re-INVITE, and a too short one is answered 422', () => {
    const { inside, peer } = called({ more: 'Supported: timer\nSession-Expires: 90' });
    inside('INVITE', 2, { body: 'again', more: 'Supported: timer\nSession-Expires: 60' });
    inside('INVITE', 3, { body: 'again', more: 'Supported: timer\nSession-Expires: 200' });
    expect(peer.statuses.slice(-2)).toEqual([422, 200]);
    expect(expires(peer.responses(200).at(-1)!)).toBe('200;refresher=uac');
  });
});
