/** MESSAGE of ours (RFC 3428). */
import { expect, test } from 'vitest';
import type { TextResult } from '../../../firmware/sip/event/contracts.ts';
import { textLimit } from '../../../firmware/sip/texts.ts';
import { stage } from './stage.ts';

function saying(text: string, status = 200) {
  const all = stage({ account: { password: 'secret' } });
  const results: TextResult[] = [];
  const challenge = 'Digest realm="pbx", nonce="f84f1cec41e6cbe5aea9c8e88d359", algorithm=SHA-256, qop="auth"';
  all.peer.onRequest = received => {
    if (status === 0) return;
    const isAsked = status === 401 && !received.headers.has('Authorization');
    if (isAsked) all.peer.reply(received, 401, { headers: [['WWW-Authenticate', challenge]] });
    else all.peer.reply(received, status === 401 ? 200 : status);
  };
  const send = () => all.userAgent.sendText({ target: 'sip:desk@192.0.2.2', text }, result => results.push(result));
  send();
  expect(results).toEqual([]);
  all.clock.advance(10);
  return { ...all, results, send };
}

test('goes out as plain text', () => {
  const { peer, results } = saying('the door is öpen');
  const [{ headers, body, uri }] = peer.requests('MESSAGE') as [ReturnType<typeof peer.requests>[number]];
  expect(uri).toBe('sip:desk@192.0.2.2');
  expect(headers.get('Content-Type')).toBe('text/plain;charset=UTF-8');
  expect(headers.has('Contact')).toBe(false);
  expect(new TextDecoder().decode(body)).toBe('the door is öpen');
  expect(results).toEqual([{ sent: true, status: 200 }]);
});

test.each([
  [202, { sent: true, status: 202 }],
  [401, { sent: true, status: 200 }],
  [404, { sent: false, status: 404, why: 'Not Found' }],
  [302, { sent: false, status: 302, why: 'Moved Temporarily' }],
])('answered %i is told', (status, result) => {
  expect(saying('hello', status).results).toEqual([result]);
});

test('silence is told', () => {
  const { clock, results, userAgent } = saying('hello', 0);
  clock.advance(33_000);
  expect(results).toEqual([{ sent: false, why: 'no answer from 192.0.2.2:5060' }]);
  expect(userAgent.alive.timers).toBe(0);
});

test('what does not fit into a datagram is not sent (RFC 3428 §8)', () => {
  const { peer, results } = saying('x'.repeat(1_200));
  expect(peer.requests('MESSAGE')).toEqual([]);
  expect(results).toEqual([{ sent: false, why: 'longer than 1300 bytes' }]);
});

test(`no more than ${textLimit} wait at one time`, () => {
  const { clock, results, send } = saying('hello', 0);
  for (let count = 1; count <= textLimit; count++) send();
  clock.advance(10);
  expect(results).toEqual([{ sent: false, why: `${textLimit} texts are on their way already` }]);
  clock.advance(33_000);
  send();
  clock.advance(33_000);
  expect(results.length).toBe(textLimit + 2);
});
