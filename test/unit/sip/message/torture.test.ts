/** The torture messages of RFC 4475 and RFC 5118, byte for byte as the RFCs publish them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isMalformed, type Malformed, type Message } from '../../../../firmware/sip/message/message.ts';
import { parseNameAddress } from '../../../../firmware/sip/message/name-addr.ts';
import { parseMessage } from '../../../../firmware/sip/message/parse.ts';
import { printMessage } from '../../../../firmware/sip/message/print.ts';
import { parseUri } from '../../../../firmware/sip/message/uri.ts';
import { parseVia } from '../../../../firmware/sip/message/via.ts';
import { rfc4475, rfc5118, type Verdict } from '../../../fixtures/torture/verdicts.ts';

const folder = join(import.meta.dirname, '../../../fixtures/torture');
const parse = (file: string) => parseMessage(readFileSync(join(folder, file)));

function accepted(file: string): Message {
  const message = parse(file);
  if (isMalformed(message)) throw new Error(`${file}: ${message.why}`);
  return message;
}

const said = (result: Message | Malformed): Verdict['verdict'] => {
  if (!isMalformed(result)) return 'accepted';
  // What cannot be answered is dropped, whatever status it would deserve.
  return result.request === undefined ? 'dropped' : result.status;
};

describe.each([
  ['rfc4475', rfc4475, 49],
  ['rfc5118', rfc5118, 12],
] as const)('%s', (name, verdicts, count) => {
  test('every message has a verdict', () => {
    expect(verdicts.map(({ file }) => file).sort()).toEqual(readdirSync(join(folder, name)).sort());
    expect(verdicts).toHaveLength(count);
  });

  test.each(verdicts)('§$section $file: $verdict, $why', ({ file, verdict }) => {
    expect(said(parse(`${name}/${file}`))).toBe(verdict);
  });

  test.each(verdicts.filter(({ verdict }) => verdict === 'accepted'))(
    '§$section $file survives a round trip',
    ({ file }) => {
      const message = accepted(`${name}/${file}`);
      const printed = printMessage(message);
      const again = parseMessage(printed);
      if (isMalformed(again)) throw new Error(again.why);
      expect(Buffer.from(again.body).equals(message.body)).toBe(true);
      expect([...again.headers].filter(([header]) => header !== 'Content-Length')).toEqual(
        [...message.headers].filter(([header]) => header !== 'Content-Length'),
      );
      expect(Buffer.from(printMessage(again)).equals(printed)).toBe(true);
    },
  );
});

describe('what the accepted ones say', () => {
  test('wsinv: folded, padded and compact fields read as if written plainly', () => {
    const { headers } = accepted('rfc4475/wsinv.dat');
    expect(headers.get('to')).toBe('sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n');
    expect(parseNameAddress(headers.get('To')!)).toEqual({
      uri: 'sip:vivekg@chair-dnrc.example.com',
      parameters: { tag: '1918181833n' },
    });
    expect(parseNameAddress(headers.get('From')!)).toEqual({
      displayName: 'J Rosenberg \\"',
      uri: 'sip:jdrosen@example.com',
      parameters: { tag: '98asjd8' },
    });
    expect(headers.get('Max-Forwards')).toBe('0068');
    expect(headers.get('Subject')).toBe('');
    expect(headers.get('NewFangledHeader')).toBe('newfangled value continued newfangled value');
    expect(headers.all('Via').map(parseVia)).toEqual([
      { transport: 'UDP', host: '192.0.2.2', parameters: { branch: '390skdjuw' } },
      { transport: 'TCP', host: 'spindle.example.com', parameters: { branch: 'z9hG4bK9ikj8' } },
      { transport: 'UDP', host: '192.168.255.111', parameters: { branch: 'z9hG4bK30239' } },
    ]);
    expect(parseNameAddress(headers.get('Contact')!)).toEqual({
      displayName: 'Quoted string ""',
      uri: 'sip:jdrosen@example.com',
      parameters: { newparam: 'newvalue', secondparam: true, q: '0.33' },
    });
  });

  test('intmeth: strange but legal characters are kept', () => {
    const message = accepted('rfc4475/intmeth.dat');
    expect(message).toMatchObject({ kind: 'request', method: "!interesting-Method0123456789_*+`.%indeed'~" });
    expect(parseNameAddress(message.headers.get('To')!)).toMatchObject({ displayName: 'BEL:\x07 NUL:\0 DEL:\x7f' });
    expect(parseNameAddress(message.headers.get('From')!)).toMatchObject({
      displayName: "token1~` token2'+_ token3*%!.-",
      parameters: { "fromparam''~+*_!.-%": 'работающий', tag: "_token~1'+`*%!-." },
    });
    expect(message.headers.get("extensionHeader-!.%*+_`'~")).toBe('\ufeff大停電');
  });

  test('esc01: escaped characters mean what they stand for', () => {
    const message = accepted('rfc4475/esc01.dat');
    if (message.kind !== 'request') throw new Error('a request');
    expect(parseUri(message.uri)).toMatchObject({ user: 'sips:user@example.com', host: 'example.net' });
    const contact = parseNameAddress(message.headers.get('Contact')!);
    expect(parseUri((contact as { uri: string }).uri)).toMatchObject({
      user: 'caller',
      parameters: { lr: true, name: 'value%41' },
    });
  });

  test('esc02: an escaped header field name is another name', () => {
    const { headers } = accepted('rfc4475/esc02.dat');
    expect(headers.all('Contact')).toEqual(['<sip:alias1@host1.example.com>', '<sip:alias3@host3.example.com>']);
    expect(headers.has('C%6Fntact')).toBe(true);
  });

  test('dblreq: the second request is not there', () => {
    const message = accepted('rfc4475/dblreq.dat');
    expect(message.body).toHaveLength(0);
    expect(message.headers.get('Call-ID')).toBe('dblreq.0ha0isndaksdj99sdfafnl3lk233412');
  });

  test('longreq: 34 Via, some with blanks before the colon', () => {
    expect(accepted('rfc4475/longreq.dat').headers.all('Via')).toHaveLength(34);
  });

  test('semiuri: the user holds the semicolon', () => {
    const message = accepted('rfc4475/semiuri.dat');
    expect(parseUri((message as { uri: string }).uri)).toMatchObject({
      user: 'user;par=u@example.net',
      host: 'example.com',
    });
    expect(message.headers.all('Accept')).toHaveLength(6);
  });

  test('port-ambiguous and port-unambiguous', () => {
    expect(parseUri((accepted('rfc5118/port-ambiguous') as { uri: string }).uri)).toMatchObject({
      host: '2001:db8::10:5070',
    });
    expect(parseUri((accepted('rfc5118/port-unambiguous') as { uri: string }).uri)).toMatchObject({
      host: '2001:db8::10',
      port: 5070,
    });
  });

  test.each(['via-received-param-with-delim', 'via-received-param-no-delim'])('%s: the same address', file => {
    expect(parseVia(accepted(`rfc5118/${file}`).headers.get('Via')!)).toMatchObject({
      parameters: { received: '2001:db8::9:255' },
    });
  });
});
