/** The presence of the device, published (RFC 3903 §4). */
import { expect, test } from 'vitest';
import type { Request } from '../../../../firmware/sip/message/message.ts';
import { request, stage } from '../stage.ts';

interface Answer {
  status: number;
  headers?: [string, string][];
}

function publishing(answer: (received: Request, index: number) => Answer = () => ({ status: 200 })) {
  const all = stage({ account: { publish: true, aor: 'sip:user@192.0.2.2' } });
  const { clock, peer } = all;
  let index = 0;
  peer.onRequest = received => {
    if (received.method !== 'PUBLISH') return;
    index++;
    const { status, headers = [] } = answer(received, index);
    if (status === 0) return;
    const granted: [string, string][] = [
      ['SIP-ETag', `tag-${index}`],
      ['Expires', received.headers.get('Expires')!],
    ];
    peer.reply(received, status, { headers: status < 300 ? [...granted, ...headers] : headers });
  };
  clock.advance(2_500);
  const published = () =>
    peer.requests('PUBLISH').map(({ headers, body }) => {
      const text = new TextDecoder().decode(body);
      const what = text === '' ? 'nothing' : text.includes('on-the-phone') ? 'busy' : 'free';
      return `${headers.get('SIP-If-Match') ?? 'new'} ${what} for ${headers.get('Expires')}`;
    });
  const ring = (callId: string) => all.say(request({ callId, branch: `z9hG4bK-${callId}`, body: 'offer' }));
  return { ...all, published, ring };
}

test('is there, then on the phone, then there again; refreshed without a word; taken back at the end', () => {
  const { clock, peer, phone, published, ring, userAgent } = publishing();
  const [first] = peer.requests('PUBLISH') as [Request];
  expect(first.uri).toBe('sip:user@192.0.2.2');
  expect(first.headers.get('Event')).toBe('presence');
  expect(first.headers.get('Content-Type')).toBe('application/pidf+xml');
  ring('a');
  clock.advance(5_000);
  phone.call!.hangUp();
  clock.advance(545_000);
  userAgent.stop(2_000, () => {});
  clock.advance(10);
  expect(published()).toEqual([
    'new free for 600',
    'tag-1 busy for 600',
    'tag-2 free for 600',
    'tag-3 nothing for 600',
    'tag-4 nothing for 0',
  ]);
  expect(clock.armed).toEqual([]);
});

test('what changes and changes back within a second is not told', () => {
  const { clock, phone, published, ring } = publishing();
  clock.advance(2_000);
  ring('a');
  ring('b');
  clock.advance(100);
  phone.call!.hangUp();
  ring('c');
  clock.advance(5_000);
  expect(published()).toEqual(['new free for 600', 'tag-1 busy for 600']);
});

test('a server that has forgotten us hears everything anew (412)', () => {
  const { clock, published } = publishing((_, index) => ({ status: index === 2 ? 412 : 200 }));
  clock.advance(545_000);
  expect(published()).toEqual(['new free for 600', 'tag-1 nothing for 600', 'new free for 600']);
});

test('a server that wants longer is obeyed (423), once', () => {
  const longer = publishing(received =>
    received.headers.get('Expires') === '600' ? { status: 423, headers: [['Min-Expires', '900']] } : { status: 200 },
  );
  expect(longer.published()).toEqual(['new free for 600', 'new free for 900']);
  const circles = publishing(() => ({ status: 423, headers: [['Min-Expires', '600']] }));
  expect(circles.published().length).toBeLessThan(4);
  const longerStill = ({ headers }: Request) => String(Number(headers.get('Expires')) + 1);
  const rising = publishing(received => ({ status: 423, headers: [['Min-Expires', longerStill(received)]] }));
  expect(rising.published().length).toBeLessThan(13);
});

test.each([
  [405, 590_000, 20_000],
  [489, 590_000, 20_000],
  [0, 31_000, 5_000],
])('%i is tried again later', (status, quietMs, thenMs) => {
  const { clock, peer } = publishing(() => ({ status }));
  const different = () => new Set(peer.requests('PUBLISH').map(({ headers }) => headers.get('CSeq'))).size;
  clock.advance(quietMs);
  expect(different()).toBe(1);
  clock.advance(thenMs);
  expect(different()).toBe(2);
});

test('412 to what had no tag is a failure, not a circle', () => {
  const { published } = publishing(() => ({ status: 412 }));
  expect(published().length).toBeLessThan(4);
});

test('a server without tags is told anew each time', () => {
  const { clock, published } = publishing(() => ({ status: 200, headers: [['SIP-ETag', '']] }));
  expect(published()).toEqual(['new free for 600']);
  clock.advance(10_000);
  expect(published().length).toBe(1);
});

test('the end of a call at the stop brings a new tag, and that is taken back', () => {
  const { clock, published, ring, userAgent } = publishing();
  ring('a');
  clock.advance(5_000);
  userAgent.stop(2_000, () => {});
  clock.advance(100);
  expect(published()).toEqual(['new free for 600', 'tag-1 busy for 600', 'tag-2 free for 600', 'tag-3 nothing for 0']);
});

test('an account that does not ask for it publishes nothing', () => {
  const { clock, peer } = stage();
  clock.advance(10_000);
  expect(peer.requests('PUBLISH')).toEqual([]);
});
