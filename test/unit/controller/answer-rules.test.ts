/** Which rule decides on a call that may be answered by itself, and what it decides. */
import { describe, expect, test } from 'vitest';
import { type AnswerRule, type AnswerSettings, judge, mayAsk } from '../../../firmware/controller/answer-rules.ts';

const desk = { uri: 'sip:desk@example.org', source: '192.0.2.1', isTrusted: true };
const stranger = { ...desk, uri: 'sip:stranger@example.org' };
const asks = { 'Call-Info': '<sip:pbx>;answer-after=3' };

const invite = (headers: Record<string, string>) => ({
  header: (name: string) => (headers[name] === undefined ? [] : [headers[name]]),
  uriParameters: {},
});
const settings = (rules: Partial<AnswerRule>[] = [], changes: Partial<AnswerSettings> = {}): AnswerSettings => ({
  allow: ['desk@example.org'],
  mode: 'talk',
  rules: rules.map(rule => ({ mode: 'talk', tone: true, ...rule })),
  ...changes,
});

describe('without rules', () => {
  test('an allowed caller who asks is answered, in the general mode', () => {
    expect(judge(invite(asks), desk, settings([], { mode: 'listen' }))).toEqual({
      is: 'answer',
      afterMs: 3_000,
      mode: 'listen',
      tone: true,
    });
  });

  test('one who does not ask rings', () => {
    expect(judge(invite({}), desk, settings())).toEqual({ is: 'ring' });
  });

  test.each([
    [stranger, 'sip:stranger@example.org is not on the allow list'],
    [{ ...desk, isTrusted: false }, '192.0.2.1 is not a trusted source'],
  ])('%o asks in vain', (caller, why) => {
    expect(judge(invite(asks), caller, settings())).toMatchObject({ is: 'not allowed', why, insists: false });
  });
});

describe('with rules', () => {
  test('the first that fits decides', () => {
    const rules = [
      { match: 'info=quiet', mode: 'ring' as const },
      { mode: 'page' as const },
      { mode: 'listen' as const },
    ];
    expect(judge(invite(asks), desk, settings(rules))).toMatchObject({ is: 'answer', mode: 'page' });
    expect(judge(invite({ ...asks, 'Alert-Info': '<x>;INFO=Quiet' }), desk, settings(rules))).toEqual({ is: 'ring' });
  });

  test('a ring name of the site asks by itself, without case', () => {
    const rules = [{ match: 'info=emergency', mode: 'page' as const, delay: 0, tone: false }];
    const verdict = judge(invite({ 'Alert-Info': '<http://pbx>;info=EMERGENCY' }), desk, settings(rules));
    expect(verdict).toEqual({ is: 'answer', afterMs: 0, mode: 'page', tone: false });
  });

  test('its delay goes before what the caller says', () => {
    expect(judge(invite(asks), desk, settings([{ delay: 1_000 }]))).toMatchObject({ afterMs: 1_000 });
  });

  test('its callers are allowed by it, and by nothing else', () => {
    const rules = [{ from: 'stranger@example.org', mode: 'listen' as const }];
    expect(judge(invite(asks), stranger, settings(rules))).toMatchObject({ is: 'answer', mode: 'listen' });
    expect(judge(invite(asks), { ...stranger, isTrusted: false }, settings(rules))).toMatchObject({
      is: 'not allowed',
    });
    expect(judge(invite(asks), desk, settings(rules))).toMatchObject({ is: 'answer', mode: 'talk' });
  });

  test('a match of anybody does not allow anybody', () => {
    const verdict = judge(invite({ 'Alert-Info': 'info=emergency' }), stranger, settings([{ match: 'emergency' }]));
    expect(verdict).toMatchObject({ is: 'not allowed', asked: 'info=emergency' });
  });
});

test('who insists learns that it may not', () => {
  const insisting = invite({ 'Answer-Mode': 'Auto;require' });
  expect(judge(insisting, stranger, settings())).toMatchObject({ is: 'not allowed', insists: true });
  expect(judge(insisting, desk, settings([{ mode: 'ring' }]))).toMatchObject({ is: 'not allowed', insists: true });
});

test.each([
  [desk, [], true],
  [stranger, [], false],
  [stranger, [{ from: 'stranger@example.org' }], true],
  [stranger, [{ from: 'stranger@example.org', mode: 'ring' as const }], false],
  [stranger, [{ match: 'x' }], false],
  [{ ...desk, isTrusted: false }, [], false],
])('%o with the rules %o may have its call answered later: %s', (caller, rules, may) => {
  expect(mayAsk(caller, settings(rules))).toBe(may);
});
