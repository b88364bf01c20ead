/**
 * What may change the sound does not click: a peer's steady tone, whose packets are lost, late, cut, counted wrongly or of
 * another kind than the ones before. What comes out bends nowhere more sharply than the tone itself would, or little more.
 */
import { expect, test } from 'vitest';
import type { CodecChoice } from '../../firmware/media/protocol.ts';
import { G722, OPUS, PCMU } from '../sim/phone.ts';
import { seeded } from '../sim/seeded.ts';
import { blockSnr, sharpestBend } from '../sim/tone.ts';
import { DEVICE_RATE, HZ, LOUD, PACKET_MS, TonePeer } from './support/tone-peer.ts';

const PACKETS = 160;
/** From then on nothing happens any more, and the tone is as it was. */
const UNTIL = 120;
const WELL_FROM_MS = 2_700;
/** What happens does so at each of these, at other points of the wave. */
const FROM = 50;
const EVERY = 17;
/** The first of this: before, the sound begins. Milliseconds. */
const SETTLED_MS = 500;
/**
 * Of the tone's own sharpest bend, through the codec and undisturbed. A hard cut can have 40 times as much; G.722, whose
 * steps first have to grow, begins with 2.3.
 */
const MOST_TIMES = 2.5;

/** Sends what it likes in place of the next packet; false: the packet is sent as it is. `count`: since it began. */
type Event = (peer: TonePeer, count: number) => boolean;

const instead = (peer: TonePeer, bytes: Uint8Array, changes = {}) => {
  peer.payload();
  peer.send(peer.packet(bytes, changes));
  return true;
};
const sendsPart = (peer: TonePeer, bytes: number) => {
  peer.send(peer.packet(peer.payload().slice(0, bytes)));
  return true;
};
const once =
  (work: (peer: TonePeer) => void): Event =>
  (peer, count) => {
    if (count === 0) work(peer);
    return false;
  };
const timestamp = (ticks: number) =>
  once(peer => {
    peer.timestamp = (peer.timestamp + ticks) >>> 0;
  });
const sequence = (steps: number) =>
  once(peer => {
    peer.sequence = (peer.sequence + steps) & 0xffff;
  });
const lost =
  (packets: number): Event =>
  (peer, count) => {
    if (count < packets) peer.packet(peer.payload());
    return count < packets;
  };
function late(packets: number): Event {
  const held: Uint8Array[] = [];
  return (peer, count) => {
    if (count < packets) held.push(peer.packet(peer.payload()));
    else for (const packet of held.splice(0)) peer.send(packet);
    return count < packets;
  };
}
const first =
  (work: (peer: TonePeer) => boolean): Event =>
  (peer, count) =>
    count === 0 && work(peer);
const speaks =
  (codec: CodecChoice, packets: number, ticks = 160): Event =>
  (peer, count) => {
    if (count >= packets) return false;
    peer.send(peer.packet(peer.payload(codec), { payloadType: codec.payloadType }, ticks));
    return true;
  };

const random = seeded(3);
const events: Record<string, Event> = {
  'the clock jumps by a packet': timestamp(160),
  'the clock jumps back': timestamp(-1_000),
  'the clock jumps by seconds': timestamp(80_000),
  'the clock jumps by days': timestamp(0x7fff_ffff),
  'numbers are left out': sequence(2),
  'very many numbers are left out': sequence(200),
  'the numbers begin anew': sequence(30_000),
  'another source': once(peer => {
    peer.ssrc++;
    peer.sequence = (peer.sequence + 7_777) & 0xffff;
    peer.timestamp = (peer.timestamp + 99_999_999) >>> 0;
  }),
  'one packet is lost': lost(1),
  'three are lost': lost(3),
  'eight are lost': lost(8),
  'one in five is lost': peer => random.next() < 0.2 && lost(1)(peer, 0),
  'three come late and at once': late(3),
  'fifteen come late and at once': late(15),
  'a packet of no bytes': first(peer => instead(peer, new Uint8Array(0))),
  'a packet of one byte': first(peer => sendsPart(peer, 1)),
  'half a packet': first(peer => sendsPart(peer, 80)),
  'a packet longer than any': first(peer => instead(peer, new Uint8Array(1_400).fill(0xd5))),
  'a packet of a kind that nobody agreed on': first(peer => instead(peer, new Uint8Array(160), { payloadType: 99 })),
  'silence is told in the midst of sound': first(peer => instead(peer, Uint8Array.of(70), { payloadType: 13 })),
  'silence is told wrongly': first(peer => instead(peer, Uint8Array.of(200), { payloadType: 13 })),
  'a key in place of sound': first(peer => instead(peer, Uint8Array.of(5, 0x8a, 0, 100), { payloadType: 101 })),
  'Opus that is none': first(peer => instead(peer, Uint8Array.of(0x4b, 0), { payloadType: OPUS.payloadType })),
  'µ-law and back': speaks(PCMU, 8),
  'G.722 and back': speaks(G722, 8),
};

function played(event: Event, until = UNTIL): Int16Array {
  const peer = new TonePeer({ changes: { alsoReceives: [PCMU, G722, OPUS] } });
  for (let index = 0; index < PACKETS; index++) {
    if (index < FROM || index >= until || !event(peer, (index - FROM) % EVERY)) peer.talk();
    peer.world.run(PACKET_MS);
  }
  return peer.device.heard(SETTLED_MS);
}

const undisturbed = played(() => false);

test('the tone is heard as it is', () => {
  expect(blockSnr(undisturbed, HZ, DEVICE_RATE)).toBeGreaterThan(30);
  expect(sharpestBend(undisturbed)).toBeLessThan(2 * LOUD * ((2 * Math.PI * HZ) / DEVICE_RATE) ** 2);
});

test.each(Object.entries(events))('no click: %s', (_, event) => {
  const sound = played(event);
  expect(sharpestBend(sound)).toBeLessThan(MOST_TIMES * sharpestBend(undisturbed));
  expect(Math.max(...sound.map(Math.abs))).toBeLessThan(1.2 * LOUD);
  const after = sound.subarray(((WELL_FROM_MS - SETTLED_MS) * DEVICE_RATE) / 1000);
  expect(blockSnr(after, HZ, DEVICE_RATE)).toBeGreaterThan(30);
});

test('no click: the peer breaks off', () => {
  const sound = played(() => true, PACKETS);
  expect(sharpestBend(sound)).toBeLessThan(MOST_TIMES * sharpestBend(undisturbed));
  expect(sound.at(-1)).toBe(0);
});
