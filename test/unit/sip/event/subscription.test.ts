/** A subscription of ours: how it is had, kept, and had again (RFC 6665 §4.1). */
import { describe, expect, test } from 'vitest';
import type { SubscriptionOptions } from '../../../../firmware/sip/event/contracts.ts';
import { ownSubscriptionLimit } from '../../../../firmware/sip/event/subscriber.ts';
import type { Request } from '../../../../firmware/sip/message/message.ts';
import { textOf } from '../../../sim/sip-phone.ts';
import { request, stage } from '../stage.ts';

const wanted: SubscriptionOptions = {
  target: 'sip:desk@192.0.2.2',
  event: 'presence',
  accept: ['application/pidf+xml'],
  expiresMs: 600_000,
};

interface Server {
  /** What a SUBSCRIBE is answered; 0: silence. */
  answer(received: Request): number;
  headers?: [string, string][];
  /** Subscription-State of the NOTIFY that follows a 2xx; undefined: none does. */
  state?: string | undefined;
  body?: string;
}

function subscribed(server: Partial<Server> = {}, options: Partial<SubscriptionOptions> = {}) {
  const all = stage({ account: { password: 'secret' } });
  const { clock, peer, userAgent } = all;
  const play: Server = { answer: () => 200, state: 'active;expires=600', body: '', ...server };
  const heard: string[] = [];
  let sequence = 0;
  const notify = (
    state: string | undefined,
    { body = '', from = 'server', event = 'presence', type = 'application/pidf+xml', more = '', of = -1 } = {},
  ) => {
    const { headers } = peer.requests('SUBSCRIBE').at(of)!;
    sequence++;
    const text = request({
      method: 'NOTIFY',
      uri: 'sip:user@192.0.2.1',
      branch: `z9hG4bK-n${sequence}`,
      from: `<sip:desk@192.0.2.2>;tag=${from}`,
      to: headers.get('From')!,
      callId: headers.get('Call-ID')!,
      sequence,
      more: `Event: ${event}\nContact: <sip:kept@192.0.2.2>\n${state === undefined ? '' : `Subscription-State: ${state}`}\n${more}`.replaceAll(
        '\n\n',
        '\n',
      ),
      body,
    }).replace('application/sdp', type);
    all.say(text);
  };
  peer.onRequest = received => {
    if (received.method !== 'SUBSCRIBE') return;
    const status = play.answer(received);
    if (status === 0) return;
    const grants: [string, string][] =
      status < 300
        ? [
            ['Expires', received.headers.get('Expires')!],
            ['Contact', '<sip:kept@192.0.2.2>'],
          ]
        : [];
    peer.reply(received, status, { tag: 'server', headers: [...grants, ...(play.headers ?? [])] });
    if (status < 300 && play.state !== undefined && received.headers.get('Expires') !== '0')
      clock.after(0, () => notify(play.state, { body: play.body ?? '' }), 'NOTIFY');
  };
  const stop = userAgent.subscribe(
    { ...wanted, ...options },
    {
      onState: state => heard.push(state.is === 'failed' ? `failed ${state.status ?? ''} ${state.why}` : state.is),
      onNotify: (body, isFirst) => heard.push(`notified ${textOf(body) ?? ''}${isFirst ? ' first' : ''}`),
    },
  );
  clock.advance(2_500);
  const asked = () => peer.requests('SUBSCRIBE');
  return { ...all, play, heard, notify, stop, asked };
}

