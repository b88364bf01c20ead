/** The kernel is killed in the middle of a call with the door open, as a cut of the power does, and started again. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { passes, until } from '../peers/support/until.ts';
import { seeded } from '../sim/seeded.ts';
import type { CameUp, InCall } from './guest/power.ts';
import { startProgram } from './in-guest.ts';

const CUTS = 2;
/** From the moment that the call is up and the door open. Of real time, in which the guest lives through many polls. */
const CUT_WITHIN_MS = 4_000;
const WITHIN_MS = 300_000;

const share = mkdtempSync(join(tmpdir(), 'porter-power-'));
const boots: CameUp[] = [];
const calls: InCall[] = [];
afterAll(() => rmSync(share, { recursive: true, force: true, maxRetries: 5 }));

beforeAll(
  async () => {
    const random = seeded(7);
    const told = (file: string) => JSON.parse(readFileSync(join(share, file), 'utf8'));
    for (let boot = 0; boot < CUTS; boot++) {
      const guest = await startProgram('power.ts', [String(boot)], { share, timeTravel: true, withinMs: WITHIN_MS });
      const inCall = () => existsSync(join(share, `in-call-${boot}.json`));
      let ended = false;
      void guest.ended.finally(() => {
        ended = true;
      });
      await until('the call, or an end', () => inCall() || ended, { withinMs: WITHIN_MS });
      expect(inCall(), guest.story()).toBe(true);
      await passes(CUT_WITHIN_MS * random.next());
      guest.kill('the power was cut');
      await guest.ended;
      boots.push(told(`boot-${boot}.json`));
      calls.push(told(`in-call-${boot}.json`));
    }
    const guest = await startProgram('power.ts', [String(CUTS), 'last'], {
      share,
      timeTravel: true,
      withinMs: WITHIN_MS,
    });
    await guest.ended;
    expect(guest.code, guest.story()).toBe(0);
    boots.push(told(`boot-${CUTS}.json`));
  },
  2 * CUTS * WITHIN_MS,
);

test('the relay is at its safe level from the first moment that the firmware owns its line', () => {
  for (const { relay } of boots) {
    expect(relay.length).toBeGreaterThan(0);
    expect(new Set(relay)).toEqual(new Set([true]));
  }
});

test('the configuration is whole, and the newest that was taken before the cut', () => {
  expect(boots.map(({ problem }) => problem)).toEqual(boots.map(() => undefined));
  for (const [boot, { generation }] of calls.entries()) {
    const next = boots[boot + 1]!.document;
    expect(Number(/^generation (\d+)$/.exec(next)?.[1]), next).toBeGreaterThanOrEqual(generation);
  }
});
