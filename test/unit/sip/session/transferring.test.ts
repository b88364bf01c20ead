/** Our own REFER, and what the peer tells of it (RFC 3515 §2.4). */
import { describe, expect, test } from 'vitest';
import { sdp } from '../../../sim/sip-phone.ts';
import { request, stage } from '../stage.ts';

function transferring(status = 202) {
  const all = stage();
  const { clock, peer, phone } = all;
  peer.onRequest = received => {
    if (received.method === 'INVITE')
      peer.reply(received, 200, { headers: [['Contact', '<sip:peer@192.0.2.2>']], body: sdp('answer') });
    else if (received.method === 'BYE') peer.reply(received, 200);
    else if (received.method === 'REFER' && status !== 0) peer.reply(received, status);
  };
  phone.dial('sip:peer@192.0.2.2');
  clock.advance(10);
  phone.call!.transfer('sip:carol@192.0.2.3');
  clock.advance(10);
  const { headers } = peer.requests('INVITE')[0]!;
  let sequence = 0;
  const notify = (state: string, body: string, event = 'refer') => {
    sequence++;
    const dialog = { from: `${headers.get('To')};tag=peer`, to: headers.get('From')!, callId: headers.get('Call-ID')! };
    const more = `Event: ${event}\nSubscription-State: ${state}`;
    all.say(request({ method: 'NOTIFY', sequence, branch: `z9hG4bK-n${sequence}`, ...dialog, more, body }));
  };
  return { ...all, notify, told: () => phone.heard.filter(line => line.startsWith('transferred')) };
}

test('names the target and who asks', () => {
  const { headers } = transferring().peer.requests('REFER')[0]!;
  expect(headers.get('Refer-To')).toBe('<sip:carol@192.0.2.3>');
  expect(headers.get('Referred-By')).toBe('<sip:user@192.0.2.1:5060>');
  expect(headers.has('Contact')).toBe(true);
});

test('each word of the peer is told, the last one last', () => {
  const { notify, peer, told } = transferring();
  notify('active;expires=60', 'SIP/2.0 100 Trying');
  notify('active;expires=60', 'SIP/2.0 180 Ringing');
  notify('terminated;reason=noresource', 'SIP/2.0 200 OK');
  notify('terminated;reason=noresource', 'SIP/2.0 486 Busy Here');
  expect(told()).toEqual(['transferred 180', 'transferred 200']);
  expect(peer.statuses).toEqual([200, 200, 200, 481]);
});

test.each([403, 405, 481, 603])('a REFER that is refused with %i is told, and the call goes on', status => {
  const { phone, told } = transferring(status);
  expect(told()).toEqual([`transferred ${status}`]);
  expect(phone.call!.state).toBe('confirmed');
});

test('silence is told', () => {
  const lost = transferring(0);
  lost.clock.advance(33_000);
  expect(lost.told()).toEqual(['transferred 408']);
  const quiet = transferring();
  quiet.clock.advance(181_000);
  expect(quiet.told()).toEqual(['transferred 408']);
  const left = transferring();
  left.notify('terminated;reason=timeout', '');
  expect(left.told()).toEqual(['transferred 408']);
});

test.each(['', 'nonsense', 'SIP/2.0 999 x', `SIP/2.0 ${'1'.repeat(2_000)}`])('a body of %j tells nothing', body => {
  const { notify, peer, told } = transferring();
  notify('active', body);
  expect(told()).toEqual([]);
  expect(peer.statuses).toEqual([200]);
});

test('NOTIFY of something else is answered 489, and 481 where nothing is under way', () => {
  const { notify, peer } = transferring();
  notify('active', 'SIP/2.0 200 OK', 'dialog');
  notify('active', 'SIP/2.0 200 OK', 'referee');
  expect(peer.statuses).toEqual([489, 489]);
});

test('a second transfer waits for the end of the first; hanging up leaves nothing armed', () => {
  const { clock, peer, phone } = transferring();
  phone.call!.transfer('sip:dave@192.0.2.4');
  clock.advance(10);
  expect(peer.requests('REFER').length).toBe(1);
  phone.call!.hangUp();
  clock.advance(40_000);
  expect(clock.armed).toEqual([]);
});

describe('before the answer', () => {
  test('there is nothing to transfer', () => {
    const { clock, peer, phone } = stage();
    phone.dial('sip:peer@192.0.2.2');
    phone.call!.transfer('sip:carol@192.0.2.3');
    clock.advance(10);
    expect(peer.requests('REFER').length).toBe(0);
  });
});
