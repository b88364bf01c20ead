/** Reading a datagram: what is a message, what is answered with an error, what is dropped. */
import { describe, expect, test } from 'vitest';
import {
  MAX_HEADER_FIELD_LENGTH,
  MAX_HEADER_FIELDS,
  MAX_LIST_ELEMENTS,
  MAX_MESSAGE_BYTES,
} from '../../../../firmware/sip/message/limits.ts';
import { isMalformed, type Message } from '../../../../firmware/sip/message/message.ts';
import { parseMessage } from '../../../../firmware/sip/message/parse.ts';
import { printMessage } from '../../../../firmware/sip/message/print.ts';

const OPTIONS = [
  'OPTIONS sip:door@example.org SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1',
  'Max-Forwards: 70',
  'From: <sip:desk@example.org>;tag=1',
  'To: <sip:door@example.org>',
  'Call-ID: 1@192.0.2.1',
  'CSeq: 1 OPTIONS',
];

const RINGING = [
  'SIP/2.0 180 Ringing',
  'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1',
  'From: <sip:desk@example.org>;tag=1',
  'To: <sip:door@example.org>;tag=2',
  'Call-ID: 1@192.0.2.1',
  'CSeq: 1 INVITE',
];

const bytes = (lines: readonly string[], body = '', end = '\r\n') =>
  Buffer.from(`${lines.join(end)}${end}${end}${body}`);
const parse = (lines: readonly string[], body?: string) => parseMessage(bytes(lines, body));
const without = (lines: readonly string[], name: string) => lines.filter(line => !line.startsWith(`${name}:`));
/** The same lines with the one of that name replaced. */
const having = (lines: readonly string[], name: string, value: string) =>
  lines.map(line => (line.startsWith(`${name}:`) ? `${name}: ${value}` : line));

function read(lines: readonly string[], body?: string): Message {
  const message = parse(lines, body);
  if (isMalformed(message)) throw new Error(message.why);
  return message;
}

describe('a sound message', () => {
  test('is a request with method, URI, headers and body', () => {
    const message = read([...OPTIONS, 'Content-Length: 2'], 'hi');
    expect(message).toMatchObject({ kind: 'request', method: 'OPTIONS', uri: 'sip:door@example.org' });
    expect(Buffer.from(message.body).toString()).toBe('hi');
    expect(message.headers.get('call-id')).toBe('1@192.0.2.1');
  });

  test('is a response with status and reason', () => {
    expect(read(RINGING)).toMatchObject({ kind: 'response', status: 180, reason: 'Ringing' });
  });

  test('needs no Max-Forwards and no Content-Length: the datagram ends it', () => {
    expect(read(without(OPTIONS, 'Max-Forwards'), 'to the end').body).toHaveLength(10);
  });

  test('loses what follows Content-Length', () => {
    expect(Buffer.from(read([...OPTIONS, 'l: 2'], 'hidden').body).toString()).toBe('hi');
  });

  test('may end its lines with LF alone', () => {
    const message = parseMessage(bytes(OPTIONS, 'body', '\n'));
    expect(message).toMatchObject({ kind: 'request', method: 'OPTIONS' });
    expect((message as Message).body).toHaveLength(4);
  });

  test('may follow empty lines (§7.5)', () => {
    expect(parseMessage(Buffer.concat([Buffer.from('\r\n\r\n'), bytes(OPTIONS)])).kind).toBe('request');
  });

  test('may write its version in lower case (§7.1)', () => {
    expect(read(['OPTIONS sip:door@example.org sip/2.0', ...OPTIONS.slice(1)]).kind).toBe('request');
    expect(read(['sip/2.0 180 Ringing', ...RINGING.slice(1)]).kind).toBe('response');
  });

  test('has its folded lines joined with one space (§7.3.1)', () => {
    const message = read([...OPTIONS, 'Subject: I know', '  you are there,\t', '\tpick up']);
    expect(message.headers.get('Subject')).toBe('I know you are there, pick up');
  });

  test('has UTF-8 values, also beside bytes that are none', () => {
    const latin1 = Buffer.concat([
      Buffer.from(`${OPTIONS.join('\r\n')}\r\nSubject: Tür\r\nOrganization: M`),
      Buffer.from([0xfc]),
      Buffer.from('ller\r\n\r\n'),
    ]);
    const message = parseMessage(latin1) as Message;
    expect(message.headers.get('Subject')).toBe('Tür');
    expect(message.headers.get('Organization')).toBe('M\ufffdller');
  });

  test('keeps a value that begins or ends with a character JavaScript takes for a blank', () => {
    expect(read([...OPTIONS, 'Subject: \ufeffà\u00a0']).headers.get('Subject')).toBe('\ufeffà\u00a0');
  });

  test('may hold NUL in a header field and in the body', () => {
    const message = read([...OPTIONS, 'Subject: a\0b'], '\0\0');
    expect(message.headers.get('Subject')).toBe('a\0b');
    expect([...message.body]).toEqual([0, 0]);
  });

  test('is read from a plain Uint8Array inside a larger buffer', () => {
    const inner = bytes(OPTIONS, 'x');
    const outer = new Uint8Array(inner.length + 20).fill(0x41);
    outer.set(inner, 10);
    const message = parseMessage(outer.subarray(10, 10 + inner.length)) as Message;
    expect(message.kind).toBe('request');
    expect(Buffer.from(message.body).toString()).toBe('x');
  });
});

