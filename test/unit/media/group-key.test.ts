/** The key of a paging group: whoever joins late finds the place in the count of a long page. */
import { expect, test } from 'vitest';
import { groupProtection } from '../../../firmware/media/group-key.ts';
import type { Protection } from '../../../firmware/media/protection.ts';
import { writeRtp } from '../../../firmware/rtp/packet.ts';
import { LONGEST_TRAILER_BYTES } from '../../../firmware/rtp/srtp/suite.ts';

const KEY = Uint8Array.from({ length: 30 }, (_, index) => index);

/** The first packet of a page. */
function packetFrom(sender: Protection, ssrc: number): Uint8Array {
  const packet = new Uint8Array(172 + LONGEST_TRAILER_BYTES);
  writeRtp(packet, { payloadType: 0, marker: true, sequence: 1, timestamp: 0, ssrc }, new Uint8Array(160));
  return packet.subarray(0, sender.protect(packet, 172));
}

/** The packet after so many, of a sender that began near the end of the sequence numbers. */
function packetAfter(count: number): Uint8Array {
  const sender = groupProtection(KEY)!;
  let protectedBytes = new Uint8Array(0);
  // The counter of roll-overs goes by the packets that it sees: every 16,384th is enough.
  const steps = [...Array.from({ length: Math.ceil(count / 16_384) }, (_, step) => step * 16_384), count];
  for (const step of steps) {
    const packet = new Uint8Array(172 + LONGEST_TRAILER_BYTES);
    const sequence = (65_000 + step) & 0xffff;
    writeRtp(packet, { payloadType: 0, marker: false, sequence, timestamp: 0, ssrc: 7 }, new Uint8Array(160));
    protectedBytes = packet.subarray(0, sender.protect(packet, 172));
  }
  return protectedBytes;
}

test.each([
  ['its first packet', 0],
  ['20 ms packets after an hour', 180_000],
  ['10 ms packets after an hour', 360_000],
])('of a page is heard: %s', (_what, count) => {
  expect(groupProtection(KEY)!.open(packetAfter(count))?.length).toBe(172);
});

test('another key is refused, and so is a packet that has come already', () => {
  const other = groupProtection(KEY.map(byte => byte ^ 1))!;
  expect([other.open(packetAfter(0)), other.refused]).toEqual([undefined, 1]);
  const ours = groupProtection(KEY)!;
  expect(ours.open(packetAfter(0))?.length).toBe(172);
  expect(ours.open(packetAfter(0))).toBeUndefined();
});

test('a page that was recorded is refused, also after many others, each with an SSRC of its own', () => {
  const ours = groupProtection(KEY)!;
  const sender = groupProtection(KEY)!;
  const recorded = packetFrom(sender, 7);
  expect(ours.open(recorded.slice())?.length).toBe(172);
  for (let ssrc = 100; ssrc < 300; ssrc++) expect(ours.open(packetFrom(sender, ssrc))?.length).toBe(172);
  expect(ours.open(recorded)).toBeUndefined();
});

test('a length that no suite has is a mistake of ours', () => {
  expect(() => groupProtection(new Uint8Array(16))).toThrow('16 bytes');
});
