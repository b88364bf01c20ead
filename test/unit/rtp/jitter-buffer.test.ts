/** The jitter buffer: order, loss, delay that follows the network, and everything a sender may do. */
import { describe, expect, test } from 'vitest';
import { JitterBuffer } from '../../../firmware/rtp/jitter-buffer.ts';
import { emptyPacket, type RtpPacket } from '../../../firmware/rtp/packet.ts';
import { RING_PACKETS, RING_PAYLOAD_BYTES } from '../../../firmware/rtp/packet-ring.ts';
import type { Pull } from '../../../firmware/rtp/pull.ts';
import { type Heard, listen } from '../../sim/jitter-listener.ts';
import { inOrder, losing, routeChange, spikes, stalls, uniform } from '../../sim/jitter-models.ts';
import { seeded } from '../../sim/seeded.ts';

const PACKET_MS = 20;

/** Packet number `n` of G.711: its payload says its number. */
const sound = (n: number, change: Partial<RtpPacket> = {}): RtpPacket => ({
  ...emptyPacket(),
  payloadType: 8,
  ssrc: 1,
  sequence: n & 0xffff,
  timestamp: (n * 160) >>> 0,
  payload: Uint8Array.of(n),
  ...change,
});

const say = (pull: Pull) => {
  if (pull.is === 'packet') return `${pull.payload[0]}`;
  if (pull.is === 'lost') return pull.following === undefined ? 'lost' : `lost before ${pull.following[0]}`;
  return 'wait';
};

const bufferOf = (minMs = 20, maxMs = 200) => new JitterBuffer({ clockRate: 8000, minMs, maxMs });

/** A buffer that has been fed and pulled on time until packet `n`, which is the next to come. */
function running(n: number, first = 0) {
  const buffer = bufferOf();
  for (let i = first; i < n; i++) {
    buffer.push(sound(i), i * PACKET_MS);
    buffer.pull(i * PACKET_MS + 5);
  }
  return buffer;
}

describe('in order', () => {
  test('waits at first, then gives each packet once', () => {
    const buffer = bufferOf();
    expect(say(buffer.pull(0))).toBe('wait');
    const heard: string[] = [];
    for (let n = 1; n <= 6; n++) {
      expect(buffer.push(sound(n), n * PACKET_MS)).toBe('ok');
      heard.push(say(buffer.pull(n * PACKET_MS + 5)));
    }
    expect(heard).toEqual(['wait', 'wait', '1', '2', '3', '4']);
    expect([140, 160, 180].map(ms => say(buffer.pull(ms + 5)))).toEqual(['5', '6', 'wait']);
  });

  test('puts right what comes in another order, also before anything was played', () => {
    const buffer = bufferOf();
    for (const n of [2, 1, 4, 3]) buffer.push(sound(n), 40);
    expect([100, 120, 140, 160].map(ms => say(buffer.pull(ms)))).toEqual(['1', '2', '3', '4']);
  });

  test('a copy is a duplicate, whether its packet was played or waits', () => {
    const buffer = bufferOf();
    for (const n of [1, 2]) buffer.push(sound(n), 0);
    expect(buffer.push(sound(2), 1)).toBe('duplicate');
    expect(say(buffer.pull(80))).toBe('1');
    expect(buffer.push(sound(1), 81)).toBe('duplicate');
    expect(say(buffer.pull(100))).toBe('2');
    expect(buffer.counters).toMatchObject({ duplicate: 2, played: 2, late: 0 });
  });

  test('keeps payload, type and timestamp of its own', () => {
    const buffer = bufferOf();
    const datagram = Uint8Array.of(7, 7, 7);
    buffer.push(sound(1, { payload: datagram, payloadType: 96, timestamp: 4242 }), 0);
    datagram.fill(0);
    expect(buffer.pull(100)).toEqual({
      is: 'packet',
      payload: Uint8Array.of(7, 7, 7),
      payloadType: 96,
      timestamp: 4242,
      spareMs: 0,
    });
  });

  test('payloads of changing length come out as they went in', () => {
    const buffer = bufferOf();
    const heard: number[] = [];
    for (let n = 0; n < 400; n++) {
      buffer.push(sound(n, { payload: new Uint8Array(1 + (n % 37)).fill(n) }), n * PACKET_MS);
      const pull = buffer.pull(n * PACKET_MS + 5);
      if (pull.is === 'packet') {
        expect(pull.payload).toEqual(new Uint8Array(1 + (heard.length % 37)).fill(heard.length));
        heard.push(pull.payload.length);
      }
    }
    expect(heard.length).toBeGreaterThan(390);
  });
});

