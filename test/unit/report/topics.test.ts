import { expect, test } from 'vitest';
import { isAnswerTopic, topics } from '../../../firmware/report/topics.ts';

const tree = topics('porter/v1', 'front');

test('the tree', () => {
  expect([
    tree.availability,
    tree.info,
    tree.state('call'),
    tree.event('button'),
    tree.command,
    tree.result,
    tree.request,
  ]).toEqual([
    'porter/v1/front/availability',
    'porter/v1/front/info',
    'porter/v1/front/state/call',
    'porter/v1/front/event/button',
    'porter/v1/front/command',
    'porter/v1/front/command/result',
    'porter/v1/front/rpc/req',
  ]);
});

test.each(['porter/v1/front/rpc/res/x', 'porter/v1/front/rpc/res/desk/17'])('an answer may go to %s', topic => {
  expect(isAnswerTopic(tree, topic)).toBe(true);
});

test.each([
  undefined,
  7,
  '',
  'porter/v1/front/rpc/res/',
  'porter/v1/front/rpc/res',
  'porter/v1/front/command',
  'porter/v1/other/rpc/res/x',
  'porter/v1/front/rpc/res/+',
  'porter/v1/front/rpc/res/#',
  'porter/v1/front/rpc/res/a\0b',
  `porter/v1/front/rpc/res/${'x'.repeat(256)}`,
  'x/porter/v1/front/rpc/res/x',
])('an answer may not go to %j', topic => {
  expect(isAnswerTopic(tree, topic)).toBe(false);
});
