/** When a packet came is told by the kernel, however much later it is read. */
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../../firmware/lib/clock.ts';
import { closeAll, HOST, peer, polled, send } from './polled.ts';

afterEach(closeAll);

test('a packet that is read later has come when it came', async () => {
  const nowMs = 1_000;
  const { network, pair, heard } = await polled(HOST, { ...systemClock, now: () => nowMs });
  const socket = await peer();
  const beforeMs = performance.now();
  await send(socket, 'a', pair.rtpPort);
  await send(socket, 'b', pair.rtpPort);
  const afterMs = performance.now();
  await send(socket, 'c', pair.rtpPort);
  const askedMs = performance.now();
  network.poll();
  const answeredMs = performance.now();
  expect(heard.map(({ text }) => text)).toEqual(['a', 'b', 'c']);
  for (const { arrivedMs } of heard.slice(0, 2)) {
    // By how long it has waited, in the machine's time.
    expect(nowMs - arrivedMs).toBeGreaterThan(askedMs - afterMs - 1);
    expect(nowMs - arrivedMs).toBeLessThan(answeredMs - beforeMs + 1);
  }
});