describe('loss', () => {
  test('is told with the packet after it, for its error correction', () => {
    const buffer = bufferOf();
    for (const n of [1, 3, 4]) buffer.push(sound(n), n * PACKET_MS);
    expect([100, 120, 140, 160].map(ms => say(buffer.pull(ms)))).toEqual(['1', 'lost before 3', '3', '4']);
    expect(buffer.counters).toMatchObject({ lost: 1, played: 3 });
  });

  test('of several: the correction is at hand for the last alone', () => {
    const buffer = bufferOf();
    for (const n of [1, 4]) buffer.push(sound(n), n * PACKET_MS);
    expect([100, 120, 140, 160].map(ms => say(buffer.pull(ms)))).toEqual(['1', 'lost', 'lost before 4', '4']);
    expect(buffer.pull(180)).toEqual({ is: 'wait' });
  });

  test('lasts one packet time, as the packets before have shown it', () => {
    const buffer = bufferOf();
    for (const n of [1, 2, 3, 5]) buffer.push(sound(n, { timestamp: n * 240 }), n * 30);
    expect([150, 180, 210].map(ms => say(buffer.pull(ms)))).toEqual(['1', '2', '3']);
    expect(buffer.pull(240)).toMatchObject({ is: 'lost', durationTicks: 240 });
  });

  test('a short silence of the sender is not taken for the packet time', () => {
    const buffer = running(100);
    // The timestamp jumps by 100 ms, and the next packet is lost.
    for (const n of [100, 102]) buffer.push(sound(n, { timestamp: (n + 4) * 160 }), (n + 4) * PACKET_MS);
    const lost: number[] = [];
    for (let ms = 2085; ms < 2400; ms += PACKET_MS) {
      const pull = buffer.pull(ms);
      if (pull.is === 'lost') lost.push(pull.durationTicks);
    }
    expect(lost).toEqual([160]);
  });

  test('a packet after its moment is late', () => {
    const buffer = bufferOf();
    for (const n of [1, 3]) buffer.push(sound(n), n * PACKET_MS);
    expect([100, 120].map(ms => say(buffer.pull(ms)))).toEqual(['1', 'lost before 3']);
    expect(buffer.push(sound(2), 125)).toBe('late');
    expect(say(buffer.pull(140))).toBe('3');
    expect(buffer.counters.late).toBe(1);
  });

  test('what was concealed while the buffer was empty is not concealed again', () => {
    const buffer = running(100);
    const before = buffer.delayMs;
    // Five packets are lost in a row, so the buffer runs empty.
    const heard: string[] = [];
    for (let n = 100; n < 120; n++) {
      if (n >= 105) buffer.push(sound(n), n * PACKET_MS);
      heard.push(say(buffer.pull(n * PACKET_MS + 5)));
    }
    expect(heard.filter(word => word === 'wait' || word.startsWith('lost'))).toHaveLength(5);
    expect(buffer.delayMs).toBe(before);
    expect(buffer.counters.lost).toBe(5);
  });
});