describe('is asked for', () => {
  test('with what is understood, and heard of from then on', () => {
    const { asked, heard, notify, peer } = subscribed({ body: 'open' });
    const [{ headers, uri }] = asked() as [Request];
    expect(uri).toBe('sip:desk@192.0.2.2');
    expect(headers.get('Event')).toBe('presence');
    expect(headers.get('Accept')).toBe('application/pidf+xml');
    expect(headers.get('Expires')).toBe('600');
    expect(headers.get('Contact')).toBe('<sip:user@192.0.2.1:5060>');
    notify('active', { body: 'closed' });
    expect(heard).toEqual(['asking', 'active', 'notified open first', 'active', 'notified closed']);
    expect(peer.statuses).toEqual([200, 200]);
  });

  test('and the NOTIFY may come before the 200, or instead of it for a while (§4.4.1)', () => {
    const { heard, notify, asked, clock, peer } = subscribed({ answer: () => 0 });
    notify('pending;expires=300');
    expect(heard).toEqual(['asking', 'pending', 'notified  first']);
    peer.reply(asked()[0]!, 202, { headers: [['Expires', '300']] });
    clock.advance(10);
    expect(asked().length).toBeLessThan(5);
  });

  test('with a password where that is asked for', () => {
    const challenge = 'Digest realm="pbx", nonce="f84f1cec41e6cbe5aea9c8e88d359", algorithm=SHA-256, qop="auth"';
    const { asked, heard } = subscribed({
      answer: received => (received.headers.has('Authorization') ? 200 : 401),
      headers: [['WWW-Authenticate', challenge]],
    });
    expect(asked().map(({ headers }) => headers.get('CSeq'))).toEqual(['1 SUBSCRIBE', '2 SUBSCRIBE']);
    expect(heard).toEqual(['asking', 'active', 'notified  first']);
  });

  test('for longer where the time is too brief, and not in circles', () => {
    const { asked, heard } = subscribed({
      answer: received => (received.headers.get('Expires') === '600' ? 423 : 200),
      headers: [['Min-Expires', '1800']],
    });
    expect(asked().map(({ headers }) => headers.get('Expires'))).toEqual(['600', '1800']);
    expect(heard.at(-1)).toBe('notified  first');
    const circles = subscribed({ answer: () => 423, headers: [['Min-Expires', '600']] });
    expect(circles.asked().length).toBeLessThan(4);
    expect(circles.heard.at(-1)).toBe('failed 423 Interval Too Brief');
  });
});

describe('is kept', () => {
  test('by a refresh in its dialog, before its time is up', () => {
    const { asked, clock } = subscribed();
    clock.advance(479_000);
    expect(asked().length).toBe(1);
    clock.advance(62_000);
    const [first, second] = asked() as [Request, Request];
    expect(second.uri).toBe('sip:kept@192.0.2.2');
    expect(second.headers.get('To')).toBe('<sip:desk@192.0.2.2>;tag=server');
    expect(second.headers.get('Call-ID')).toBe(first.headers.get('Call-ID'));
    expect(second.headers.get('CSeq')).toBe('2 SUBSCRIBE');
  });

  test('sooner where the NOTIFY shortens it', () => {
    const { asked, clock } = subscribed({ state: 'active;expires=60' });
    clock.advance(56_000);
    expect(asked().length).toBe(2);
  });

  test('not in a hurry, however little is granted', () => {
    const { asked, clock } = subscribed({ state: 'active;expires=0' });
    clock.advance(60_000);
    expect(asked().length).toBeLessThan(15);
  });

  test('to the end of what was granted, where a refresh fails for a moment', () => {
    const { asked, clock, play, heard } = subscribed();
    play.answer = () => 500;
    clock.advance(545_000);
    expect(asked().length).toBeGreaterThan(1);
    play.answer = () => 200;
    clock.advance(120_000);
    expect(heard.filter(line => line.startsWith('failed'))).toEqual([]);
    expect(new Set(asked().map(({ headers }) => headers.get('Call-ID'))).size).toBe(1);
  });

  test('in a new dialog where the peer has forgotten the old one', () => {
    const { asked, clock, play, heard } = subscribed();
    let refused = false;
    play.answer = () => {
      if (refused) return 200;
      refused = true;
      return 481;
    };
    clock.advance(560_000);
    expect(heard).toContain('failed 481 Call/Transaction Does Not Exist');
    expect(heard.at(-1)).toBe('notified  first');
    expect(new Set(asked().map(({ headers }) => headers.get('Call-ID'))).size).toBe(2);
  });
});

