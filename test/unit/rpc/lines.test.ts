import { expect, test } from 'vitest';
import { Lines } from '../../../firmware/rpc/lines.ts';

const push = (lines: Lines, text: string) => lines.push(Buffer.from(text));

test('gives each line once, whatever pieces it came in', () => {
  const lines = new Lines(100);
  expect(push(lines, 'a')).toEqual({ lines: [], tooLong: false });
  expect(push(lines, 'b\ncd\n\ne')).toEqual({ lines: ['ab', 'cd', ''], tooLong: false });
  expect(push(lines, '\n')).toEqual({ lines: ['e'], tooLong: false });
});

test('a character may be cut in two', () => {
  const lines = new Lines(100);
  const bytes = Buffer.from('tür\n');
  expect(lines.push(bytes.subarray(0, 2)).lines).toEqual([]);
  expect(lines.push(bytes.subarray(2)).lines).toEqual(['tür']);
});

test('a line of the limit passes, one byte more does not, in one piece or in many', () => {
  expect(push(new Lines(3), 'abc\n')).toEqual({ lines: ['abc'], tooLong: false });
  expect(push(new Lines(3), 'ab\nabcd\nef\n')).toEqual({ lines: ['ab'], tooLong: true });
  const slow = new Lines(3);
  expect(push(slow, 'abc').tooLong).toBe(false);
  expect(push(slow, 'd').tooLong).toBe(true);
});