describe('delay', () => {
  const steady = (jitterMs: number) => {
    const random = seeded(jitterMs);
    return listen({ path: uniform(random, 10, jitterMs), seconds: 60 });
  };

  test('follows the jitter', () => {
    const delays = [2, 60, 120].map(jitterMs => steady(jitterMs).delays.at(-1)!);
    expect(delays).toEqual([...delays].sort((a, b) => a - b));
    expect(delays[0]).toBeLessThan(50);
    expect(delays[2]).toBeGreaterThan(100);
  });

  test('stays within its limits', () => {
    const quiet = listen({ path: uniform(seeded(1), 10, 0), seconds: 60, minMs: 100 });
    expect(quiet.delays.at(-1)).toBeGreaterThanOrEqual(100);
    const wild = listen({ path: uniform(seeded(1), 10, 500), seconds: 60, maxMs: 80 });
    // One packet of rounding to the pull, and one of tolerance.
    expect(Math.max(...wild.delays.slice(500))).toBeLessThanOrEqual(80 + 500 + 2 * PACKET_MS);
    const buffer = bufferOf(20, 80);
    for (let n = 0; n < 200; n++) buffer.push(sound(n), n * PACKET_MS + (n % 7) * 100);
    expect(buffer.targetMs).toBeLessThanOrEqual(80);
  });

  test('grows at once for a packet that is late', () => {
    const buffer = running(600);
    expect(buffer.targetMs).toBe(20);
    for (const n of [601, 602, 603]) buffer.push(sound(n), n * PACKET_MS);
    for (const n of [600, 601, 602, 603]) buffer.pull(n * PACKET_MS + 5);
    expect(buffer.push(sound(600), 603 * PACKET_MS + 10)).toBe('late');
    expect(buffer.targetMs).toBeCloseTo(70, 0);
  });

  test('shrinks only by leaving out a packet where the consumer allows it', () => {
    const path = () => routeChange(uniform(seeded(1), 150, 5), 10_000, -120);
    const allowed = listen({ path: path(), seconds: 60, quiet: 0.4 });
    const never = listen({ path: path(), seconds: 60, quiet: 0 });
    expect(allowed.delays.at(-1)).toBeLessThan(60);
    expect(allowed.shrunk).toBeGreaterThan(3);
    expect(never.delays.at(-1)).toBeGreaterThan(120);
    expect([allowed.gaps, never.gaps]).toEqual([0, 0]);
  });

  test('what is held beyond need is told with each packet, and not of the last', () => {
    const buffer = running(100);
    // It began 45 ms behind, and needs 20.
    buffer.push(sound(100), 2000);
    expect(buffer.pull(2005)).toMatchObject({ is: 'packet', spareMs: 25 });
    expect(buffer.pull(2025)).toMatchObject({ is: 'packet', spareMs: 25 });
    expect(buffer.pull(2045)).toMatchObject({ is: 'packet', spareMs: 0 });
  });

  test('before a stall has emptied it, longer packets are asked for: fewer holes at the same delay', () => {
    const hear = (lengthenMs?: number) => {
      const all = [1, 2, 3].map(seed => {
        const path = stalls(seeded(seed), 5, 8, 80, 4_000);
        return listen({ path, seconds: 120, maxMs: 400, cutMs: 10, inventedMs: 10, ...(lengthenMs && { lengthenMs }) });
      });
      const sum = (of: (heard: Heard) => number) => all.reduce((total, heard) => total + of(heard), 0);
      return { gapMs: sum(heard => heard.gapMs), delayMs: sum(heard => heard.delayMs.mean) / all.length };
    };
    const [plain, lengthened] = [hear(), hear(10)];
    expect(lengthened.gapMs).toBeLessThan(0.8 * plain.gapMs);
    expect(lengthened.delayMs).toBeLessThan(plain.delayMs + 5);
  });

  test('where packets come at an even pace, or not at all, none is overdue', () => {
    const path = losing(seeded(3), uniform(seeded(4), 5, 10), 0.2, 3);
    expect(listen({ path, seconds: 60, lengthenMs: 10 }).lengthened).toBe(0);
  });

  test('a pull that comes late now and then is no reason to shrink', () => {
    const random = seeded(5);
    const heard = listen({
      path: uniform(seeded(1), 1, 2),
      seconds: 60,
      pullLateMs: () => random.next() * 15,
      quiet: 1,
    });
    expect(heard.gaps).toBe(0);
    expect(heard.shrunk).toBeLessThanOrEqual(2);
  });

  test('a route that becomes longer costs its length once', () => {
    const heard = listen({ path: routeChange(uniform(seeded(1), 20, 5), 10_000, 100), seconds: 60 });
    expect(heard.gaps * PACKET_MS).toBeLessThanOrEqual(160);
    expect(heard.counters).toMatchObject({ lost: 0, late: 0 });
    // The delay is counted from the quickest packet of all, on the old route.
    expect(heard.delays.at(-1)).toBeLessThan(100 + 60);
  });

  test('a stall within the limit loses nothing: it is played later', () => {
    const heard = listen({
      path: inOrder(sentMs => 5 + (sentMs >= 10_000 && sentMs < 10_150 ? 10_150 - sentMs : 0)),
      seconds: 30,
      quiet: 0,
    });
    expect(heard.counters).toMatchObject({ lost: 0, late: 0, skipped: 0 });
    expect(heard.played).toEqual([...heard.played.keys()]);
  });

  test('of a stall beyond the limit the oldest is left out', () => {
    const heard = listen({
      path: inOrder(sentMs => 5 + (sentMs >= 10_000 && sentMs < 10_900 ? 10_900 - sentMs : 0)),
      seconds: 30,
    });
    expect(heard.counters.skipped).toBeGreaterThan(25);
    const after = heard.delays.slice(heard.played.findIndex(n => n > 550));
    expect(Math.max(...after)).toBeLessThanOrEqual(200 + 2 * PACKET_MS);
  });
});

