/** INFO in a call: keys in both bodies, and what is neither (RFC 6086; the bodies are a convention of telephones). */
import { describe, expect, test } from 'vitest';
import { isMalformed } from '../../../../firmware/sip/message/message.ts';
import { parseKey } from '../../../../firmware/sip/session/info.ts';
import { seeded } from '../../../sim/seeded.ts';
import { sdp } from '../../../sim/sip-phone.ts';
import { request, stage } from '../stage.ts';

const body = (contentType: string, text: string) => ({ contentType, bytes: new TextEncoder().encode(text) });
const relay = (text: string) => parseKey(body('application/dtmf-relay', text));
const plain = (text: string) => parseKey(body('application/dtmf', text));

describe('a body', () => {
  test.each([
    ['Signal=5\r\nDuration=160\r\n', '5', 160],
    ['Signal= 5\r\nDuration= 160', '5', 160],
    ['signal = #\nduration = 200', '#', 200],
    ['Signal=*', '*', 250],
    ['Signal=10\r\nDuration=100', '*', 100],
    ['Signal=11\r\nDuration=100', '#', 100],
    ['Signal=d\r\nDuration=100', 'D', 100],
    ['Signal=15', 'D', 250],
    ['Duration=120\r\nSignal=0', '0', 120],
    ['Signal=5\r\nDuration=20', '5', 100],
    ['Signal=5\r\nDuration=99999999999', '5', 5_000],
    ['Signal=5\r\nDuration=soon', '5', 250],
    ['Signal=16\r\nDuration=100', undefined, 100],
  ])('application/dtmf-relay %j is the key %s for %i ms', (text, key, durationMs) => {
    expect(relay(text)).toEqual({ key, durationMs });
  });

  test.each([
    ['5', '5'],
    ['5\r\n', '5'],
    ['*', '*'],
    ['11', '#'],
    ['Signal=7', '7'],
  ])('application/dtmf %j is the key %s', (text, key) => {
    expect(plain(text)).toEqual({ key, durationMs: 250 });
  });

  test('has its type compared without case and parameters', () => {
    expect(parseKey(body('Application/DTMF-Relay ;charset=utf-8', 'Signal=1'))).toMatchObject({ key: '1' });
  });

  test.each(['', 'Signal=', 'Signal=55', 'Signal=17', 'Signal=-1', 'Signal=E', 'Signal=010', 'Tone=5', '\0', '5'])(
    'application/dtmf-relay %j is malformed',
    text => {
      expect(relay(text)).toMatchObject({ status: 400 });
    },
  );

  test.each(['', '55', 'x', '5 5', '+1'])('application/dtmf %j is malformed', text => {
    expect(plain(text)).toMatchObject({ status: 400 });
  });

  test('longer than two lines can be is refused before it is read', () => {
    expect(relay(`Signal=5\r\n${'x'.repeat(200)}`)).toMatchObject({ status: 413 });
  });

  test('of another type is not ours', () => {
    expect(parseKey(body('application/media_control+xml', '<media_control/>'))).toBeUndefined();
  });

  test('of arbitrary bytes is a key, a flash or malformed, and never throws', () => {
    const chance = seeded(1);
    for (let run = 0; run < 2_000; run++) {
      const bytes = Uint8Array.from({ length: Math.floor(chance.next() * 40) }, () => Math.floor(chance.next() * 256));
      const parsed = parseKey({ contentType: run % 2 ? 'application/dtmf' : 'application/dtmf-relay', bytes })!;
      if (!isMalformed(parsed)) expect(parsed.key ?? '#').toMatch(/^[0-9A-D*#]$/);
    }
  });
});

/** A call that talks; `info` sends an INFO inside it. */
function talking() {
  const all = stage();
  all.say(request());
  const to = all.peer.responses(180)[0]!.headers.get('To')!;
  let sequence = 1;
  const info = (type: string, text: string, more = '') => {
    sequence++;
    const line = { method: 'INFO', sequence, to, branch: `z9hG4bK-info-${sequence}`, more, body: text };
    all.say(request(line).replace('application/sdp', type));
  };
  return { ...all, to, info };
}

function answered() {
  const all = talking();
  all.phone.call!.accept(sdp('answer'));
  all.clock.advance(10);
  all.say(request({ method: 'ACK', to: all.to }));
  all.peer.received.length = 0;
  return all;
}

describe('INFO', () => {
  test('with a key is answered 200 and told', () => {
    const { info, peer, phone } = answered();
    info('application/dtmf-relay', 'Signal=5\r\nDuration=160\r\n');
    info('application/dtmf', '#');
    expect(peer.statuses).toEqual([200, 200]);
    expect(phone.heard.slice(-2)).toEqual(['key 5 160', 'key # 250']);
  });

  test('that comes twice is one press', () => {
    const { info, peer, phone, say, to } = answered();
    info('application/dtmf', '5');
    const copy = { method: 'INFO', sequence: 2, to, branch: 'z9hG4bK-info-2', body: '5' };
    say(request(copy).replace('application/sdp', 'application/dtmf'));
    expect(peer.statuses).toEqual([200, 200]);
    expect(phone.heard.filter(line => line.startsWith('key'))).toEqual(['key 5 250']);
  });

  test('with a flash is taken and means nothing', () => {
    const { info, peer, phone } = answered();
    info('application/dtmf-relay', 'Signal=16\r\nDuration=160');
    expect(peer.statuses).toEqual([200]);
    expect(phone.heard.at(-1)).not.toMatch(/^key/);
  });

  test('without a body asks whether we are there: 200', () => {
    const { info, peer } = answered();
    info('', '');
    expect(peer.statuses).toEqual([200]);
  });

  test('of an Info Package is answered 469 with those that we take: none (RFC 6086 §4.2.2)', () => {
    const { info, peer, phone } = answered();
    info('application/dtmf', '5', 'Info-Package: infoDtmf');
    expect(peer.statuses).toEqual([469]);
    expect(peer.responses(469)[0]!.headers.has('Recv-Info')).toBe(true);
    expect(phone.heard.at(-1)).not.toMatch(/^key/);
  });

  test('of another type is answered 415 with the types that we take', () => {
    const { info, peer } = answered();
    info('application/media_control+xml', '<x/>');
    expect(peer.responses(415)[0]!.headers.all('Accept')).toEqual(['application/dtmf-relay', 'application/dtmf']);
  });

  test('with nonsense is answered 400 and told to nobody', () => {
    const { info, peer, phone } = answered();
    info('application/dtmf-relay', 'Signal=55');
    expect(peer.statuses).toEqual([400]);
    expect(phone.heard.at(-1)).not.toMatch(/^key/);
  });

  test('out of order is answered 500', () => {
    const { say, peer, to } = answered();
    say(request({ method: 'INFO', sequence: 1, to }));
    expect(peer.statuses).toEqual([500]);
  });

  test('before the answer is taken too', () => {
    const { info, phone } = talking();
    info('application/dtmf', '5');
    expect(phone.heard.at(-1)).toBe('key 5 250');
  });

  test('outside any call is answered 481', () => {
    const { say, peer } = stage();
    say(request({ method: 'INFO' }));
    expect(peer.statuses).toEqual([481]);
  });
});

describe('our own keys', () => {
  function calling(status: number) {
    const all = stage();
    const { clock, peer, phone } = all;
    peer.onRequest = received => {
      if (received.method === 'INVITE')
        peer.reply(received, 200, { headers: [['Contact', '<sip:peer@192.0.2.2>']], body: sdp('answer') });
      else if (received.method === 'BYE') peer.reply(received, 200);
      else if (received.method === 'INFO') clock.after(300, () => peer.reply(received, status), 'slow peer');
    };
    phone.dial('sip:peer@192.0.2.2');
    clock.advance(10);
    return all;
  }
  const keysOf = (peer: ReturnType<typeof stage>['peer']) =>
    peer.requests('INFO').map(({ body: bytes }) => /Signal=(.)/.exec(new TextDecoder().decode(bytes))![1]);

  test('go one after the other, each when the last is answered', () => {
    const { clock, peer, phone } = calling(200);
    for (const key of '12#') phone.call!.sendKey(key, 100);
    clock.advance(100);
    expect(keysOf(peer)).toEqual(['1']);
    clock.advance(1_000);
    expect(keysOf(peer)).toEqual(['1', '2', '#']);
    expect(peer.requests('INFO')[0]!.headers.get('Content-Type')).toBe('application/dtmf-relay');
  });

  test('that are not taken cost nothing but themselves', () => {
    const { clock, peer, phone } = calling(415);
    for (const key of '12') phone.call!.sendKey(key, 100);
    clock.advance(1_000);
    expect(keysOf(peer)).toEqual(['1', '2']);
    expect(phone.call!.state).toBe('confirmed');
  });

  test('that meet a lost dialog end the call', () => {
    const { clock, phone, peer } = calling(481);
    phone.call!.sendKey('1', 100);
    clock.advance(1_000);
    expect(phone.heard.at(-1)).toMatch(/^ended by failure 481/);
    expect(peer.requests('BYE').length).toBe(1);
  });

  test('that wait are limited, and none is sent after the call', () => {
    const { clock, peer, phone } = calling(200);
    for (let count = 0; count < 100; count++) phone.call!.sendKey('1', 100);
    clock.advance(20_000);
    expect(keysOf(peer).length).toBe(33);
    for (const key of '12') phone.call!.sendKey(key, 100);
    phone.call!.hangUp();
    clock.advance(20_000);
    expect(keysOf(peer).length).toBe(34);
    expect(clock.armed).toEqual([]);
  });
});
