/** SUBSCRIBE to what the device does: who is told what, when, and for how long (RFC 6665 §4.2). */
import { describe, expect, test } from 'vitest';
import { leastExpiresS, mostExpiresS, subscriptionLimit } from '../../../../firmware/sip/event/notifier.ts';
import { sdp } from '../../../sim/sip-phone.ts';
import { type Line, request, stage } from '../stage.ts';

interface Ask extends Line {
  event?: string;
  expires?: number | string | undefined;
  contact?: string;
}

const subscribe = ({
  event = 'dialog',
  expires = 600,
  contact = '<sip:peer@192.0.2.2>',
  more = '',
  ...line
}: Ask = {}) =>
  request({
    method: 'SUBSCRIBE',
    more: [
      `Event: ${event}`,
      ...(expires === '' ? [] : [`Expires: ${expires}`]),
      ...(contact === '' ? [] : [`Contact: ${contact}`]),
      more,
    ]
      .join('\n')
      .trim(),
    ...line,
  });

/** A peer that takes each NOTIFY as `answer` says; 0: silence. */
function watching(ask: Ask = {}, answer = 200) {
  const all = stage({ trusts: ['192.0.2.2'] });
  const { clock, peer } = all;
  const answers = { status: answer, headers: [] as [string, string][] };
  peer.onRequest = received => {
    if (received.method === 'NOTIFY' && answers.status !== 0)
      peer.reply(received, answers.status, { headers: answers.headers });
    else if (received.method === 'INVITE')
      peer.reply(received, 200, { headers: [['Contact', '<sip:peer@192.0.2.2>']], body: sdp('answer') });
    else if (received.method === 'BYE') peer.reply(received, 200);
  };
  all.say(subscribe(ask));
  const notified = () => peer.requests('NOTIFY');
  const states = () => notified().map(({ headers }) => headers.get('Subscription-State'));
  const bodies = () => notified().map(({ body }) => new TextDecoder().decode(body));
  let sequence = 1;
  const again = (more: Ask = {}) => {
    sequence++;
    const to = peer
      .responses(200)
      .find(({ headers }) => headers.get('CSeq') === '1 SUBSCRIBE')!
      .headers.get('To')!;
    all.say(subscribe({ ...ask, to, sequence, branch: `z9hG4bK-s${sequence}`, ...more }));
  };
  const { counters } = all.userAgent;
  const alive = () => all.userAgent.watchers;
  return { ...all, clock, answers, notified, states, bodies, again, counters, alive };
}