describe('for ten minutes', () => {
  const drifts: [number][] = [[500], [-500], [50], [-50]];
  test.each(drifts)('a clock that is off by %i ppm loses no packet and keeps the delay', driftPpm => {
    const heard = listen({ path: uniform(seeded(3), 5, 10), seconds: 600, driftPpm });
    expect(heard.counters).toMatchObject({ lost: 0, late: 0, skipped: 0, restarts: 0 });
    // 500 ppm is 15 packets in ten minutes.
    const off = (600_000 * Math.abs(driftPpm)) / 1e6 / PACKET_MS;
    expect(heard.gaps).toBeLessThanOrEqual(Math.ceil(off) + 2);
    expect(heard.shrunk).toBeLessThanOrEqual(Math.ceil(off) + 2);
    expect(heard.played.length).toBeGreaterThan(29_900);
  });

  test('a fast sender that is never quiet is kept within the limit all the same', () => {
    const heard = listen({ path: uniform(seeded(3), 5, 10), seconds: 600, driftPpm: 500, quiet: 0, maxMs: 100 });
    expect(heard.counters.skipped).toBeGreaterThan(5);
    expect(heard.delays.at(-1)).toBeLessThanOrEqual(100 + 2 * PACKET_MS);
  });
});

describe('numbers that wrap', () => {
  test.each([
    ['sequence', { firstSequence: 65_000 }],
    ['timestamp', { firstTimestamp: 2 ** 32 - 100 * 160 }],
    ['both at once', { firstSequence: 65_436, firstTimestamp: 2 ** 32 - 100 * 160 }],
  ])('%s', (_, how) => {
    const path = () => losing(seeded(9), uniform(seeded(8), 5, 40), 0.05);
    const heard = listen({ path: path(), seconds: 30, ...how });
    const plain = listen({ path: path(), seconds: 30 });
    expect(heard.played).toEqual(plain.played);
    expect(heard.delays).toEqual(plain.delays);
    expect(heard.counters.restarts).toBe(0);
  });

  test('the timestamp of Opus, which wraps every 25 hours', () => {
    const heard = listen({
      path: uniform(seeded(8), 5, 10),
      seconds: 60,
      clockRate: 48000,
      firstTimestamp: 2 ** 32 - 1,
    });
    expect(heard.counters).toMatchObject({ lost: 0, restarts: 0 });
  });
});

