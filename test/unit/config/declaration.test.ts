/** The declaration of the settings and what is made from it: JSON Schema, reference page, words. */
import { describe, expect, test } from 'vitest';
import { readDocument } from '../../../firmware/config/document.ts';
import { jsonSchema } from '../../../firmware/config/json-schema.ts';
import { nearest, showValue } from '../../../firmware/config/problems.ts';
import { configReference } from '../../../firmware/config/reference.ts';
import { printPath, type Setting, settingAt, tree } from '../../../firmware/config/tree.ts';

function* leaves(path: string, setting: Setting): Generator<[string, Extract<Setting, { is: 'leaf' }>]> {
  if (setting.is === 'leaf') yield [path, setting];
  else if (setting.is === 'table') yield* leaves(`${path}.x`, setting.entry);
  else
    for (const [key, member] of Object.entries(setting.members))
      yield* leaves(path === '' ? key : `${path}.${key}`, member);
}
const all = [...leaves('', tree)];

test('every setting explains itself in a sentence and is on the reference page', () => {
  const page = configReference();
  expect(all.length).toBeGreaterThan(80);
  for (const [path, { about }] of all) {
    expect(about.help, path).toMatch(/^[A-Z].*\.$/);
    expect(page).toContain(`\`${path.replaceAll('.x.', '.<name>.')}\``);
  }
});

test('exactly the passwords, tokens and codes are secret', () => {
  expect(all.filter(([, { about }]) => about.secret).map(([path]) => path)).toEqual([
    'paging.groups.x.key',
    'paging.zones.x.key',
    'paging.zones.x.code',
    'sip.accounts.x.password',
    'sip.accounts.x.logins.x.password',
    'sip.accounts.x.callers.x.password',
    'doors.x.codes',
    'mqtt.password',
    'provisioning.token',
  ]);
});

test('exactly what names a thing is required', () => {
  expect(all.filter(([, { required }]) => required).map(([path]) => path)).toEqual([
    'paging.groups.x.address',
    'paging.groups.x.port',
    'paging.zones.x.address',
    'paging.zones.x.port',
    'sip.accounts.x.uri',
    'sip.accounts.x.logins.x.realm',
    'sip.accounts.x.logins.x.username',
    'sip.accounts.x.logins.x.password',
    'sip.accounts.x.callers.x.password',
    'contacts.x.uri',
    'buttons.x.input',
    'buttons.x.press',
    'doors.x.relay',
  ]);
});

test('the JSON Schema carries default, form, help, secrecy and what a change needs', () => {
  // biome-ignore lint/suspicious/noExplicitAny: a walk through JSON of known shape
  const schema = jsonSchema() as Record<string, any>;
  const account = schema.properties.sip.properties.accounts.additionalProperties;
  expect(account.required).toEqual(['uri']);
  expect(account.properties.password).toMatchObject({ 'x-secret': true, writeOnly: true, 'x-needs': 're-register' });
  expect(account.properties.expires).toMatchObject({ type: 'string', default: '5 min' });
  expect(new RegExp(account.properties.expires.pattern).test('3 parsecs')).toBe(false);
  expect(schema.properties.audio.properties.loudspeaker).toMatchObject({
    minimum: -60,
    maximum: 20,
    default: 0,
    'x-unit': 'dB',
  });
  expect(schema.additionalProperties).toBe(false);
});

test('a path leads to its declaration', () => {
  expect(settingAt(['doors', 'front', 'codes', 3])).toMatchObject({ is: 'leaf' });
  expect(settingAt(['doors', 'front'])).toMatchObject({ is: 'group' });
  expect(settingAt(['doors', 'front', 'constructor'])).toBeUndefined();
  expect(settingAt(['toString'])).toBeUndefined();
});

test('paths are printed as they are read', () => {
  expect(printPath(['doors', 'front', 'codes', 2])).toBe('doors.front.codes[2]');
  expect(printPath(['a b', 'x'.repeat(500)])).toBe(`"a b".${JSON.stringify('x'.repeat(64))}`);
});

test.each([
  ['maxCals', 'maxCalls'],
  ['MAXCALLS', 'maxCalls'],
  ['lisen', 'listen'],
  ['volume', undefined],
  ['', undefined],
  ['x'.repeat(100_000), undefined],
])('nearest to %s is %s', (word, expected) => {
  expect(nearest(word.slice(), ['listen', 'maxCalls', 'accounts'])).toBe(expected);
});

test.each([
  ['sip:a@b', '"sip:a@b"'],
  ['sip:a:pw@b', '"sip:a:***@b"'],
  ['mqtt://u:p:w@b', '"mqtt://u:***@b"'],
  [null, 'null'],
  [[1], 'a list'],
  [{}, 'an object'],
])('%j is shown as %s', (value, shown) => {
  expect(showValue(value)).toBe(shown);
});

describe('a document is read', () => {
  const read = (text: string) => readDocument(Buffer.from(text));
  test.each([
    ['{}', { document: {} }],
    ['', { why: 'is not JSON' }],
    ['[]', { why: 'is not a JSON object' }],
    ['{"a": 1,}', { why: 'is not JSON (line 1 column 9)' }],
  ])('%j', (text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  test('unless it is not text, or longer than 1 MiB', () => {
    expect(readDocument(Uint8Array.of(0x7b, 0xff, 0x7d))).toEqual({ why: 'is not UTF-8 text' });
    expect(read(`{"a":"${'x'.repeat(1024 * 1024)}"}`)).toMatchObject({ why: expect.stringContaining('1048576') });
  });

  test('and an error quotes none of it', () => {
    expect(JSON.stringify(read('{"password": "hunter2" oops}'))).not.toContain('hunter2');
  });
});
