/** What the device takes on the rig's kernel, printed; the limits are those of something broken, not of something slow. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Measurement } from './guest/measure.ts';
import { programInGuest, say } from './in-guest.ts';

// In real time, and baresip's sound does not always come up: once more, as in test/peers.
test('registers, calls at a press, and a call costs no more than a few of baresip’s', { retry: 2 }, async () => {
  const measured = await programInGuest(
    'measure.ts',
    [],
    { withinMs: 400_000 },
    share => JSON.parse(readFileSync(join(share, 'measured.json'), 'utf8')) as Measurement,
  );
  const { kernelUpS, registeredS, pressMs, porterCpu, baresipCpu, rssMb } = measured;
  const median = pressMs[pressMs.length >> 1]!;
  say(`kernel up in ${kernelUpS.toFixed(1)} s, registered ${registeredS.toFixed(1)} s after porter run`);
  say(`press to INVITE: median ${median.toFixed(0)} ms, ${pressMs[0]!.toFixed(0)} to ${pressMs.at(-1)!.toFixed(0)} ms`);
  say(
    `CPU of a call: ${porterCpu.toFixed(1)} %, baresip ${baresipCpu.toFixed(1)} %, ratio ${(porterCpu / baresipCpu).toFixed(1)}; RSS ${rssMb.toFixed(0)} MB`,
  );
  // The debounce of the button is 30 ms.
  expect(pressMs[0]).toBeGreaterThan(29);
  expect(porterCpu / baresipCpu).toBeLessThan(15);
});
