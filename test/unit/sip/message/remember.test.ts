/** What has just been read is not read again. */
import { expect, test } from 'vitest';
import { remembering } from '../../../../firmware/sip/message/remember.ts';

function counting() {
  const texts: string[] = [];
  const read = remembering((text: string) => {
    texts.push(text);
    return { text };
  });
  return { texts, read };
}

test('the fields of one message are read once each, in whatever order they are asked for', () => {
  const { texts, read } = counting();
  for (const text of ['from', 'to', 'contact', 'from', 'to', 'from', 'contact']) expect(read(text)).toEqual({ text });
  expect(texts).toEqual(['from', 'to', 'contact']);
});

test('only the last few are kept, and what is forgotten is read anew', () => {
  const { texts, read } = counting();
  for (const text of ['a', 'b', 'c', 'd', 'e', 'a', 'e']) expect(read(text)).toEqual({ text });
  expect(texts).toEqual(['a', 'b', 'c', 'd', 'e', 'a']);
});

test('a text that was built anew is known by what it says', () => {
  const { texts, read } = counting();
  expect(read(['fr', 'om'].join(''))).toBe(read('from'));
  expect(texts).toEqual(['from']);
});
