/** Answers of name servers as bytes: what is read, what is nobody's answer, and what is nonsense. */
import { describe, expect, test } from 'vitest';
import { parseAnswer, printQuestion } from '../../../../firmware/sip/locate/dns-message.ts';
import { seeded } from '../../../sim/seeded.ts';

const name = (text: string) => [
  ...text
    .split('.')
    .filter(label => label !== '')
    .flatMap(label => [label.length, ...Buffer.from(label)]),
  0,
];
const u16 = (...values: number[]) => values.flatMap(value => [value >> 8, value & 0xff]);
const u32 = (value: number) => u16(Math.floor(value / 65_536), value % 65_536);

const record = (owner: string, type: number, ttl: number, data: number[]) => [
  ...name(owner),
  ...u16(type, 1),
  ...u32(ttl),
  ...u16(data.length),
  ...data,
];
const srv = (owner: string, ttl: number, target: string) =>
  record(owner, 33, ttl, [...u16(1, 2, 5070), ...name(target)]);
const alias = (owner: string, ttl: number, to: string) => record(owner, 5, ttl, name(to));
const soa = (ttl: number, minimum: number) =>
  record('example.test', 6, ttl, [
    ...name('ns.example.test'),
    ...name('root'),
    ...u32(1),
    ...u32(2),
    ...u32(3),
    ...u32(4),
    ...u32(minimum),
  ]);

const asked = '_sip._udp.example.test';

function message(answers: number[][], { id = 7, flags = 0x8180, question = asked, authority = [] as number[][] } = {}) {
  const head = u16(id, flags, 1, answers.length, authority.length, 0);
  return Uint8Array.from([...head, ...name(question), ...u16(33, 1), ...answers.flat(), ...authority.flat()]);
}

const read = (bytes: Uint8Array) => parseAnswer(bytes, 7, 'SRV', asked);
const a = { priority: 1, weight: 2, port: 5070, target: 'a.example.test' };

describe('an answer', () => {
  test('is its records, for as long as the shortest of them is good', () => {
    const answer = read(message([srv(asked, 300, 'a.example.test'), srv(asked.toUpperCase(), 60, 'B.example.test')]));
    expect(answer).toEqual({
      isTruncated: false,
      code: 0,
      records: [a, { ...a, target: 'b.example.test' }],
      ttlMs: 60_000,
    });
  });

  test('follows aliases, whose time counts too', () => {
    const answer = read(
      message([alias(asked, 20, 'x.test'), alias('x.test', 30, 'y.test'), srv('y.test', 300, 'a.example.test')]),
    );
    expect(answer).toMatchObject({ records: [a], ttlMs: 20_000 });
  });

  test('with aliases in a circle has no records', () => {
    expect(read(message([alias(asked, 20, 'x.test'), alias('x.test', 20, asked)]))?.records).toEqual([]);
  });

  test('has nothing of what was not asked for', () => {
    expect(read(message([srv('evil.test', 86_400, 'evil.test')]))?.records).toEqual([]);
  });

  test.each([
    [[soa(3_600, 60)], 60_000],
    [[soa(10, 60)], 10_000],
    // RFC 2308 §5: not for hours, whatever it says.
    [[soa(86_400, 86_400)], 300_000],
    [[], 30_000],
  ])('that there is none is good for a while', (authority, ttlMs) => {
    expect(read(message([], { flags: 0x8183, authority }))).toMatchObject({ code: 3, records: [], ttlMs });
  });

  test('of a time with the first bit set is good for none (RFC 2181 §8)', () => {
    expect(read(message([srv(asked, 2 ** 31, 'a.example.test')]))?.ttlMs).toBe(0);
  });

  test('that was cut says so, and is read as far as it goes', () => {
    const whole = message([srv(asked, 60, 'a.example.test')], { flags: 0x8380 });
    whole[7] = 2;
    expect(read(whole)).toMatchObject({ isTruncated: true, records: [a] });
  });
});

describe('no answer to our question', () => {
  test.each([
    ['another id', message([], { id: 8 })],
    ['a question', message([], { flags: 0x0100 })],
    ['another name', message([], { question: 'other.test' })],
    ['nothing', new Uint8Array()],
    ['half a head', message([]).subarray(0, 9)],
    ['a record beyond the end', message([srv(asked, 60, 'a.example.test').slice(0, -3)])],
  ])('is %s', (_, bytes) => {
    expect(read(bytes)).toBeUndefined();
  });

  test('is a name that points at itself', () => {
    const bytes = message([srv(asked, 60, 'a')]);
    // The owner of the record: a pointer to where it stands.
    const at = 12 + name(asked).length + 4;
    bytes.set([0xc0, at], at);
    expect(read(bytes)).toBeUndefined();
  });
});

test('a question is a name in labels; what is no name is not asked for', () => {
  expect(printQuestion(0x1234, 'SRV', 'a.test.')).toEqual(
    Uint8Array.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...name('a.test'), ...u16(33, 1)]),
  );
  for (const wrong of ['', '.', 'a..b', `${'x'.repeat(64)}.test`, 'x.'.repeat(127)])
    expect(printQuestion(1, 'SRV', wrong), wrong).toBeUndefined();
});

test('50,000 spoilt answers are read or passed over, and none throws', () => {
  const random = seeded(3);
  const whole = (below: number) => Math.floor(random.next() * below);
  let readable = 0;
  for (let turn = 0; turn < 50_000; turn++) {
    const bytes = message([alias(asked, 20, 'x.test'), srv('x.test', 300, 'a.example.test')], {
      authority: [soa(1, 2)],
    });
    for (let count = whole(4); count >= 0; count--) bytes[12 + whole(bytes.length - 12)] = whole(256);
    if (read(bytes.subarray(0, random.next() < 0.2 ? whole(bytes.length) : bytes.length)) !== undefined) readable++;
  }
  expect(readable).toBeGreaterThan(5_000);
});
