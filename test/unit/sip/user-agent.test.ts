/** What the user agent says to requests outside any dialog (RFC 3261 §8.2), and how it stops. */
import { describe, expect, test } from 'vitest';
import { parseTarget } from '../../../firmware/sip/target.ts';
import { sdp } from '../../sim/sip-phone.ts';
import { request, stage } from './stage.ts';

describe('a request', () => {
  test('of an unknown method is answered 405 with the methods we know', () => {
    const { peer, say } = stage();
    say(request({ method: 'FROBNICATE' }));
    const [response] = peer.responses(405);
    expect(response!.headers.get('Allow')).toBe('INVITE');
    expect(response!.headers.all('Allow')).toEqual([
      'INVITE',
      'ACK',
      'CANCEL',
      'BYE',
      'OPTIONS',
      'INFO',
      'UPDATE',
      'PRACK',
      'REFER',
      'NOTIFY',
    ]);
  });

  test('that requires an extension is answered 420 with its name', () => {
    const { peer, say, phone } = stage();
    say(request({ more: 'Require: 100rel, frob, Timer' }));
    expect(peer.responses(420)[0]!.headers.all('Unsupported')).toEqual(['frob']);
    expect(phone.heard).toEqual([]);
  });

  test.each(['BYE', 'INVITE', 'OPTIONS'])('%s inside a dialog that does not exist is answered 481', method => {
    const { peer, say, userAgent } = stage();
    say(request({ method, to: '<sip:user@192.0.2.1>;tag=nowhere' }));
    expect(peer.statuses).toEqual([481]);
    expect(userAgent.counters.strayMessages).toBe(1);
  });

  test('BYE without a tag in To is answered 481', () => {
    const { peer, say } = stage();
    say(request({ method: 'BYE' }));
    expect(peer.statuses).toEqual([481]);
  });

  test('CANCEL of nothing is answered 481', () => {
    const { peer, say } = stage();
    say(request({ method: 'CANCEL' }));
    expect(peer.statuses).toEqual([481]);
  });

  test('ACK of nothing is counted and never answered', () => {
    const { peer, say, userAgent } = stage();
    say(request({ method: 'ACK' }));
    expect(peer.received).toEqual([]);
    expect(userAgent.counters.strayMessages).toBe(1);
  });

  test('INVITE without Contact is answered 400 that says so', () => {
    const { peer, say } = stage();
    say(request().replace('Contact: <sip:peer@192.0.2.2>\n', ''));
    expect(peer.responses(400)[0]!.reason).toBe('Missing Contact');
  });

  test('that is malformed is answered 400 with the reason, at once and without a transaction', () => {
    const { peer, say, userAgent } = stage();
    say(request({ method: 'OPTIONS' }).replace('CSeq: 1 OPTIONS', 'CSeq: 1 INVITE'));
    expect(peer.responses(400)[0]!.reason).toBe('CSeq method does not match');
    expect(userAgent.alive.transactions).toBe(0);
    expect(userAgent.counters.malformedMessages).toBe(1);
  });

  test('that is malformed beyond an answer is dropped and counted', () => {
    const { peer, say, userAgent } = stage();
    say('INVITE sip:user@192.0.2.1 SIP/2.0\n\n');
    say('hello?\n\n');
    expect(peer.received).toEqual([]);
    expect(userAgent.counters.malformedMessages).toBe(2);
  });

  test('a malformed ACK is never answered', () => {
    const { peer, say } = stage();
    say(request({ method: 'ACK' }).replace('CSeq: 1 ACK', 'CSeq: x ACK'));
    expect(peer.received).toEqual([]);
  });

  test('a keep-alive of line ends is no mistake', () => {
    const { peer, say, userAgent } = stage();
    say('\n\n');
    peer.send(new TextEncoder().encode('\r\n\r\n'), { host: '192.0.2.1', port: 5060 });
    expect(userAgent.counters.malformedMessages).toBe(0);
  });

  test('copies are answered once by us and again by the transaction', () => {
    const { peer, say, userAgent } = stage();
    say(request({ method: 'OPTIONS' }));
    say(request({ method: 'OPTIONS' }));
    expect(peer.statuses).toEqual([200, 200]);
    expect(userAgent.counters.retransmissions).toBe(1);
    expect(userAgent.alive.transactions).toBe(1);
  });

  test('that came two ways is answered 482 on the second (§8.2.2.2)', () => {
    const { peer, say, phone } = stage();
    say(request({ branch: 'z9hG4bK-one' }));
    say(request({ branch: 'z9hG4bK-two' }));
    expect(peer.statuses).toEqual([180, 482]);
    expect(phone.heard).toEqual(['invite']);
  });

  test('of a further method goes to who serves it, and Allow names it', () => {
    const { peer, say } = stage({ methods: { MESSAGE: transaction => void transaction.respond(202) } });
    say(request({ method: 'MESSAGE' }));
    say(request({ method: 'FROBNICATE' }));
    expect(peer.statuses).toEqual([202, 405]);
    expect(peer.responses(405)[0]!.headers.all('Allow')).toContain('MESSAGE');
  });
});

