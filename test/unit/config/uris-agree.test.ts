/** The configuration judges SIP URIs by itself; whatever it takes, the SIP stack must take too, or a document would end the device. */
import { expect, test } from 'vitest';
import { parseConfig } from '../../../firmware/config/parse.ts';
import { isMalformed } from '../../../firmware/sip/message/message.ts';
import { parseUri } from '../../../firmware/sip/message/uri.ts';
import { parseTarget, targetAt } from '../../../firmware/sip/target.ts';
import { seeded } from '../../sim/seeded.ts';

const taken = (uri: string) => !('problems' in parseConfig({ contacts: { desk: { uri } } }));

test.each([
  'sip:a%@h',
  'sip:a%zz@h',
  'sip:a@h;transport=sctp',
  'sip:a@h;TRANSPORT=ws',
  'sip:a@h;transport',
  'sip:a@h;lr;LR',
  'sip:a@h;user=phone;user=ip',
  'sip:a@h;=',
  'sip:a@h;x=',
  'sip:a@h;x=%',
  'sip:a@h;x=1=2',
  'sip:a@h;;',
])('%s is not taken', uri => {
  expect(taken(uri)).toBe(false);
});

test.each(['sip:a%20b@h', 'sip:a@h;transport=UDP', 'sip:a@[::1]:5070;lr', 'sip:*55;x=y@h;user=phone', 'sip:a@h;x=%41'])(
  '%s is taken',
  uri => {
    expect(taken(uri)).toBe(true);
  },
);

test('of 20,000 URIs none is taken here and refused there', () => {
  const random = seeded(7);
  const whole = (below: number) => Math.floor(random.next() * below);
  const letters = (of: string, most: number) =>
    Array.from({ length: whole(most + 1) }, () => of[whole(of.length)]).join('');
  const hosts = ['h', 'a.b', 'a..b', '10.0.0.1', '1', '[::1]', '[1]', 'a-', 'A_b'];
  let count = 0;
  for (let turn = 0; turn < 20_000; turn++) {
    const user = letters("abA09_.!~*'()&=+$,;?/%-#: ", 6);
    const port = whole(3) === 0 ? `:${whole(70_000)}` : '';
    const parameters = whole(2) === 0 ? `;${letters('abT=%25;$()*+-', 7)}` : '';
    const uri = `sip:${user}@${hosts[whole(hosts.length)]}${port}${parameters}`;
    if (!taken(uri)) continue;
    count++;
    expect(isMalformed(parseTarget(uri)), uri).toBe(false);
  }
  expect(count).toBeGreaterThan(2_000);
});

test('of 20,000 numbers none is taken here and refused there', () => {
  const random = seeded(8);
  const whole = (below: number) => Math.floor(random.next() * below);
  const letters = (of: string, most: number) =>
    Array.from({ length: whole(most + 1) }, () => of[whole(of.length)]).join('');
  const home = parseUri('sip:door@example.org');
  if (isMalformed(home)) throw new Error(home.why);
  let count = 0;
  for (let turn = 0; turn < 20_000; turn++) {
    const number = `${whole(2) === 0 ? '+' : ''}${letters('0123456789-.()#*aF ', 8)}`;
    const parameters = whole(3) === 0 ? `;${letters('ab=+%20;', 6)}` : '';
    const text = `${whole(2) === 0 ? 'tel:' : ''}${number}${parameters}`;
    const document = { sip: { accounts: { pbx: { uri: 'sip:door@example.org' } } }, contacts: { desk: { uri: text } } };
    if ('problems' in parseConfig(document)) continue;
    count++;
    expect(typeof targetAt(text, home), text).toBe('string');
  }
  expect(count).toBeGreaterThan(2_000);
});

test('a number without an account is refused, and so is a ninth account', () => {
  const problems = (document: object) => {
    const parsed = parseConfig(document);
    return 'problems' in parsed ? parsed.problems.map(({ message }) => message) : [];
  };
  expect(problems({ contacts: { desk: { uri: '4711' } } })).toEqual([
    '"4711" is a number, and no account knows it; write "sip:user@host"',
  ]);
  const account = { uri: 'sip:door@example.org' };
  const accounts = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`a${index}`, account]));
  expect(problems({ sip: { accounts } })).toEqual(['the table has too many entries; the most is 8']);
});
