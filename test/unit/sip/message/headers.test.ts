/** Header fields: order, names without case, compact forms, lists. */
import { expect, test } from 'vitest';
import { Headers } from '../../../../firmware/sip/message/headers.ts';

function headers(...lines: readonly (readonly [string, string])[]) {
  const result = new Headers();
  for (const [name, value] of lines) result.add(name, value);
  return result;
}

test('names are found in any case and in compact form (§7.3.3)', () => {
  const fields = headers(['v', 'SIP/2.0/UDP a'], ['cALL-iD', '1'], ['K', 'timer'], ['X-Door', 'open']);
  expect(fields.get('Via')).toBe('SIP/2.0/UDP a');
  expect(fields.get('i')).toBe('1');
  expect(fields.get('supported')).toBe('timer');
  expect(fields.get('x-dOOR')).toBe('open');
  expect(fields.get('X-Other')).toBeUndefined();
  expect([...fields].map(([name]) => name)).toEqual(['Via', 'Call-ID', 'Supported', 'X-Door']);
});

test('values of lists are split at commas, but not in quotes or <>', () => {
  const fields = headers(
    ['Contact', '"Bell, A. \\" <x>" <sip:a,b@c>;q=1 , <sip:d@e;x=1,2>'],
    ['Contact', 'sip:f@g'],
    ['Allow', 'INVITE,ACK ,\tBYE'],
  );
  expect(fields.all('m')).toEqual(['"Bell, A. \\" <x>" <sip:a,b@c>;q=1', '<sip:d@e;x=1,2>', 'sip:f@g']);
  expect(fields.get('Contact')).toBe('"Bell, A. \\" <x>" <sip:a,b@c>;q=1');
  expect(fields.all('Allow')).toEqual(['INVITE', 'ACK', 'BYE']);
});

test('an unterminated quote or bracket keeps the rest in one piece', () => {
  expect(headers(['Contact', '<sip:a@b>, "no end <sip:c@d>, e']).all('Contact')).toEqual([
    '<sip:a@b>',
    '"no end <sip:c@d>, e',
  ]);
  expect(headers(['Contact', '<sip:a@b, <sip:c@d']).all('Contact')).toEqual(['<sip:a@b, <sip:c@d']);
});

test('authentication fields and unknown ones are never split (§7.3.1)', () => {
  const fields = headers(['WWW-Authenticate', 'Digest realm="a", nonce="b"'], ['X-List', '1, 2'], ['Subject', 'a, b']);
  expect(fields.all('WWW-Authenticate')).toEqual(['Digest realm="a", nonce="b"']);
  expect(fields.all('X-List')).toEqual(['1, 2']);
  expect(fields.get('Subject')).toBe('a, b');
});

test('empty elements of a list are left out', () => {
  expect(headers(['Supported', ''], ['Supported', ', timer,,path,']).all('Supported')).toEqual(['timer', 'path']);
});

test('replaceFirst writes over the topmost value only, also in a combined line', () => {
  const fields = headers(['Via', 'a, b'], ['To', 't'], ['Via', 'c']);
  fields.replaceFirst('v', 'new');
  expect(fields.all('Via')).toEqual(['new', 'b', 'c']);
  expect([...fields]).toEqual([
    ['Via', 'new, b'],
    ['To', 't'],
    ['Via', 'c'],
  ]);
});

test('set replaces all lines of a name at the place of the first', () => {
  const fields = headers(['X-A', '1'], ['b', 'x'], ['X-C', '3'], ['r', 'y'], ['referred-by', 'z']);
  fields.set('Referred-By', 'new');
  fields.set('X-D', '4');
  expect([...fields]).toEqual([
    ['X-A', '1'],
    ['Referred-By', 'new'],
    ['X-C', '3'],
    ['Refer-To', 'y'],
    ['X-D', '4'],
  ]);
});

test('add appends, prepend puts in front, remove takes every line', () => {
  const fields = headers(['Via', 'b']);
  fields.add('Via', 'c');
  fields.prepend('v', 'a');
  expect(fields.all('Via')).toEqual(['a', 'b', 'c']);
  expect(fields.lines('Via')).toBe(3);
  fields.remove('VIA');
  expect(fields.has('Via')).toBe(false);
  expect(fields.size).toBe(0);
});

test('copyFrom copies the lines of a name as they are written', () => {
  const copy = headers(['To', 't']);
  copy.copyFrom(headers(['Via', 'a, b'], ['X', 'x'], ['v', 'c']), 'Via');
  expect([...copy]).toEqual([
    ['To', 't'],
    ['Via', 'a, b'],
    ['Via', 'c'],
  ]);
});

test('a clone goes its own way', () => {
  const original = headers(['To', 't']);
  const clone = original.clone();
  clone.add('From', 'f');
  clone.set('To', 'u');
  expect([...original]).toEqual([['To', 't']]);
});

test.each(['a\r\nInjected: b', 'a\nb', 'a\rb'])('a line end in a value of ours is a bug of ours: %j', value => {
  const fields = headers(['To', 't']);
  expect(() => fields.add('Subject', value)).toThrow('line end');
  expect(() => fields.set('To', value)).toThrow('line end');
  expect(() => fields.prepend('Via', value)).toThrow('line end');
  expect([...fields]).toEqual([['To', 't']]);
});

test.each(['__proto__', 'constructor', 'toString'])('no name is special: %s', name => {
  const fields = headers([name, 'value']);
  expect(fields.get(name)).toBe('value');
  expect(new Headers().has(name)).toBe(false);
});