describe('OPTIONS', () => {
  test('is answered with what we can do (§11.2)', () => {
    const { peer, say } = stage();
    say(request({ method: 'OPTIONS', more: 'Max-Forwards: 0' }).replace('Max-Forwards: 70\n', ''));
    const { headers } = peer.responses(200)[0]!;
    expect(headers.get('Accept')).toBe('application/sdp');
    expect(headers.all('Supported')).toContain('answermode');
    expect(headers.get('Contact')).toBe('<sip:192.0.2.1:5060>');
    expect(headers.get('Server')).toBe('porter/test');
  });

  test('is answered as an INVITE would be: 486 while every line is taken', () => {
    const { peer, say } = stage();
    say(request({ branch: 'z9hG4bK-one' }));
    say(request({ method: 'OPTIONS', callId: 'call-2' }));
    say(request({ branch: 'z9hG4bK-two', callId: 'call-3' }));
    expect(peer.statuses).toEqual([180, 486, 486]);
  });
});

describe('spare calls', () => {
  test('are handed over above the limit, and no more than they', () => {
    const { peer, say } = stage({ settings: { spareCalls: 1 } });
    say(request({ branch: 'z9hG4bK-one' }));
    say(request({ branch: 'z9hG4bK-two', callId: 'call-2' }));
    say(request({ method: 'OPTIONS', callId: 'call-3' }));
    say(request({ branch: 'z9hG4bK-three', callId: 'call-4' }));
    expect(peer.statuses).toEqual([180, 180, 486, 486]);
  });
});

describe('a response goes', () => {
  test('to the source address and the port of Via', () => {
    const { peer, say } = stage();
    say(request({ method: 'OPTIONS' }).replace('UDP 192.0.2.2;', 'UDP client.invalid:5060;'));
    expect(peer.responses(200)[0]!.headers.get('Via')).toContain('received=192.0.2.2');
  });

  test('to the source port where rport asks for it (RFC 3581)', () => {
    const { peer, say } = stage();
    say(request({ method: 'OPTIONS' }).replace('UDP 192.0.2.2;', 'UDP 10.0.0.1:9;rport;'));
    expect(peer.responses(200)[0]!.headers.get('Via')).toContain('rport=5060;');
  });

  test('never to where maddr points', () => {
    const { peer, say } = stage();
    say(request({ method: 'OPTIONS' }).replace('UDP 192.0.2.2;', 'UDP 192.0.2.2;maddr=203.0.113.9;'));
    expect(peer.statuses).toEqual([200]);
  });
});

describe('an incoming call', () => {
  test('is told with its parameters, header fields, source and account', () => {
    const { say, phone } = stage();
    say(request({ uri: 'sip:user@192.0.2.1;Intercom=true', more: 'Call-Info: <x:y>;answer-after=0', body: 'offer' }));
    const { invite, call } = phone;
    expect(invite!.uriParameters).toEqual({ intercom: 'true' });
    expect(invite!.header('call-info')).toEqual(['<x:y>;answer-after=0']);
    expect(invite!.header('Alert-Info')).toEqual([]);
    expect(invite!.toUser).toBe('user');
    expect(invite!.source).toEqual({ host: '192.0.2.2', port: 5060 });
    expect(call!.account).toBe('main');
    expect(call!.remote).toEqual({ uri: 'sip:peer@192.0.2.2', displayName: 'Peer' });
  });

  test.each([
    ['P-Asserted-Identity: "Desk" <sip:desk@example.org>', { uri: 'sip:desk@example.org', displayName: 'Desk' }],
    ['P-Asserted-Identity: <tel:+123>, <sip:desk@example.org>', { uri: 'sip:desk@example.org' }],
    ['P-Asserted-Identity: <tel:+123>', { uri: 'tel:+123' }],
    ['P-Asserted-Identity: "a sip:name" <tel:+123>', { uri: 'tel:+123', displayName: 'a sip:name' }],
    ['P-Asserted-Identity: <sip:', undefined],
    ['', undefined],
  ])('tells whom the network names with %j (RFC 3325)', (more, asserted) => {
    const { say, phone } = stage();
    say(request({ more }));
    expect(phone.invite!.asserted).toEqual(asserted);
    expect(phone.call!.remote.displayName).toBe('Peer');
  });

  test('for nobody we know has no account, and comes all the same', () => {
    const { say, phone } = stage();
    say(request({ uri: 'sip:other@192.0.2.1', to: '<sip:other@192.0.2.1>' }));
    expect(phone.call!.account).toBeUndefined();
  });
});

