import { expect, test } from 'vitest';
import { OUTBOX_LIMIT, Outbox, WINDOW } from '../../../firmware/report/outbox.ts';

const letter = (name: string | number) => ({ topic: 'event', payload: String(name) });

function takeAll(outbox: Outbox) {
  const taken = [];
  for (let next = outbox.next(); next !== undefined; next = outbox.next()) taken.push(next);
  return taken;
}

const filled = (count: number) => {
  const outbox = new Outbox();
  for (let index = 1; index <= count; index++) outbox.push(letter(index));
  return outbox;
};

test('gives letters once, in order', () => {
  const outbox = filled(3);
  expect(takeAll(outbox).map(({ payload }) => payload)).toEqual(['1', '2', '3']);
  expect(outbox.next()).toBeUndefined();
  outbox.push(letter(4));
  expect(takeAll(outbox)).toEqual([letter(4)]);
});

test('has only so many on their way; an acknowledgement makes room', () => {
  const outbox = filled(WINDOW + 2);
  const sent = takeAll(outbox);
  expect(sent).toHaveLength(WINDOW);
  outbox.acknowledge(sent[5]!);
  expect(takeAll(outbox)).toEqual([letter(WINDOW + 1)]);
  expect(outbox.waiting).toBe(WINDOW + 1);
});

test('after a lost connection what was not acknowledged goes again, oldest first', () => {
  const outbox = filled(3);
  const [first] = takeAll(outbox);
  outbox.acknowledge(first!);
  outbox.rewind();
  expect(takeAll(outbox).map(({ payload }) => payload)).toEqual(['2', '3']);
});

test('an acknowledgement may still come for a letter that is to go again', () => {
  const outbox = filled(3);
  const sent = takeAll(outbox);
  outbox.rewind();
  outbox.acknowledge(sent[1]!);
  outbox.acknowledge(sent[1]!);
  expect(takeAll(outbox).map(({ payload }) => payload)).toEqual(['1', '3']);
});

test('beyond the limit the oldest goes, and is counted', () => {
  const outbox = filled(OUTBOX_LIMIT + 3);
  expect(outbox.waiting).toBe(OUTBOX_LIMIT);
  expect(outbox.dropped).toBe(3);
  expect(outbox.next()).toEqual(letter(4));
});

test('a letter pushed out while on its way can still be acknowledged, and nothing is skipped', () => {
  const outbox = filled(OUTBOX_LIMIT);
  const sent = takeAll(outbox);
  outbox.push(letter('new'));
  outbox.acknowledge(sent[0]!);
  expect(outbox.waiting).toBe(OUTBOX_LIMIT);
  expect(outbox.next()).toEqual(letter(WINDOW + 1));
  for (const one of sent.slice(1)) outbox.acknowledge(one);
  expect(outbox.waiting).toBe(OUTBOX_LIMIT - WINDOW + 1);
  expect(outbox.next()).toEqual(letter(WINDOW + 2));
});
