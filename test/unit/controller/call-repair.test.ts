/** What a call does when the device's address changes: which offers are made, and when it gives up. */
import { expect, test } from 'vitest';
import { CallRepair } from '../../../firmware/controller/call-repair.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

function stage() {
  const clock = new VirtualClock();
  const line = { now: 'old' as string | undefined, told: 'old', free: true };
  const heard: string[] = [];
  const repair: CallRepair = new CallRepair({
    clock,
    hostNow: () => line.now,
    hostTold: () => line.told,
    offer: host => {
      line.told = host;
      if (line.free) heard.push(`offer ${host} at ${clock.now()}`);
      else repair.answered({ status: 491, reason: 'another offer is open' });
    },
    callAnew: host => void heard.push(`call from ${host}`),
    onRepaired: host => void heard.push(`repaired ${host}`),
    onFailed: why => void heard.push(`failed: ${why}`),
  });
  return { clock, line, heard, repair };
}

test('a change that leaves our address as it is offers nothing', () => {
  const { repair, heard, clock } = stage();
  repair.networkChanged('talking');
  expect(heard).toEqual([]);
  expect(clock.idle).toBe(true);
});

test('a call that is not answered yet is repaired once it is', () => {
  const { repair, heard, line } = stage();
  line.now = 'new';
  repair.networkChanged('other');
  expect(heard).toEqual([]);
  repair.look();
  repair.answered(undefined);
  expect(heard).toEqual(['offer new at 0', 'repaired new']);
});

test('an open offer, and a route that comes a moment later, are waited out', () => {
  const { repair, heard, line, clock } = stage();
  line.now = undefined;
  repair.networkChanged('talking');
  clock.advance(500);
  line.now = 'new';
  line.free = false;
  clock.advance(1_000);
  line.free = true;
  clock.advance(2_000);
  expect(heard).toEqual(['offer new at 3500']);
});

test('a refusal is tried again, and given up after six tries', () => {
  const { repair, heard, line, clock } = stage();
  line.now = 'new';
  repair.networkChanged('talking');
  for (let turn = 0; turn < 7; turn++) {
    repair.answered({ status: 491, reason: 'Request Pending' });
    clock.advance(10_000);
  }
  expect(heard.filter(words => words.startsWith('offer'))).toHaveLength(7);
  expect(heard.at(-1)).toBe('failed: 491 Request Pending');
  expect(clock.idle).toBe(true);
});

test('an address that changes while an offer is open is offered at once: the answer would go to where we were', () => {
  const { repair, heard, line } = stage();
  line.now = 'new';
  repair.networkChanged('talking');
  line.now = 'newer';
  repair.networkChanged('talking');
  repair.answered(undefined);
  repair.answered(undefined);
  expect(heard).toEqual(['offer new at 0', 'offer newer at 0', 'repaired newer']);
});

test('the answer to another offer of ours is none of its business', () => {
  const { repair, heard } = stage();
  repair.answered({ status: 488, reason: 'Not Acceptable Here' });
  expect(heard).toEqual([]);
});

test('a call that nobody has answered yet is made once more from the new address', () => {
  const { repair, heard, line } = stage();
  repair.networkChanged('calling');
  line.now = 'new';
  repair.networkChanged('calling');
  expect(heard).toEqual(['call from new']);
});
