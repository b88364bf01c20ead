/** Who asks to be answered automatically, in which words, and who may. */
import { expect, test } from 'vitest';
import { autoAnswerAsked, callerMatches } from '../../../firmware/controller/auto-answer.ts';

const asking = (headers: Record<string, string>, uriParameters: Record<string, string | true> = {}) =>
  autoAnswerAsked({ header: name => (headers[name] === undefined ? [] : [headers[name]]), uriParameters });

test.each([
  [{ 'Call-Info': '<sip:pbx.example.org>;answer-after=0' }, 0],
  [{ 'Call-Info': '<http://www.notused.com>;answer-after=0' }, 0],
  [{ 'Call-Info': '<sip:pbx>;Answer-After=3' }, 3_000],
  [{ 'Call-Info': '<sip:pbx>; answer-after = "2"' }, 2_000],
  [{ 'Call-Info': '<sip:pbx>;info=alert-autoanswer;delay=0' }, 0],
  [{ 'Alert-Info': '<http://x>;info=alert-autoanswer;delay=2' }, 2_000],
  [{ 'Alert-Info': 'info=alert-autoanswer' }, 0],
  [{ 'Alert-Info': '<sip:>;info=alert-autoanswer' }, 0],
  [{ 'Alert-Info': 'Ring Answer' }, 0],
  [{ 'Alert-Info': 'Auto Answer' }, 0],
  [{ 'Answer-Mode': 'Auto;require' }, 0],
  [{ 'Priv-Answer-Mode': 'auto' }, 0],
  [{ 'Alert-Info': '<http://example.org>; info = alert-autoanswer' }, 0],
  [{ 'Alert-Info': 'answer-after=4' }, 4_000],
  [{ 'Alert-Info': 'RING ANSWER' }, 0],
  [{ 'Call-Info': '<sip:autoanswer=yes>' }, 0],
  [{ 'X-AUTOANSWER': 'TRUE' }, 0],
  [{ 'P-Auto-Answer': 'normal' }, 0],
  // FreePBX sends several at once; AudioCodes says which one counts.
  [{ 'Alert-Info': 'info=alert-autoanswer;delay=7', 'Call-Info': '<sip:pbx>;answer-after=1' }, 1_000],
  [{ 'Call-Info': '<sip:pbx>;answer-after=999' }, 60_000],
])('%o asks for an answer after %i ms', (headers, afterMs) => {
  expect(asking(headers as unknown as Record<string, string>)?.afterMs).toBe(afterMs);
});

test('the URI parameter of FreePBX asks too', () => {
  expect(asking({}, { intercom: 'TRUE' })?.afterMs).toBe(0);
});

test.each([
  {},
  { 'Call-Info': '<http://example.org/photo.jpg>;purpose=icon' },
  { 'Call-Info': '<sip:pbx>;answer-after=soon' },
  { 'Alert-Info': '<http://example.org/ring.wav>' },
  { 'Answer-Mode': 'Manual' },
  { 'Answer-Mode': 'Manual', 'Call-Info': '<sip:pbx>;answer-after=0' },
  { 'Answer-Mode': 'automobile' },
  { 'Alert-Info': '<http://example.org/xinfo=alert-autoanswer>' },
  { 'Alert-Info': 'String Answering' },
  { 'X-AUTOANSWER': 'FALSE' },
  { 'P-Auto-Answer': '' },
  { 'Call-Info': '<sip:autoanswer=no>' },
])('%o asks for nothing of the kind', headers => {
  expect(asking(headers as unknown as Record<string, string>)).toBeUndefined();
});

test.each([
  ['Auto;require', true],
  ['Auto ; Require', true],
  ['Auto', false],
  ['Auto;required=no', false],
])('Answer-Mode: %s insists: %s', (mode, insists) => {
  expect(asking({ 'Answer-Mode': mode })?.insists).toBe(insists);
});

test.each([
  ['*', 'sip:anyone@anywhere', true],
  ['sip:desk@example.org', 'sip:desk@example.org:5070', true],
  ['desk@example.org', 'sip:desk@EXAMPLE.org', true],
  ['sip:desk@example.org', 'sip:Desk@example.org', false],
  ['sip:desk@example.org', 'sip:desk@example.org.evil.net', false],
  ['*@example.org', 'sip:anyone@example.org', true],
  ['*@example.org', 'sip:anyone@sub.example.org', false],
  ['desk@*', 'sip:desk@192.0.2.1', true],
  ['desk@[2001:db8::1]', 'sip:desk@[2001:DB8::1]:5060', true],
  ['*@example.org', 'not a uri at all <', false],
])('the pattern %s on %s: %s', (pattern, uri, matches) => {
  expect(callerMatches(pattern, uri)).toBe(matches);
});
