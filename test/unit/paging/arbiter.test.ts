import { describe, expect, test } from 'vitest';
import { arbitrate, type Claim } from '../../../firmware/paging/arbiter.ts';
import type { LevelRule, LevelRules } from '../../../firmware/paging/levels.ts';
import { Sources } from '../../../firmware/paging/sources.ts';
import { Talker } from '../../../firmware/paging/talker.ts';

const rule = (call: LevelRule['call'], pages: LevelRule['pages']): LevelRule => ({
  call,
  pages,
  volumeDb: 0,
  leastDb: -60,
  gong: false,
});

const RULES: LevelRules = {
  background: rule('ignore', 'mix'),
  normal: rule('mix', 'mix'),
  high: rule('duck', 'duck'),
  emergency: rule('interrupt', 'interrupt'),
};

const page = (level: Claim['level'], began: number): Claim => ({ level, began });

/** What becomes of the call and of each page, in the order given. */
function heard(claims: Claim[], callIsUp = false) {
  const { call, places } = arbitrate(claims, callIsUp, RULES);
  return [call, ...claims.map(claim => places.get(claim)!.loudness)];
}

describe('who is heard', () => {
  test.each([
    ['nobody', [], ['full']],
    ['one alone', [page('normal', 1)], ['full', 'full']],
    ['of one level, who began first', [page('normal', 2), page('normal', 1)], ['full', 'silent', 'full']],
    ['a higher level mixes', [page('normal', 2), page('background', 1)], ['full', 'full', 'full']],
    ['a higher level ducks', [page('normal', 1), page('high', 2)], ['low', 'low', 'full']],
    ['a higher level interrupts', [page('high', 1), page('emergency', 2)], ['silent', 'silent', 'full']],
    [
      'what is silenced does nothing to those below',
      [page('emergency', 3), page('high', 2), page('normal', 1)],
      ['silent', 'full', 'silent', 'silent'],
    ],
  ] as const)('%s', (_, claims, expected) => {
    expect(heard([...claims])).toEqual(expected);
  });

  test('a page that must not disturb a call waits, and keeps nobody of its level out', () => {
    expect(heard([page('background', 1)], true)).toEqual(['full', 'silent']);
    expect(heard([page('background', 1), page('normal', 2)], true)).toEqual(['full', 'silent', 'full']);
  });
});

describe('who holds a group', () => {
  const ALICE = { host: '192.0.2.1', port: 4_000 };
  const BOB = { host: '192.0.2.2', port: 4_000 };

  test('the first, until he has been silent', () => {
    const talker = new Talker(1_000);
    expect([talker.heard(ALICE, 1, 0), talker.heard(BOB, 2, 10), talker.heard(ALICE, 1, 20)]).toEqual([
      'begins',
      'refused',
      'goes on',
    ]);
    expect([talker.isSilent(1_019), talker.isSilent(1_020)]).toEqual([false, true]);
    talker.release();
    expect(talker.heard(BOB, 2, 1_020)).toBe('begins');
  });

  test('with one stream at a time: a second is another talker, unless the first has stopped', () => {
    const talker = new Talker(1_000);
    talker.heard(ALICE, 1, 0);
    const turns = [2, 1, 2, 1].map(id => talker.heard(ALICE, id, 10));
    expect(turns).toEqual(['refused', 'goes on', 'refused', 'goes on']);
    expect([talker.heard(ALICE, 2, 20), talker.heard(ALICE, 2, 40)]).toEqual(['refused', 'goes on']);
  });

  test('only he ends it', () => {
    const talker = new Talker(1_000);
    talker.heard(ALICE, 1, 0);
    expect([talker.isHolder(ALICE.host, 1), talker.isHolder(ALICE.host, 2), talker.isHolder(BOB.host, 1)]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

test('who may page: all, or some networks', () => {
  expect(new Sources([]).allow('203.0.113.9')).toBe(true);
  const some = new Sources(['192.0.2.0/24', '198.51.100.7', '2001:db8::/32']);
  const asked = ['192.0.2.200', '192.0.3.1', '198.51.100.7', '198.51.100.8', '2001:db8::5', '2001:db9::5', 'nonsense'];
  expect(asked.map(host => some.allow(host))).toEqual([true, false, true, false, true, false, false]);
});