test('a controller that throws on an INVITE costs that call and no more', () => {
  const { peer, say, phone, userAgent } = stage();
  phone.onInvite = () => {
    throw new Error('fault of the controller');
  };
  // Told through the log, which here throws.
  expect(() => say(request())).toThrow('message not handled');
  say(request({ method: 'OPTIONS', callId: 'call-2' }));
  expect(peer.statuses).toEqual([500, 200]);
  expect(userAgent.alive.calls).toBe(0);
});

describe('a target', () => {
  test.each([
    'tel:front',
    'sips:a@example.org;transport=udp',
    'sip:a@example.org;transport=sctp',
    'front desk',
    'sip:a@b?Subject=x',
  ])('%s cannot be called', target => {
    expect(parseTarget(target)).toHaveProperty('why');
    expect(() => stage().phone.dial(target)).toThrow(TypeError);
  });

  test('of an unknown account cannot be called', () => {
    expect(() => stage().phone.dial('sip:a@192.0.2.2', { account: 'none' })).toThrow('no account none');
  });

  test('can be called without any account, as Anonymous', () => {
    const { phone, peer, clock } = stage({ anonymous: true });
    phone.dial('sip:a@192.0.2.2');
    clock.advance(10);
    expect(peer.requests('INVITE')[0]!.headers.get('From')).toContain('sip:anonymous@anonymous.invalid');
  });
});

test('a call of an anonymous account tells only the server who calls (RFC 3323, RFC 3325)', () => {
  const { phone, peer, clock } = stage({ account: { anonymous: true, displayName: 'Front door' } });
  phone.dial('sip:a@192.0.2.2');
  clock.advance(10);
  const { headers } = peer.requests('INVITE')[0]!;
  expect(headers.get('From')).toMatch(/^"Anonymous" <sip:anonymous@anonymous\.invalid>;tag=/);
  expect(headers.all('Privacy')).toEqual(['id']);
  expect(headers.get('P-Preferred-Identity')).toBe('"Front door" <sip:user@192.0.2.1:5060>');
});

describe('stop', () => {
  test('of an idle user agent is done at once and leaves nothing armed', () => {
    const { clock, userAgent } = stage();
    let done = false;
    userAgent.stop(1_000, () => {
      done = true;
    });
    expect(done).toBe(true);
    expect(clock.armed).toEqual([]);
  });

  test('refuses a call that rings with 480', () => {
    const { clock, peer, say, userAgent } = stage();
    say(request());
    let done = false;
    userAgent.stop(1_000, () => {
      done = true;
    });
    clock.advance(10);
    expect(done).toBe(true);
    expect(peer.statuses).toEqual([180, 480]);
  });

  test('waits for an answered call, refuses new ones, and does not wait for ever', () => {
    const { clock, peer, say, phone, userAgent } = stage({ settings: { maxCalls: 2 } });
    say(request({ branch: 'z9hG4bK-one' }));
    phone.call!.accept(sdp('answer'));
    clock.advance(10);
    let done = 0;
    userAgent.stop(1_000, () => done++);
    // The call waits for its ACK before it may say BYE.
    say(request({ branch: 'z9hG4bK-two', callId: 'call-2' }));
    expect(peer.statuses).toContain(503);
    expect(phone.heard.at(-1)).toBe('ended by us');
    expect(done).toBe(0);
    clock.advance(1_000);
    expect(done).toBe(1);
    expect(clock.armed.filter(name => name !== 'packet')).toEqual([]);
  });

  test('twice is stopping once', () => {
    const { userAgent } = stage();
    let done = 0;
    userAgent.stop(1_000, () => done++);
    userAgent.stop(1_000, () => done++);
    expect(done).toBe(2);
  });

  test('a call that is placed afterwards has ended before it is there', () => {
    const { clock, peer, phone, userAgent } = stage();
    userAgent.stop(1_000, () => {});
    const call = phone.dial('sip:desk@192.0.2.2');
    expect(call.state).toBe('ended');
    expect(phone.heard).toEqual(['ended by us']);
    clock.advance(1_000);
    expect(peer.received).toEqual([]);
    expect(userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
  });

  test('hears and says nothing afterwards', () => {
    const { peer, say, userAgent } = stage();
    userAgent.stop(1_000, () => {});
    say(request());
    expect(peer.received).toEqual([]);
    expect(userAgent.counters.receivedMessages).toBe(0);
  });
});