describe('a subscription', () => {
  test('is granted, and what is there is told at once', () => {
    const { peer, notified, bodies } = watching();
    const [granted] = peer.responses(200);
    expect(granted!.headers.get('Expires')).toBe('600');
    expect(granted!.headers.get('Contact')).toBe('<sip:user@192.0.2.1:5060>');
    const [{ headers, uri }] = notified() as [ReturnType<typeof notified>[number]];
    expect(uri).toBe('sip:peer@192.0.2.2');
    expect(headers.get('Event')).toBe('dialog');
    expect(headers.get('Subscription-State')).toBe('active;expires=600');
    expect(headers.get('Content-Type')).toBe('application/dialog-info+xml');
    expect(headers.get('To')).toBe('"Peer" <sip:peer@192.0.2.2>;tag=p1');
    expect(bodies()[0]).toContain('version="0" state="full" entity="sip:user@192.0.2.1:5060"></dialog-info>');
  });

  test('keeps the id of its event', () => {
    expect(watching({ event: 'presence;id=7' }).notified()[0]!.headers.get('Event')).toBe('presence;id=7');
  });

  test('ends when its time is up, and says so', () => {
    const { clock, states, alive } = watching();
    clock.advance(599_000);
    expect(alive()).toBe(1);
    clock.advance(2_000);
    expect(states()).toEqual(['active;expires=600', 'terminated;reason=timeout']);
    expect(alive()).toBe(0);
    expect(clock.armed.filter(name => name.includes('subscription'))).toEqual([]);
  });

  test('goes on when it is refreshed, and is told the state again', () => {
    const { clock, again, states, bodies } = watching();
    clock.advance(500_000);
    again();
    clock.advance(500_000);
    expect(states()).toEqual(['active;expires=600', 'active;expires=600']);
    expect(bodies()[1]).toContain('version="1"');
  });

  test('is ended by its holder with Expires: 0', () => {
    const { again, peer, states, alive } = watching();
    again({ expires: 0 });
    expect(peer.statuses).toEqual([200, 200]);
    expect(states().at(-1)).toBe('terminated;reason=timeout');
    expect(alive()).toBe(0);
    again();
    expect(peer.statuses.at(-1)).toBe(481);
  });

  test('of no time at all is a question, answered once (§4.4.3)', () => {
    const { peer, states, bodies, alive } = watching({ expires: 0, event: 'presence' });
    expect(peer.responses(200)[0]!.headers.get('Expires')).toBe('0');
    expect(states()).toEqual(['terminated;reason=timeout']);
    expect(bodies()[0]).toContain('<basic>open</basic>');
    expect(alive()).toBe(0);
  });

  test.each([
    ['', mostExpiresS],
    ['nonsense', mostExpiresS],
    [99_999_999_999, mostExpiresS],
    [leastExpiresS, leastExpiresS],
  ])('that asks for %j seconds gets %i', (expires, granted) => {
    expect(watching({ expires }).peer.responses(200)[0]!.headers.get('Expires')).toBe(String(granted));
  });

  test.each([200, 481])('that takes no NOTIFY any more (%i) is left', status => {
    const { again, answers, clock, alive } = watching();
    answers.status = status === 200 ? 0 : status;
    again();
    clock.advance(33_000);
    expect(alive()).toBe(0);
  });

  test('that asks for patience is told the newest state later', () => {
    const { again, answers, clock, notified, alive } = watching();
    Object.assign(answers, { status: 503, headers: [['Retry-After', '5']] });
    again();
    answers.status = 200;
    clock.advance(4_900);
    expect(notified().length).toBe(2);
    clock.advance(200);
    expect(notified().length).toBe(3);
    expect(alive()).toBe(1);
  });

  test('ends with the device, which is not there any more', () => {
    const { clock, userAgent, states, bodies } = watching({ event: 'presence' });
    let stopped = false;
    userAgent.stop(2_000, () => {
      stopped = true;
    });
    clock.advance(100);
    expect(stopped).toBe(true);
    expect(states().at(-1)).toBe('terminated;reason=probation;retry-after=60');
    expect(bodies().at(-1)).toContain('<basic>closed</basic>');
    expect(userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
  });

  test('whose holder is silent does not keep the device from stopping', () => {
    const { clock, userAgent, answers } = watching();
    answers.status = 0;
    let stopped = false;
    userAgent.stop(2_000, () => {
      stopped = true;
    });
    clock.advance(2_001);
    expect(stopped).toBe(true);
    expect(userAgent.alive.timers).toBe(0);
  });
});

describe('what changes', () => {
  const states = (document: string) => [...document.matchAll(/<state>(\w+)<\/state>/g)].map(([, state]) => state);

  test('is told at most once a second, and the end of a call once', () => {
    const { clock, say, phone, bodies, notified } = watching();
    clock.advance(5_000);
    say(request({ body: 'offer', callId: 'a-call' }));
    expect(states(bodies()[1]!)).toEqual(['early']);
    expect(bodies()[1]).toContain('<dialog id="a-call" call-id="a-call" local-tag="');
    expect(bodies()[1]).toContain('remote-tag="p1" direction="recipient"');
    expect(bodies()[1]).toContain('<identity display="Peer">sip:peer@192.0.2.2</identity>');
    phone.call!.accept(sdp('answer'));
    phone.call!.hangUp();
    clock.advance(900);
    expect(notified().length).toBe(2);
    clock.advance(200);
    expect(bodies().slice(2).map(states)).toEqual([['terminated']]);
    phone.heard.length = 0;
    say(request({ body: 'offer', callId: 'b-call', branch: 'z9hG4bK-b' }));
    clock.advance(2_000);
    expect(bodies().slice(3).map(states)).toEqual([['early']]);
  });

  test('a call of ours goes from trying to confirmed', () => {
    const { clock, phone, bodies, peer } = watching();
    const answer = peer.onRequest;
    let waiting: Parameters<typeof answer>[0] | undefined;
    peer.onRequest = received => {
      if (received.method === 'INVITE') waiting = received;
      else answer(received);
    };
    clock.advance(2_000);
    phone.dial('sip:peer@192.0.2.2');
    clock.advance(1_500);
    answer(waiting!);
    clock.advance(1_500);
    expect(bodies().map(states)).toEqual([[], ['trying'], ['confirmed']]);
    expect(bodies()[1]).toContain('direction="initiator"');
  });

  test('never overtakes what has not been answered', () => {
    const { answers, clock, say, phone, notified } = watching();
    answers.status = 0;
    clock.advance(2_000);
    say(request({ body: 'offer', callId: 'a-call' }));
    phone.call!.refuse(486);
    clock.advance(20_000);
    const sequences = notified().map(({ headers }) => headers.get('CSeq'));
    expect(new Set(sequences).size).toBe(2);
  });

  test('for presence is that somebody is on the phone', () => {
    const { clock, say, bodies } = watching({ event: 'presence' });
    clock.advance(2_000);
    say(request({ body: 'offer', callId: 'a-call' }));
    expect(bodies()[0]).not.toContain('on-the-phone');
    expect(bodies()[1]).toContain('<basic>open</basic>');
    expect(bodies()[1]).toContain('<rpid:on-the-phone/>');
    expect(bodies()[1]).toContain('<note>On the phone</note>');
  });
});

describe('is refused and counted', () => {
  test.each([
    ['an event that we do not have', { event: 'conference' }, 489, 'Allow-Events'],
    ['no event', { event: '' }, 489, 'Allow-Events'],
    ['a document that we cannot write', { more: 'Accept: text/html' }, 406, 'Accept'],
    ['a time too brief', { expires: leastExpiresS - 1 }, 423, 'Min-Expires'],
    ['nowhere to tell it', { contact: '' }, 400, 'Call-ID'],
  ] as const)('%s', (_, ask, status, header) => {
    const { peer, counters, alive } = watching(ask);
    expect(peer.statuses).toEqual([status]);
    expect(peer.responses(status)[0]!.headers.has(header)).toBe(true);
    expect(counters.refusedSubscriptions).toBe(1);
    expect(alive()).toBe(0);
  });

  test('a stranger; who has the password is asked for it', () => {
    const strange = stage({ trusts: [] });
    strange.say(subscribe());
    expect(strange.peer.statuses).toEqual([403]);
    const asked = stage({ trusts: [], account: { password: 'secret' } });
    asked.say(subscribe());
    expect(asked.peer.statuses).toEqual([401]);
    expect(asked.userAgent.counters.refusedSubscriptions).toBe(1);
  });

  test('another request in its dialog', () => {
    const { peer, say } = watching();
    const to = peer.responses(200)[0]!.headers.get('To')!;
    for (const [sequence, method] of [
      [2, 'BYE'],
      [3, 'INFO'],
      [4, 'OPTIONS'],
      [2, 'SUBSCRIBE'],
    ] as const)
      say(
        request({
          method,
          to,
          sequence,
          branch: `z9hG4bK-${method}`,
          more: method === 'SUBSCRIBE' ? 'Event: dialog' : '',
        }),
      );
    expect(peer.statuses).toEqual([200, 481, 481, 200, 500]);
  });
});

test.each(['*/*', 'application/*', 'text/html, application/dialog-info+xml;q=0.1'])('Accept: %s takes it', accept => {
  expect(watching({ more: `Accept: ${accept}` }).peer.statuses).toEqual([200]);
});

test(`above ${subscriptionLimit} subscriptions the one with the least time left goes`, () => {
  const { clock, say, notified, alive } = watching({ expires: 600, callId: 'first' });
  for (let index = 1; index < subscriptionLimit; index++)
    say(subscribe({ callId: `more-${index}`, branch: `z9hG4bK-m${index}`, expires: index === 7 ? 300 : 900 }));
  expect(alive()).toBe(subscriptionLimit);
  say(subscribe({ callId: 'last', branch: 'z9hG4bK-last', expires: 60 }));
  clock.advance(100);
  expect(alive()).toBe(subscriptionLimit);
  const over = notified().filter(({ headers }) => headers.get('Subscription-State')!.startsWith('terminated'));
  expect(over.map(({ headers }) => headers.get('Call-ID'))).toEqual(['more-7']);
});

test('subscribers that do not even hear that they are over are not piled up without end', () => {
  const { answers, say, peer, alive } = watching({ callId: 'first' });
  answers.status = 0;
  for (let index = 1; index < 3 * subscriptionLimit; index++)
    say(subscribe({ callId: `more-${index}`, branch: `z9hG4bK-m${index}` }));
  expect(alive()).toBe(2 * subscriptionLimit);
  expect(peer.responses(503).length).toBe(subscriptionLimit);
});

test('where nobody listens SUBSCRIBE is a method that we do not have', () => {
  const { peer, say } = stage();
  say(subscribe());
  expect(peer.statuses).toEqual([405]);
});