describe('is asked for again', () => {
  test.each([
    ['deactivated', 1_100],
    ['timeout', 1_100],
    ['probation', 31_000],
    ['probation;retry-after=120', 121_000],
    ['giveup', 31_000],
    ['rejected', 601_000],
    ['noresource', 601_000],
    ['whatever', 31_000],
  ])('after an end by %s', (reason, withinMs) => {
    const { asked, clock, heard, notify } = subscribed();
    notify(`terminated;reason=${reason}`);
    expect(heard.at(-1)).toMatch(/^failed {2}ended: /);
    clock.advance(withinMs / 3);
    expect(asked().length).toBe(1);
    clock.advance(withinMs);
    expect(asked().length).toBe(2);
  });

  test('after a refusal, ever more seldom', () => {
    const { asked, clock } = subscribed({ answer: () => 503 });
    clock.advance(3_600_000);
    expect(asked().length).toBeGreaterThan(10);
    expect(asked().length).toBeLessThan(40);
  });

  test.each([403, 404, 489])('after %i not before ten minutes', status => {
    const { asked, clock } = subscribed({ answer: () => status });
    clock.advance(590_000);
    expect(asked().length).toBe(1);
    clock.advance(20_000);
    expect(asked().length).toBe(2);
  });

  test('after silence, and after a 200 that no NOTIFY follows (timer N)', () => {
    expect(subscribed({ answer: () => 0 }).clock.armed).toContain('timer N');
    const { clock, heard, notify, peer } = subscribed({ state: undefined });
    clock.advance(31_000);
    expect(heard.at(-1)).toBe('failed  no NOTIFY came');
    notify('active', { of: 0 });
    expect(peer.statuses.at(-1)).toBe(481);
  });
});

describe('a NOTIFY', () => {
  test.each([
    ['of another event', { event: 'dialog' }, 489],
    ['of a fork', { from: 'another' }, 481],
    ['with a document that is not understood', { body: 'x', type: 'text/html' }, 415],
    ['with a document without end', { body: 'x'.repeat(16_385) }, 413],
  ])('%s is refused', (_, line, status) => {
    const { heard, notify, peer } = subscribed();
    notify('active', line);
    expect(peer.statuses.at(-1)).toBe(status);
    expect(heard).toEqual(['asking', 'active', 'notified  first']);
  });

  test('with nonsense for a state counts as active', () => {
    const { heard, notify } = subscribed();
    notify('<<;;=', { body: 'a' });
    notify(undefined, { body: 'b' });
    expect(heard.slice(3)).toEqual(['active', 'notified a', 'active', 'notified b']);
  });

  test('that ends it may say a last thing', () => {
    const { heard, notify } = subscribed();
    notify('terminated;reason=timeout', { body: 'closed' });
    expect(heard.slice(3)).toEqual(['notified closed', 'failed  ended: timeout']);
  });
});

test('ends with Expires: 0, and is not heard of any more', () => {
  const { asked, clock, heard, notify, peer, stop, userAgent } = subscribed();
  stop();
  clock.advance(10);
  expect(asked().at(-1)!.headers.get('Expires')).toBe('0');
  notify('terminated;reason=timeout');
  expect(peer.statuses.at(-1)).toBe(481);
  expect(heard.length).toBe(3);
  clock.advance(40_000);
  expect(userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
});

test('ends with the device', () => {
  const { asked, clock, userAgent } = subscribed();
  let stopped = false;
  userAgent.stop(2_000, () => {
    stopped = true;
  });
  clock.advance(10);
  expect(stopped).toBe(true);
  expect(asked().at(-1)!.headers.get('Expires')).toBe('0');
  expect(clock.armed).toEqual([]);
});

test(`more than ${ownSubscriptionLimit} are not taken`, () => {
  const { clock, userAgent } = stage();
  const heard: string[] = [];
  const handler = { onState: (state: { is: string }) => heard.push(state.is), onNotify() {} };
  for (let index = 0; index <= ownSubscriptionLimit; index++) userAgent.subscribe(wanted, handler);
  clock.advance(1);
  expect(heard.filter(state => state === 'failed').length).toBe(1);
});

test('a target that is none, or an account that does not exist, is our mistake', () => {
  const { userAgent } = stage();
  const handler = { onState() {}, onNotify() {} };
  expect(() => userAgent.subscribe({ ...wanted, target: 'desk' }, handler)).toThrow('desk');
  expect(() => userAgent.subscribe({ ...wanted, account: 'none' }, handler)).toThrow('no account none');
});
