import { describe, expect, test } from 'vitest';
import { emptyPacket } from '../../../firmware/rtp/packet.ts';
import { PlayoutBuffer } from '../../../firmware/rtp/playout-buffer.ts';

const DELAY_MS = 200;
const TICKS = 160;
const SSRC = 5;

/** A buffer, and a sender of 20 ms packets; the payload is the packet's number. */
function paged({ firstSequence = 65_530, firstTimestamp = 0xffff_ff00 } = {}) {
  const buffer = new PlayoutBuffer(8_000, DELAY_MS);
  const push = (index: number, atMs: number, changes: { ssrc?: number; pausedMs?: number } = {}) => {
    const { ssrc = SSRC, pausedMs = 0 } = changes;
    return buffer.push(
      {
        ...emptyPacket(),
        ssrc,
        sequence: (firstSequence + index) & 0xffff,
        timestamp: (firstTimestamp + index * TICKS + pausedMs * 8) >>> 0,
        payload: Uint8Array.of(index),
      },
      atMs,
    );
  };
  /** What is heard from one time to another; a packet fills 20 ms. */
  const heard = (fromMs: number, toMs: number) => {
    const said: string[] = [];
    for (let atMs = fromMs; atMs < toMs; ) {
      const pull = buffer.pull(atMs, 0);
      if (pull.is === 'packet') said.push(`${atMs}: ${pull.payload[0]}`);
      if (pull.is === 'lost') said.push(`${atMs}: lost`);
      atMs += pull.is === 'wait' ? pull.forMs! : 20;
    }
    return said;
  };
  return { buffer, push, heard };
}

describe('a page', () => {
  test('is heard the delay after the quickest packet, across the wraps of sequence and time', () => {
    const { push, heard } = paged();
    // Packet 2 was the quickest: it came 7 ms sooner than the rest.
    for (let index = 0; index < 10; index++) push(index, 1_000 + index * 20 - (index === 2 ? 7 : 0));
    expect(heard(1_000, 1_250)).toEqual(['1192.5: 0', '1212.5: 1', '1232.5: 2']);
  });

  test('out of order and doubled is heard once and in order', () => {
    const { buffer, push, heard } = paged();
    for (const index of [1, 0, 3, 3, 2]) push(index, 1_000 + index * 20);
    expect(heard(1_000, 1_280).map(said => said.split(' ')[1])).toEqual(['0', '1', '2', '3']);
    expect(buffer.counters.duplicate).toBe(1);
  });

  test('of which a packet is missing has a hole where it was, and no other', () => {
    const { push, heard } = paged();
    for (const index of [0, 1, 3]) push(index, 1_000 + index * 20);
    expect(heard(1_000, 1_280)).toEqual(['1200: 0', '1220: 1', '1240: lost', '1260: 3']);
  });

  test('goes on at its moment after a pause of the sender', () => {
    const { buffer, push, heard } = paged();
    push(0, 1_000);
    push(1, 1_020);
    push(2, 1_540, { pausedMs: 500 });
    expect(heard(1_000, 1_800)).toEqual(['1200: 0', '1220: 1', '1740: 2']);
    expect(buffer.counters.resyncs).toBe(0);
  });

  test('that comes too late for its moment is left out', () => {
    const { buffer, push, heard } = paged();
    push(0, 1_000);
    push(1, 1_020);
    heard(1_000, 1_260);
    push(2, 1_261);
    push(3, 1_262);
    expect(heard(1_262.5, 1_300)).toEqual([]);
    expect(buffer.counters.late).toBe(2);
  });

  test('whose way has become longer than the delay is heard anew', () => {
    const { buffer, push, heard } = paged();
    for (let index = 0; index < 20; index++) push(index, 1_000 + index * 20);
    heard(1_000, 1_620);
    for (let index = 20; index < 40; index++) push(index, 1_300 + index * 20);
    expect(heard(2_100, 2_260).length).toBeGreaterThan(6);
    expect(buffer.counters.resyncs).toBe(1);
  });

  test('of another sender begins anew', () => {
    const { push, heard } = paged();
    push(0, 1_000);
    push(9, 3_000, { ssrc: 6 });
    expect(heard(3_000, 3_220)).toEqual(['3200: 9']);
  });

  test('that nobody listens to takes no more room than its ring', () => {
    const { buffer, push } = paged();
    for (let index = 0; index < 1_000; index++) push(index, 1_000 + index * 20);
    // Of 1,000 packets the last 128 are here; those whose moment is over are not counted as late.
    expect(buffer.startsInMs(20_900)).toBeLessThan(20);
    expect(buffer.counters.late).toBe(0);
  });

  test('joined in its midst is learned for half a second first', () => {
    const { buffer, push } = paged();
    buffer.comeLate();
    for (let index = 0; index < 24; index++) push(index, 1_000 + index * 20);
    expect(buffer.startsInMs(1_480)).toBe(Number.POSITIVE_INFINITY);
    push(24, 1_480);
    expect(buffer.startsInMs(1_480)).toBeLessThan(20);
  });
});

describe('sender reports', () => {
  test('tell the moment where they do not contradict the packets', () => {
    const { buffer, push } = paged();
    for (let index = 0; index < 10; index++) push(index, 1_000 + index * 20);
    buffer.reported(SSRC, 0xffff_ff00, 996);
    expect([buffer.clock.follows, buffer.startsInMs(1_000)]).toEqual(['reports', 196]);
    buffer.reported(SSRC, 0xffff_ff00, undefined);
    expect([buffer.clock.follows, buffer.startsInMs(1_000)]).toEqual(['packets', 200]);
  });

  test.each([
    ['a minute off', 61_000],
    ['from before the packets by too much', 980],
    ['from after them', 1_010],
  ])('%s are not followed', (_, sentMs) => {
    const { buffer, push } = paged();
    push(0, 1_000);
    buffer.reported(SSRC, 0xffff_ff00, sentMs);
    expect([buffer.clock.follows, buffer.startsInMs(1_000)]).toEqual(['packets', 200]);
  });

  test('of others count for nothing', () => {
    const { buffer, push } = paged();
    push(0, 1_000);
    buffer.reported(SSRC + 1, 0xffff_ff00, 996);
    expect(buffer.clock.follows).toBe('packets');
  });
});
