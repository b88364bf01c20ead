import { describe, expect, test } from 'vitest';
import { MAX_MESSAGE_BYTES } from '../../../../firmware/sip/message/limits.ts';
import { type Frame, FrameReader, headLimitBytes } from '../../../../firmware/sip/transport/framing.ts';

const bytesOf = (text: string) => Buffer.from(text, 'latin1');
const message = (body = '', length: number | string = body.length, name = 'Content-Length') =>
  `OPTIONS sip:a@b SIP/2.0\r\nSubject: x\r\n${name}: ${length}\r\n\r\n${body}`;

function show(frame: Frame): string {
  if (frame.is === 'message') return Buffer.from(frame.bytes).toString('latin1');
  return frame.is === 'fault' ? `fault: ${frame.why}` : frame.is;
}
const read = (...chunks: string[]) => {
  const reader = new FrameReader();
  return chunks.flatMap(chunk => reader.push(bytesOf(chunk)).map(show));
};

describe('messages', () => {
  test('follow one another without anything between', () => {
    expect(read(message('abc') + message() + message('d'))).toEqual([message('abc'), message(), message('d')]);
  });

  test.each([
    ['a compact name', message('abc', 3, 'l')],
    ['any case', message('abc', 3, 'cONTENT-length')],
    ['blanks before the colon', message('abc', 3, 'Content-Length \t')],
    ['a folded value', message('abc', '\r\n 3')],
    ['bare line feeds', message('abc').replaceAll('\r\n', '\n')],
  ])('end where Content-Length says, with %s', (_, text) => {
    expect(read(text + message())).toEqual([text, message()]);
  });

  test('have bodies that look like heads', () => {
    const body = `\r\n\r\n${message('xyz')}`;
    expect(read(message(body))).toEqual([message(body)]);
  });

  test('come whole from single bytes', () => {
    const text = `${message('abc')}\r\n\r\n${message()}`;
    expect(read(...text)).toEqual([message('abc'), 'pong', 'ping', message()]);
  });

  test('are told to be under way from the first byte to the last', () => {
    const reader = new FrameReader();
    expect(reader.isInside).toBe(false);
    reader.push(bytesOf('O'));
    expect(reader.isInside).toBe(true);
    reader.push(bytesOf(message('abc').slice(1)));
    expect(reader.isInside).toBe(false);
  });
});

describe('keep-alive (RFC 5626 §3.5.1)', () => {
  test('CRLFCRLF is a ping, one CRLF is a pong', () => {
    expect(read('\r\n')).toEqual(['pong']);
    expect(read('\r\n\r\n')).toEqual(['pong', 'ping']);
    expect(read('\r', '\n\r', '\n')).toEqual(['pong', 'ping']);
  });

  test('a CRLF before and one after a message make no ping', () => {
    expect(read(`\r\n${message()}\r\n`)).toEqual(['pong', message(), 'pong']);
  });
});

describe('a stream is of no use any more after', () => {
  test.each([
    ['no Content-Length', 'OPTIONS sip:a@b SIP/2.0\r\nSubject: x\r\n\r\n', 'no Content-Length'],
    ['two of them', message('abc').replace('Subject: x', 'l: 0'), 'more than one Content-Length'],
    ['two the same', message('abc').replace('Subject: x', 'l: 3'), 'more than one Content-Length'],
    ['a negative one', message('', -1), 'bad Content-Length'],
    ['an empty one', message('', ''), 'bad Content-Length'],
    ['one in words', message('', '3 bytes'), 'bad Content-Length'],
    ['a message that is too large', message('', MAX_MESSAGE_BYTES), 'message too large'],
    ['a body without end', message('', 999_999_999), 'message too large'],
    ['a number that no machine can hold', message('', '9'.repeat(40)), 'bad Content-Length'],
    ['a TLS greeting', '\x16\x03\x01\x02\x00', 'not SIP'],
    ['NULs', '\0\0\0\0', 'not SIP'],
    ['a line feed alone', '\nOPTIONS', 'not SIP'],
    ['a CR alone', '\rOPTIONS', 'CR without LF between messages'],
    ['a head without end', `OPTIONS ${'x'.repeat(headLimitBytes)}`, 'header fields too long'],
  ])('%s', (_, text, why) => {
    const frames = read(message('abc') + text, message());
    expect(frames.filter(frame => frame !== 'pong')).toEqual([message('abc'), `fault: ${why}`]);
  });

  test('Content-Length in a folded line is not one', () => {
    expect(read('OPTIONS sip:a@b SIP/2.0\r\nSubject: x\r\n Content-Length: 3\r\n\r\nabc')).toEqual([
      'fault: no Content-Length',
    ]);
  });
});