describe('dropped silently (status 0, no request)', () => {
  const dropped = (input: Uint8Array) => {
    const result = parseMessage(input);
    return isMalformed(result) && result.status === 0 && result.request === undefined;
  };

  test.each([
    ['nothing', ''],
    ['a keep-alive of two CRLF (RFC 5626)', '\r\n\r\n'],
    ['a keep-alive of one CRLF', '\r\n'],
    ['NULs', '\0\0\0\0'],
    ['HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['one word', 'hello'],
    ['a version alone', 'SIP/2.0'],
    ['a STUN request', '\x00\x01\x00\x00\x21\x12\xa4\x42aaaaaaaaaaaa'],
  ])('%s', (_, text) => {
    expect(dropped(Buffer.from(text, 'latin1'))).toBe(true);
  });

  test.each([
    'SIP/2.0 99 Low',
    'SIP/2.0 700 High',
    'SIP/2.0 1800 Long',
    'SIP/3.0 180 Ringing',
    'SIP/2.0  180 Two',
    'SIP/2.0 18x',
  ])('a response that begins %s', line => expect(dropped(bytes([line, ...RINGING.slice(1)]))).toBe(true));

  test.each(['Via', 'From', 'To', 'Call-ID', 'CSeq'])('a response without %s', name => {
    expect(dropped(bytes(without(RINGING, name)))).toBe(true);
  });

  test('a message larger than any datagram', () => {
    expect(dropped(bytes(OPTIONS, 'x'.repeat(MAX_MESSAGE_BYTES)))).toBe(true);
  });

  test('an ACK, however faulty: nothing is ever answered to it', () => {
    const ack = having(['ACK sip:door@example.org SIP/2.0', ...OPTIONS.slice(1)], 'CSeq', '1 INVITE');
    expect(parse(ack)).toEqual({ kind: 'malformed', status: 400, why: 'CSeq method does not match' });
  });
});

describe('answered with an error', () => {
  const answered = (lines: readonly string[], body?: string) => {
    const result = parse(lines, body);
    if (!isMalformed(result)) return 'accepted';
    // Whoever answers needs the header fields, also those behind the fault.
    return `${result.status} ${result.why}${result.request?.headers.get('CSeq') === undefined ? ', unanswerable' : ''}`;
  };

  test.each([
    ['OPTIONS sip:door@example.org SIP/3.0', '505 Version Not Supported'],
    ['OPTIONS  sip:door@example.org SIP/2.0', '400 Bad Request-Line'],
    ['OPTIONS sip:door@example.org  SIP/2.0', '400 Bad Request-Line'],
    [' OPTIONS sip:door@example.org SIP/2.0', '400 Bad Request-Line'],
    ['OPTIONS sip:door@example.org SIP/2.0 ', '400 Bad Request-Line'],
    ['OPTIONS <sip:door@example.org> SIP/2.0', '400 Bad Request-Line'],
    ['OPTIONS "sip:door@example.org" SIP/2.0', '400 Bad Request-Line'],
    ['OPTIONS tel:+15550100 SIP/2.0', '416 Unsupported URI scheme'],
    ['OPTIONS door@example.org SIP/2.0', '400 Bad URI'],
    ['OPTIONS sip: SIP/2.0', '400 Bad host'],
    ['OPTIONS sip:door@example.org?Subject=x SIP/2.0', '400 Headers in Request-URI'],
    [`OPTIONS sip:${'d'.repeat(3000)}@example.org SIP/2.0`, '414 URI too long'],
  ])('%s', (line, expected) => expect(answered([line, ...OPTIONS.slice(1)])).toBe(expected));

  test.each([
    ['Via', 'nonsense', '400 Bad Via'],
    ['Via', 'SIP/2.0/UDP host:99999', '400 Bad sent-by in Via'],
    ['Via', 'SIP/2.0/UDP host;branch=', '400 Bad parameter in Via'],
    ['Via', 'SIP/2.0/UDP host;branch=z9hG4bK', '400 Empty branch in Via'],
    ['From', '"unterminated <sip:a@b>', '400 Bad From'],
    ['To', '<sip:a@b', '400 Bad To'],
    ['To', '', '400 Bad To'],
    ['Call-ID', '', '400 Bad Call-ID'],
    ['Call-ID', 'two words', '400 Bad Call-ID'],
    ['CSeq', 'OPTIONS 1', '400 Bad CSeq'],
    ['CSeq', '1OPTIONS', '400 Bad CSeq'],
    ['CSeq', '-1 OPTIONS', '400 Bad CSeq'],
    ['CSeq', '2147483648 OPTIONS', '400 CSeq number too large'],
    ['CSeq', '1 INVITE', '400 CSeq method does not match'],
    ['CSeq', '1 options', '400 CSeq method does not match'],
    ['Max-Forwards', '256', '400 Bad Max-Forwards'],
    ['Max-Forwards', '-1', '400 Bad Max-Forwards'],
    ['Max-Forwards', '7 0', '400 Bad Max-Forwards'],
    ['Max-Forwards', '', '400 Bad Max-Forwards'],
  ])('%s: %s', (name, value, expected) => expect(answered(having(OPTIONS, name, value))).toBe(expected));

  test.each(['0', '255', '070'])('but Max-Forwards %s is fine', value => {
    expect(answered(having(OPTIONS, 'Max-Forwards', value))).toBe('accepted');
  });

  test.each([
    ['Contact: sip:a@b?x=y', '400 Bad Contact'],
    ['Contact: <sip:a@b>, nonsense', '400 Bad Contact'],
    ['Route: sip:a@b;lr, <>', '400 Bad Route'],
    ['Record-Route: <sip:a@b', '400 Bad Record-Route'],
    ['To: <sip:other@example.org>', '400 More than one To'],
    ['i: 2@192.0.2.1', '400 More than one Call-ID'],
    ['Max-Forwards: 70', '400 More than one Max-Forwards'],
    ['no colon here', '400 Bad header field name'],
    [': no name', '400 Bad header field name'],
    ['two words: value', '400 Bad header field name'],
    ['Content-Length: 5', '400 Content-Length larger than the message'],
    ['Content-Length: +0', '400 Bad Content-Length'],
    ['Content-Length: 0x0', '400 Bad Content-Length'],
    ['Content-Length: 0\r\nl: 0', '400 More than one Content-Length'],
    ['Content-Length: 99999999999999999999', '400 Bad Content-Length'],
  ])('with a line %j', (line, expected) => {
    expect(answered([OPTIONS[0]!, line, ...OPTIONS.slice(1)])).toBe(expected);
  });

  test('Contact: * is no fault', () => expect(answered([...OPTIONS, 'Contact: *'])).toBe('accepted'));

  test('a folded line cannot be the first', () => {
    expect(answered([OPTIONS[0]!, ' folded', ...OPTIONS.slice(1)])).toBe('400 Bad header field name');
  });

  test('no empty line at the end: the datagram was cut', () => {
    const cut = Buffer.from(`${OPTIONS.join('\r\n')}\r\n`);
    expect(parseMessage(cut)).toMatchObject({ status: 400, why: 'No empty line after the header fields' });
  });

  test('a CR that ends no line', () => {
    expect(answered([...OPTIONS, 'Subject: a\rRoute: <sip:evil@example.org>'])).toBe('400 CR without LF');
    expect(answered([...OPTIONS, 'Subject: a\r'])).toBe('400 CR without LF');
    expect(answered([...OPTIONS, 'Subject: a', ' b\rc'])).toBe('400 CR without LF');
  });

  test('one header field beyond the limit', () => {
    const filler = (count: number) => Array.from({ length: count }, (_, index) => `X-${index}: y`);
    expect(answered([...OPTIONS, ...filler(MAX_HEADER_FIELDS - 6)])).toBe('accepted');
    expect(answered([...OPTIONS, ...filler(MAX_HEADER_FIELDS - 5)])).toBe('400 Too many header fields');
  });

  test('a header field longer than the limit, in one line or folded', () => {
    const room = MAX_HEADER_FIELD_LENGTH - 'Subject: '.length;
    expect(answered([...OPTIONS, `Subject: ${'x'.repeat(room)}`])).toBe('accepted');
    expect(answered([...OPTIONS, `Subject: ${'x'.repeat(room + 1)}`])).toBe('400 Header field too long');
    expect(answered([...OPTIONS, 'Subject: x', ...Array(1000).fill(' 123456789')])).toBe('400 Header field too long');
  });

  test('more addresses than the limit, in whatever lines', () => {
    const contacts = (count: number) => [
      `m: ${Array(100).fill('sip:a@b').join()}`,
      `Contact: ${Array(count).fill('sip:a@b').join()}`,
    ];
    expect(answered([...OPTIONS, ...contacts(MAX_LIST_ELEMENTS - 100)])).toBe('accepted');
    expect(answered([...OPTIONS, ...contacts(MAX_LIST_ELEMENTS - 99)])).toBe('400 Too many Contact');
  });

  test.each(['Via', 'From', 'To', 'Call-ID', 'CSeq'])('without %s there is nothing to answer with', name => {
    expect(parse(without(OPTIONS, name))).toEqual({ kind: 'malformed', status: 400, why: `Missing ${name}` });
  });

  test('the reason holds nothing of what the peer wrote', () => {
    const result = parse([...OPTIONS, 'Contact: "<evil> sip:a@b']);
    expect(isMalformed(result) && result.why).toMatch(/^[A-Za-z0-9 -]+$/);
  });
});

describe('printing', () => {
  test('writes the Content-Length the body has, whatever the headers say', () => {
    const message = read([...OPTIONS, 'Content-Length: 2'], 'hi');
    message.body = Buffer.from('größer');
    const text = Buffer.from(printMessage(message)).toString();
    expect(text.match(/Content-Length: .*/g)).toEqual(['Content-Length: 8']);
    expect(text.endsWith('\r\n\r\ngrößer')).toBe(true);
  });

  test('keeps order, repeats and unknown names, and writes compact forms in full', () => {
    const lines = ['v: SIP/2.0/UDP a', 'X-Own: 1', 'Via: SIP/2.0/UDP b', 'x-own: 2'];
    const message = read([OPTIONS[0]!, ...lines, ...OPTIONS.slice(2)]);
    expect(Buffer.from(printMessage(message)).toString().split('\r\n').slice(1, 5)).toEqual([
      'Via: SIP/2.0/UDP a',
      'X-Own: 1',
      'Via: SIP/2.0/UDP b',
      'x-own: 2',
    ]);
  });

  test('refuses a line end of ours in a start line', () => {
    const message = read(RINGING);
    if (message.kind === 'response') message.reason = 'Ringing\r\nX: y';
    expect(() => printMessage(message)).toThrow('line end');
  });
});
