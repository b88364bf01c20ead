/** What is wanted of a call and what its peer has been told come together, whatever crosses. */
import { expect, test } from 'vitest';
import { Hold } from '../../../firmware/controller/hold.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

/** Offers as they are made: `hold` or `resume`. `answers` is asked at once for each; undefined: later, by the test. */
function held(answers: (count: number) => number | undefined | 'later' = () => 'later') {
  const clock = new VirtualClock();
  const offers: string[] = [];
  const refused: [boolean, number][] = [];
  const hold: Hold = new Hold({
    clock,
    offer: () => {
      offers.push(hold.wanted ? 'hold' : 'resume');
      const status = answers(offers.length);
      if (status !== 'later') hold.ended(status);
    },
    onRefused: (what, status) => refused.push([what, status]),
  });
  return { clock, hold, offers, refused };
}

test('a wish is offered once', () => {
  const { hold, offers } = held(() => undefined);
  hold.want(true);
  hold.want(true);
  hold.want(false);
  expect(offers).toEqual(['hold', 'resume']);
});

test('a wish that changes while an offer is open is offered next, or not at all where it changed back', () => {
  const { hold, offers } = held();
  hold.want(true);
  hold.want(false);
  expect(offers).toEqual(['hold']);
  hold.ended();
  expect(offers).toEqual(['hold', 'resume']);
  hold.want(true);
  hold.want(false);
  hold.ended();
  expect(offers).toEqual(['hold', 'resume']);
});

test('an offer that meets another is made again after a second, and given up after twenty times', () => {
  const { clock, hold, offers, refused } = held(() => 491);
  hold.want(true);
  clock.advance(2_500);
  expect(offers).toHaveLength(3);
  clock.advance(60_000);
  expect(offers).toHaveLength(21);
  expect(refused).toEqual([[true, 491]]);
  expect(clock.armed).toEqual([]);
});

test('a refusal is told, and what is wanted stays', () => {
  const { hold, refused, offers } = held(() => 488);
  hold.want(true);
  expect([hold.wanted, refused]).toEqual([true, [[true, 488]]]);
  hold.want(false);
  expect(offers).toEqual(['hold', 'resume']);
});

test("the end of somebody else's offer is none of it", () => {
  const { hold, offers, refused } = held();
  hold.ended(488);
  hold.want(true);
  hold.ended();
  hold.ended(488);
  expect([offers, refused]).toEqual([['hold'], []]);
});

test('nothing is armed or offered once it has stopped', () => {
  const { clock, hold, offers } = held(() => 491);
  hold.want(true);
  hold.stop();
  clock.advance(60_000);
  expect([offers, clock.armed]).toEqual([['hold'], []]);
});