describe('senders that', () => {
  test('are silent with a jump of the timestamp (DTX): no loss, and each spurt is buffered anew', () => {
    const random = seeded(4);
    const heard = listen({
      path: uniform(random, 5, 30),
      seconds: 60,
      silentAt: sentMs => sentMs % 3000 >= 1500,
      quiet: 0,
    });
    expect(heard.counters).toMatchObject({ lost: 0, late: 0, skipped: 0, restarts: 0 });
    expect(heard.played).toEqual([...heard.played.keys()]);
  });

  test('lose the first packet of a spurt', () => {
    const buffer = running(100);
    for (let ms = 2005; ms < 5000; ms += PACKET_MS) buffer.pull(ms);
    // Number 100 would have been at timestamp 250 × 160; 101 is the first to come.
    for (const n of [101, 102, 103]) buffer.push(sound(n, { timestamp: (n + 150) * 160 }), (n + 150) * PACKET_MS);
    const heard = [251, 252, 253, 254, 255, 256].map(n => say(buffer.pull(n * PACKET_MS + 5)));
    expect(heard.filter(word => /^\d/.test(word))).toEqual(['101', '102', '103']);
    expect(buffer.counters.lost).toBe(1);
  });

  test('stop their clock for seconds and go on where they were: begun anew', () => {
    const buffer = running(100);
    for (let ms = 2005; ms < 7000; ms += PACKET_MS) buffer.pull(ms);
    const heard: string[] = [];
    for (let n = 100; n < 110; n++) {
      buffer.push(sound(n), 5_000 + n * PACKET_MS);
      heard.push(say(buffer.pull(5_000 + n * PACKET_MS + 5)));
    }
    expect(heard).toEqual(['wait', 'wait', '100', '101', '102', '103', '104', '105', '106', '107']);
    expect(buffer.counters).toMatchObject({ restarts: 1, skipped: 0 });
    expect(buffer.delayMs).toBeLessThan(60);
  });

  test('change the SSRC: nothing of the old one is played any more', () => {
    const buffer = running(100);
    const heard: string[] = [];
    for (let n = 100; n < 106; n++) {
      const other = sound(n, { ssrc: 2 });
      buffer.push(other, n * PACKET_MS);
      heard.push(say(buffer.pull(n * PACKET_MS + 5)));
    }
    expect(heard).toEqual(['wait', 'wait', '100', '101', '102', '103']);
  });

  test('begin anew with another sequence under the same SSRC', () => {
    const buffer = running(100);
    const heard: string[] = [];
    for (let n = 100; n < 106; n++) {
      buffer.push(sound(n, { sequence: n + 30_000 }), n * PACKET_MS);
      heard.push(say(buffer.pull(n * PACKET_MS + 5)));
    }
    expect(heard.slice(2)).toEqual(['100', '101', '102', '103']);
    expect(buffer.counters.restarts).toBe(1);
  });

  test('send events between (RFC 4733): their numbers are passed over, without loss or restart', () => {
    const buffer = running(100);
    const played: string[] = [];
    const words: string[] = [];
    for (let n = 100; n < 400; n++) {
      const event = n >= 120 && n < 320;
      const packet = sound(n, event ? { timestamp: 120 * 160, payloadType: 101 } : {});
      if (event) expect(buffer.pass(packet, n * PACKET_MS)).toBe('ok');
      else expect(buffer.push(packet, n * PACKET_MS)).toBe('ok');
      const word = say(buffer.pull(n * PACKET_MS + 5));
      (/^\d/.test(word) ? played : words).push(word);
    }
    expect(buffer.counters).toMatchObject({ lost: 0, restarts: 0, late: 0 });
    expect(new Set(words)).toEqual(new Set(['wait']));
    // Payloads are numbered modulo 256.
    expect(played.slice(-3)).toEqual([396, 397, 398].map(n => `${n & 0xff}`));
  });

  test('send events beside the sound', () => {
    const buffer = running(50);
    for (let n = 50; n < 80; n += 2) {
      buffer.push(sound(n, { timestamp: (n / 2 + 25) * 160 }), (n / 2 + 25) * PACKET_MS);
      buffer.pass(sound(n + 1, { timestamp: 50 * 160, payloadType: 101 }), (n / 2 + 25) * PACKET_MS + 1);
      buffer.pull((n / 2 + 25) * PACKET_MS + 5);
    }
    expect(buffer.counters).toMatchObject({ lost: 0, starved: 0, restarts: 0 });
  });

  test('nobody listens to: the newest are kept', () => {
    const buffer = bufferOf(20, 100_000);
    for (let n = 0; n < RING_PACKETS; n++) expect(buffer.push(sound(n), n * PACKET_MS)).toBe('ok');
    for (let n = RING_PACKETS; n < 300; n++) expect(buffer.push(sound(n), n * PACKET_MS)).toBe('overflow');
    expect(buffer.counters.skipped).toBe(300 - RING_PACKETS);
    expect(say(buffer.pull(300 * PACKET_MS))).toBe(`${300 - RING_PACKETS}`);
  });

  test('send a payload that no Ethernet frame could bring', () => {
    const buffer = bufferOf();
    expect(buffer.push(sound(1, { payload: new Uint8Array(RING_PAYLOAD_BYTES + 1) }), 0)).toBe('overflow');
    expect(buffer.push(sound(2, { payload: new Uint8Array(RING_PAYLOAD_BYTES) }), 0)).toBe('ok');
  });
});

