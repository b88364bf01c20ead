import { expect, test } from 'vitest';
import { eventLine } from '../../../firmware/cli/show-event.ts';
import { columns, count, span, wrap } from '../../../firmware/cli/text.ts';

test.each([
  [-1, '0 s'],
  [0, '0 s'],
  [59.9, '59 s'],
  [60, '1 min'],
  [61, '1 min 1 s'],
  [3600, '1 h'],
  [7980, '2 h 13 min'],
  [86_399, '23 h 59 min'],
  [90_061, '1 d 1 h'],
])('%s seconds are %s', (seconds, text) => expect(span(seconds)).toBe(text));

test('one is not many', () => {
  expect([0, 1, 2].map(number => count(number, 'gap'))).toEqual(['0 gaps', '1 gap', '2 gaps']);
});

test('wraps at spaces, indents what follows, and leaves a long word whole', () => {
  expect(wrap('a'.repeat(78), 2)).toEqual(['a'.repeat(78)]);
  expect(wrap(`${'a'.repeat(78)} bc`, 2)).toEqual(['a'.repeat(78), '  bc']);
  expect(wrap(`x ${'u'.repeat(100)} y`, 4)).toEqual(['x', `    ${'u'.repeat(100)}`, '    y']);
});

test('spaces within and the lead of the first line are kept', () => {
  expect(wrap('a  b', 10, '          ')).toEqual(['          a  b']);
});

test('columns are as wide as their widest cell; the last is not padded', () => {
  expect(
    columns([
      ['a', 'bb', 'c'],
      ['aaa', 'b', 'cccc'],
    ]),
  ).toEqual(['a    bb  c', 'aaa  b   cccc']);
  expect(columns([])).toEqual([]);
});

test('an event is a line: when, who, what, and its facts', () => {
  const event = {
    seq: 4,
    session: 'c0ffee',
    ts: '2026-11-22T07:51:57.120Z',
    source: 'call',
    type: 'answered',
  } as const;
  expect(eventLine(event)).toBe('07:51:57.120  call          answered');
  expect(
    eventLine({ ...event, remote: 'sip:desk@example.org', ms: 5, why: 'no "luck"', list: [1], gone: undefined }),
  ).toBe('07:51:57.120  call          answered  remote=sip:desk@example.org ms=5 why="no \\"luck\\"" list=[1]');
  expect(eventLine({ ...event, name: '\u001b]0;x\u0007' })).not.toContain('\u001b');
});
