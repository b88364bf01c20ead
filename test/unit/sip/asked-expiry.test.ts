import { expect, test } from 'vitest';
import { AskedExpiry } from '../../../firmware/sip/asked-expiry.ts';
import { Headers } from '../../../firmware/sip/message/headers.ts';

function refusal(least: string, status = 423) {
  const headers = new Headers();
  headers.set('Min-Expires', least);
  return { kind: 'response' as const, status, reason: '', headers, body: new Uint8Array() };
}

test('a longer time is asked for from now on', () => {
  const expiry = new AskedExpiry(600_000);
  expect(expiry.lengthens(refusal('900'))).toBe(true);
  expect(expiry.seconds).toBe('900');
});

test.each([
  ['no longer than ours', refusal('600')],
  ['more than a day', refusal('86401')],
  ['no number', refusal('1e3')],
  ['another status', refusal('900', 400)],
])('not where it is %s', (_, response) => {
  const expiry = new AskedExpiry(600_000);
  expect(expiry.lengthens(response)).toBe(false);
  expect(expiry.ms).toBe(600_000);
});

test('a server that wants a second more each time is obeyed three times, and again once it was content', () => {
  const expiry = new AskedExpiry(600_000);
  const more = () => expiry.lengthens(refusal(String(expiry.ms / 1000 + 1)));
  expect([more(), more(), more(), more()]).toEqual([true, true, true, false]);
  expiry.settled();
  expect(more()).toBe(true);
});