test('reset forgets the source', () => {
  const buffer = running(50);
  buffer.reset();
  expect(say(buffer.pull(1005))).toBe('wait');
  expect(buffer.delayMs).toBe(0);
  expect(buffer.push(sound(3), 1010)).toBe('ok');
});

test('the same objects are given each time', () => {
  const buffer = bufferOf();
  for (const n of [1, 2, 4, 6]) buffer.push(sound(n), 0);
  const pulls = [100, 120, 140, 160, 180].map(ms => buffer.pull(ms));
  expect(pulls[1]).toBe(pulls[0]);
  expect(pulls[4]).toBe(pulls[2]);
});

test('whatever comes, sound goes forward and no packet is heard twice', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seeded(seed);
    const rough = losing(random, spikes(random, 5, 10 + seed * 2, 200, 1500), (seed % 5) * 0.05, 1 + (seed % 3));
    const heard = listen({ path: rough, seconds: 20, phaseMs: seed % 20 });
    for (let i = 1; i < heard.played.length; i++) {
      expect(heard.played[i]!, `seed ${seed}`).toBeGreaterThan(heard.played[i - 1]!);
    }
    const { played, lost, skipped } = heard.counters;
    // Each number up to the last played has become one of the three; the rest was lost after it.
    const span = heard.played.at(-1)! - heard.played[0]! + 1;
    expect(played + lost + skipped, `seed ${seed}`).toBeGreaterThanOrEqual(span);
    expect(played + skipped, `seed ${seed}`).toBeLessThanOrEqual(span);
  }
});

test('what networks do to delay and gaps', async () => {
  const networks: [string, (random: ReturnType<typeof seeded>) => ReturnType<typeof uniform>][] = [
    ['wire', random => uniform(random, 1, 2)],
    ['20 ms of jitter', random => uniform(random, 5, 20)],
    ['60 ms of jitter', random => uniform(random, 20, 60)],
    ['busy line', random => inOrder(spikes(random, 30, 15, 80, 5_000))],
    ['busy line, reordering', random => spikes(random, 30, 15, 80, 5_000)],
    ['Wi-Fi, stalls of 120 ms', random => inOrder(stalls(random, 3, 10, 120, 4_000))],
    ['Wi-Fi, stalls of 300 ms', random => inOrder(stalls(random, 3, 10, 300, 10_000))],
    ['route longer by 100 ms', random => routeChange(uniform(random, 20, 10), 60_000, 100)],
    ['route shorter by 100 ms', random => routeChange(uniform(random, 120, 10), 60_000, -100)],
  ];
  const head = [
    'network',
    'loss %',
    'delay ms',
    'p95',
    'most',
    'gaps',
    'of them lost',
    'late',
    'skipped',
    'shrunk',
    'lengthened',
  ];
  const rows = networks.flatMap(([name, network]) =>
    [0, 5, 20].map(loss => {
      const random = seeded(1);
      const path = losing(random, network(random), loss / 100, 1.5);
      const heard = listen({ path, seconds: 120, cutMs: 10, inventedMs: 10, lengthenMs: 10 });
      const { lost, late, skipped } = heard.counters;
      const { mean, p95, most } = heard.delayMs;
      const numbers = [loss, mean, p95, most, heard.gaps, lost, late, skipped, heard.shrunk, heard.lengthened];
      return [name, ...numbers.map(number => number.toFixed(0))];
    }),
  );
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map(row => row[i]!.length)));
  const print = (row: string[]) =>
    row.map((cell, i) => (i ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join('  ');
  const table = [
    'Two minutes of 20 ms packets, 6000 in all; delay is counted from the quickest packet. Seed 1.',
    'Gaps: pulls that found nothing; one that waits lasts 10 ms. Cuts and lengthenings are of 10 ms each.',
    '',
    ...[head, ...rows].map(print),
    '',
  ].join('\n');
  await expect(table).toMatchFileSnapshot('./jitter-buffer.golden.txt');
});
