/** Calls that come to us, from a peer that says what the test wants. */
import { describe, expect, test } from 'vitest';
import { sdp } from '../../../sim/sip-phone.ts';
import { type Line, request, stage } from '../stage.ts';

/** A call that has come and rings. `inside` writes requests of its dialog. */
function called(invite: Line = {}, options: Parameters<typeof stage>[0] = {}) {
  const all = stage(options);
  all.say(request({ branch: 'z9hG4bK-invite', ...invite }));
  const tagged = () => all.peer.responses(180)[0]!.headers.get('To')!;
  const inside = (method: string, sequence: number, line: Line = {}) =>
    all.say(request({ method, sequence, to: tagged(), branch: `z9hG4bK-${method}-${sequence}`, ...line }));
  return { ...all, inside, call: all.phone.call! };
}

/** A call that talks. */
function talking(invite: Line = {}) {
  const all = called(invite);
  all.call.accept(sdp('answer'));
  all.clock.advance(10);
  all.inside('ACK', 1);
  return all;
}

describe('a call that rings', () => {
  test('says 180, and 180 again each minute (§13.3.1.1); no 100 before it, for it rings at once (§17.2.1)', () => {
    const { clock, peer, userAgent } = called();
    clock.advance(125_000);
    expect(peer.responses().map(({ status }) => status)).toEqual([180, 180, 180]);
    expect(peer.responses(180)[0]!.headers.get('Contact')).toBe('<sip:user@192.0.2.1:5060>');
    expect(userAgent.alive.calls).toBe(1);
  });

  test('waits for a line: 182, again each minute, then 180 and 200', () => {
    const { clock, peer, call } = called();
    call.queue();
    clock.advance(125_000);
    call.ring();
    clock.advance(1_000);
    call.accept(sdp('answer'), [['Answer-Mode', 'Manual']]);
    clock.advance(10);
    expect(peer.responses().map(({ status }) => status)).toEqual([180, 182, 182, 182, 180, 200]);
    expect(peer.responses(200)[0]!.headers.get('Answer-Mode')).toBe('Manual');
  });

  test('may ring with early media: 183', () => {
    const { clock, peer, call } = called();
    call.ring(sdp('early'));
    clock.advance(10);
    expect(new TextDecoder().decode(peer.responses(183)[0]!.body)).toBe('early');
  });

  test('is given up by CANCEL: 200, 487, and the reason is told', () => {
    const { clock, peer, phone, say, userAgent } = called();
    const more = 'Reason: SIP;cause=200;text="Call completed elsewhere"';
    say(request({ method: 'CANCEL', branch: 'z9hG4bK-invite', more }));
    expect(peer.statuses).toEqual([180, 200, 487]);
    expect(phone.heard.at(-1)).toBe('ended by them answered elsewhere');
    say(request({ method: 'ACK', branch: 'z9hG4bK-invite', to: peer.responses(487)[0]!.headers.get('To')! }));
    clock.advance(60_000);
    expect(userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
  });

  test('is refused with the status, reason and header fields asked for', () => {
    const { clock, peer, phone, call } = called();
    call.refuse(488, 'No codec', [['Warning', '305 porter "Incompatible media format"']]);
    clock.advance(10);
    const [response] = peer.responses(488);
    expect(response!.reason).toBe('No codec');
    expect(response!.headers.get('Warning')).toContain('305');
    expect(phone.heard.at(-1)).toBe('ended by us');
  });

  test('is hung up with 480', () => {
    const { clock, peer, call } = called();
    call.hangUp();
    clock.advance(10);
    expect(peer.statuses).toEqual([180, 480]);
  });

  test('may be ended by the caller with BYE: 200, and 487 for the INVITE (§15.1.2)', () => {
    const { peer, phone, inside } = called();
    inside('BYE', 2);
    expect(peer.statuses).toEqual([180, 200, 487]);
    expect(phone.heard.at(-1)).toBe('ended by them');
  });

  test('refuses a second INVITE of the dialog with 500 and Retry-After (§14.2), and one out of order', () => {
    const { peer, inside } = called();
    inside('INVITE', 3);
    inside('INVITE', 2);
    expect(peer.statuses).toEqual([180, 500, 500]);
    expect(peer.responses(500)[0]!.headers.has('Retry-After')).toBe(true);
    expect(peer.responses(500)[1]!.reason).toBe('CSeq out of order');
  });

  test('answers OPTIONS of its dialog', () => {
    const { peer, inside } = called();
    inside('OPTIONS', 2);
    expect(peer.statuses).toEqual([180, 200]);
  });

  test('that nobody answers is given up after ten minutes, or at its Expires (§13.3.1)', () => {
    const patient = called();
    patient.clock.advance(600_000);
    expect(patient.phone.heard.at(-1)).toBe('ended by failure not answered in time');
    expect(patient.peer.statuses.at(-1)).toBe(487);

    const brief = called({ more: 'Expires: 20' });
    brief.clock.advance(20_000);
    expect(brief.peer.statuses.at(-1)).toBe(487);
    expect(brief.userAgent.alive.calls).toBe(0);
  });

  test('may be refused while it is being told', () => {
    const { peer, phone } = called({}, {});
    expect(phone.heard).toEqual(['invite']);
    expect(peer.statuses).toEqual([180]);
    const all = stage();
    all.phone.onInvite = ({ call }) => call.refuse(603);
    all.say(request());
    expect(all.peer.statuses).toEqual([603]);
    expect(all.phone.heard).toEqual(['invite', 'ended by us']);
    expect(all.userAgent.alive.calls).toBe(0);
  });
});

describe('an answered call', () => {
  test('sends its 200 again at 0.5, 1.5, 3.5 s … until the ACK, and gives up with BYE at 32 s (§13.3.1.4)', () => {
    const { clock, peer, phone, call, userAgent } = called();
    const t0 = clock.now();
    const at: number[] = [];
    peer.onRequest = received => {
      if (received.method === 'BYE') at.push(clock.now() - t0);
      if (received.method === 'BYE') peer.reply(received, 200);
    };
    call.accept(sdp('answer'));
    clock.advance(40_000);
    expect(peer.responses(200).length).toBe(11);
    expect(at).toEqual([32_001]);
    expect(phone.heard.at(-1)).toBe('ended by failure answered, but no ACK came');
    clock.advance(60_000);
    expect(userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
  });

  test('takes no offer of ours before its ACK: 491 at once, and it is sent afterwards', () => {
    const { peer, phone, call, inside, clock } = called();
    call.accept(sdp('answer'));
    call.reoffer(sdp('too early'));
    expect(phone.heard.at(-1)).toBe('reoffered 491');
    inside('ACK', 1);
    call.reoffer(sdp('hold'));
    clock.advance(10);
    expect(new TextDecoder().decode(peer.requests('INVITE')[0]!.body)).toBe('hold');
    call.reoffer(sdp('another'));
    expect(phone.heard.at(-1)).toBe('reoffered 491');
    clock.advance(10);
    expect(peer.requests('INVITE').length).toBe(1);
  });

  test('is up with the ACK; copies of it change nothing', () => {
    const { clock, peer, phone, inside } = talking();
    inside('ACK', 1);
    clock.advance(60_000);
    expect(phone.heard).toEqual(['invite', 'answered']);
    expect(peer.statuses).toEqual([180, 200]);
    expect(phone.call!.state).toBe('confirmed');
  });

  test('without an offer gets the answer to ours in the ACK', () => {
    const { phone, call, inside, clock } = called();
    call.accept(sdp('our offer'));
    clock.advance(10);
    inside('ACK', 1, { body: 'their answer' });
    expect(phone.heard).toEqual(['invite', 'answered their answer']);
  });

  test('ignores a CANCEL that comes too late, but answers it', () => {
    const { peer, phone, say } = talking();
    say(request({ method: 'CANCEL', branch: 'z9hG4bK-invite' }));
    expect(peer.statuses).toEqual([180, 200, 200]);
    expect(phone.call!.state).toBe('confirmed');
  });

  test('hung up before the ACK says BYE only after it (§15)', () => {
    const { clock, peer, phone, call, inside } = called();
    call.accept(sdp('answer'));
    call.hangUp();
    clock.advance(100);
    expect(phone.heard).toEqual(['invite', 'ended by us']);
    expect(peer.requests('BYE')).toEqual([]);
    inside('ACK', 1);
    expect(peer.requests('BYE').length).toBe(1);
  });

  test('hung up before the ACK hears no more of what comes meanwhile: 481', () => {
    const { peer, phone, call, inside } = called();
    call.accept(sdp('answer'));
    call.hangUp();
    inside('INFO', 2, { more: 'Content-Type: application/dtmf-relay' });
    inside('INVITE', 3, { branch: 'z9hG4bK-again', body: 'offer' });
    inside('REFER', 4, { more: 'Refer-To: <sip:carol@192.0.2.3>' });
    expect(peer.statuses.slice(-3)).toEqual([481, 481, 481]);
    expect(phone.heard).toEqual(['invite', 'ended by us']);
    inside('ACK', 1);
    expect(peer.requests('BYE').length).toBe(1);
  });

  test('hung up before an ACK that never comes says BYE after 32 s', () => {
    const { clock, peer, phone, call, userAgent } = called();
    peer.onRequest = received => peer.reply(received, 200);
    call.accept(sdp('answer'));
    call.hangUp();
    clock.advance(33_000);
    expect(peer.requests('BYE').length).toBe(1);
    expect(phone.heard).toEqual(['invite', 'ended by us']);
    expect(userAgent.alive.calls).toBe(0);
  });

  test('may be ended by BYE before its ACK', () => {
    const { clock, peer, phone, call, inside, userAgent } = called();
    call.accept(sdp('answer'));
    clock.advance(10);
    inside('BYE', 2);
    clock.advance(60_000);
    expect(peer.responses(200).length).toBe(2);
    expect(phone.heard).toEqual(['invite', 'ended by them']);
    expect(userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
  });

  test('follows the Record-Route of the INVITE in its order (§12.1.1)', () => {
    const { clock, peer, call } = talking({ more: 'Record-Route: <sip:192.0.2.2;lr>, <sip:far.example;lr>' });
    expect(peer.responses(200)[0]!.headers.all('Record-Route')).toEqual(['<sip:192.0.2.2;lr>', '<sip:far.example;lr>']);
    call.hangUp();
    clock.advance(10);
    expect(peer.requests('BYE')[0]!.headers.all('Route')).toEqual(['<sip:192.0.2.2;lr>', '<sip:far.example;lr>']);
  });

  test('answers a method that we know but not here with 405', () => {
    const { peer, inside } = talking();
    inside('MESSAGE', 2);
    expect(peer.statuses).toEqual([180, 200, 405]);
  });
});

describe('a re-INVITE of the peer', () => {
  test('is asked of the controller, answered, and moves the target (§12.2.2)', () => {
    const { clock, peer, phone, say, call, inside } = talking();
    const invite = request({
      sequence: 2,
      to: peer.responses(180)[0]!.headers.get('To')!,
      branch: 'z9hG4bK-2',
      body: 'new',
    });
    say(invite.replace('<sip:peer@192.0.2.2>\n', '<sip:moved@192.0.2.2>\n'));
    expect(phone.heard.slice(2)).toEqual(['offer new']);
    expect(new TextDecoder().decode(peer.responses(200)[1]!.body)).toBe('new answer');
    inside('ACK', 2);
    call.hangUp();
    clock.advance(10);
    expect(peer.requests('BYE')[0]!.uri).toBe('sip:moved@192.0.2.2');
  });

  test('may be refused, and the call goes on', () => {
    const { peer, phone, inside } = talking();
    phone.onOffer = (_, answer) => answer.refuse(488);
    inside('INVITE', 2, { body: 'new' });
    expect(peer.statuses).toEqual([180, 200, 488]);
    inside('INVITE', 3, { body: 'newer' });
    expect(peer.statuses).toEqual([180, 200, 488, 488]);
    expect(phone.call!.state).toBe('confirmed');
  });

  test('without an offer takes ours, and brings the answer in its ACK', () => {
    const { phone, inside } = talking();
    phone.onOffer = (_, answer) => answer.accept(sdp('our offer'));
    inside('INVITE', 2);
    inside('ACK', 2, { body: 'their answer' });
    expect(phone.heard.slice(2)).toEqual(['offer', 'reoffered their answer']);
  });

  test('before the ACK of the first is answered 491', () => {
    const { clock, peer, call, inside } = called();
    call.accept(sdp('answer'));
    clock.advance(10);
    inside('INVITE', 2, { body: 'new' });
    expect(peer.statuses).toEqual([180, 200, 491]);
  });

  test('while another waits for its answer is answered 500 with a short Retry-After (§14.2)', () => {
    const { peer, phone, inside } = talking();
    phone.onOffer = () => {};
    inside('INVITE', 2, { body: 'new' });
    inside('INVITE', 3, { body: 'newer' });
    const [response] = peer.responses(500);
    expect(Number(response!.headers.get('Retry-After'))).toBeLessThanOrEqual(10);
  });

  test('that waits for its answer can be cancelled, and is answered 487 when the call ends', () => {
    const { peer, phone, say, inside } = talking();
    phone.onOffer = () => {};
    inside('INVITE', 2, { body: 'new' });
    say(request({ method: 'CANCEL', sequence: 2, branch: 'z9hG4bK-INVITE-2' }));
    expect(peer.statuses).toEqual([180, 200, 200, 487]);
    inside('INVITE', 3, { body: 'new' });
    inside('BYE', 4);
    expect(peer.statuses.slice(4).toSorted()).toEqual([200, 487]);
    expect(phone.heard.at(-1)).toBe('ended by them');
  });

  test('whose 200 is never acknowledged ends the call', () => {
    const { clock, peer, phone, inside, userAgent } = talking();
    peer.onRequest = received => peer.reply(received, 200);
    inside('INVITE', 2, { body: 'new' });
    clock.advance(33_000);
    expect(phone.heard.at(-1)).toBe('ended by failure re-INVITE answered, but no ACK came');
    clock.advance(60_000);
    expect(userAgent.alive).toEqual({ transactions: 0, calls: 0, timers: 0 });
  });
});
