import { describe, expect, test } from 'vitest';
import { g711Encoder } from '../../../firmware/audio/codecs/g711.ts';
import { loadLibopus } from '../../../firmware/audio/codecs/libopus.ts';
import { rms } from '../../../firmware/audio/frame.ts';
import type { CodecChoice } from '../../../firmware/media/protocol.ts';
import { emptyPacket, parseRtp, type RtpPacket, writeRtp } from '../../../firmware/rtp/packet.ts';
import { parseRtcp } from '../../../firmware/rtp/rtcp.ts';
import { EVENTS, OPUS, PCMA, PCMU, Phone, speaksTone, World } from '../../sim/phone.ts';
import { seeded } from '../../sim/seeded.ts';
import { blockSnr, decibels, largestStep, longestGapMs, sine, toneLevel } from '../../sim/tone.ts';

const opus = loadLibopus(16_000);
const LOUD = 8000;
const level = (sound: Int16Array, hz: number) => decibels(toneLevel(sound, hz, 16_000) / LOUD);

const talker = (hz: number) => ({ speaks: speaksTone(hz, LOUD, 16_000), opus });

function talking(codec: CodecChoice = PCMA): [World, Phone, Phone] {
  const world = new World();
  const door = world.phone('192.0.2.1', talker(440));
  const desk = world.phone('192.0.2.2', talker(1000));
  world.connect(door, desk, codec);
  world.run(1000);
  return [world, door, desk];
}

function statistics(world: World, phone: Phone, stream = 'call') {
  phone.send({ do: 'report' });
  world.run(1);
  return phone.told('report').at(-1)!.streams[stream]!;
}

/** The RTP packets that a phone sends from now on. */
function sentBy(world: World, phone: Phone): RtpPacket[] {
  const packets: RtpPacket[] = [];
  world.network.onSend = (bytes, from) => {
    const packet = parseRtp(bytes, emptyPacket());
    if (from.host === phone.host && packet) packets.push(packet);
  };
  return packets;
}

describe('the direction', () => {
  test.each([
    ['sendonly', true, false],
    ['recvonly', false, true],
    ['inactive', false, false],
    ['sendrecv', true, true],
  ] as const)('%s is obeyed, and sendrecv brings all back', (direction, speaks, hears) => {
    const [world, door, desk] = talking();
    world.start(door, desk, PCMA, { direction });
    const sent = sentBy(world, door);
    world.run(1000);
    expect(sent.length).toBe(speaks ? 50 : 0);
    if (hears) expect(level(door.heard(1500, 2000), 1000)).toBeGreaterThan(-1);
    else expect(rms(door.heard(1500, 2000))).toBe(0);
    world.start(door, desk, PCMA);
    world.run(1500);
    expect(blockSnr(door.heard(2700), 1000, 16_000)).toBeGreaterThan(35);
    expect(blockSnr(desk.heard(2700), 440, 16_000)).toBeGreaterThan(35);
  });

  test('after a hold the first packet has the marker, and its timestamp tells how long it was', () => {
    const [world, door, desk] = talking();
    const sent = sentBy(world, door);
    world.run(200);
    const last = sent.at(-1)!;
    world.start(door, desk, PCMA, { direction: 'recvonly' });
    world.run(1000);
    world.start(door, desk, PCMA);
    world.run(100);
    const next = sent[sent.indexOf(last) + 1]!;
    expect(next.marker).toBe(true);
    expect(next.sequence).toBe((last.sequence + 1) & 0xffff);
    expect(Math.abs(((next.timestamp - last.timestamp) >>> 0) - 8 * 1020)).toBeLessThanOrEqual(160);
    expect(sent.filter(({ marker }) => marker)).toHaveLength(1);
  });
});

describe('a start repeated', () => {
  test('without a change is not heard: no gap, no click, no new marker', () => {
    const [world, door, desk] = talking();
    const sent = sentBy(world, door);
    for (let round = 0; round < 5; round++) {
      world.start(door, desk, PCMA);
      world.start(desk, door, PCMA);
      world.run(200);
    }
    const sound = desk.heard(500, 2000);
    expect(longestGapMs(sound, 16_000, 400)).toBeLessThan(1);
    expect(largestStep(sound)).toBeLessThan(1600);
    expect(sent.some(({ marker }) => marker)).toBe(false);
    expect(new Set(sent.map(({ ssrc }) => ssrc)).size).toBe(1);
  });

  test('with another address (early media, then the answer) sends there from then on', () => {
    const world = new World();
    const door = world.phone('192.0.2.1', talker(440));
    const gateway = world.phone('192.0.2.8', talker(300));
    const desk = world.phone('192.0.2.2', talker(1000));
    for (const phone of [door, gateway, desk]) world.open(phone);
    world.start(door, gateway, PCMA, { direction: 'recvonly' });
    world.start(gateway, door, PCMA);
    world.run(1000);
    expect(level(door.heard(500), 300)).toBeGreaterThan(-1);
    gateway.send({ do: 'close', stream: 'call' });
    world.start(door, desk, PCMA);
    world.start(desk, door, PCMA);
    world.run(2000);
    expect(level(door.heard(2000), 1000)).toBeGreaterThan(-1);
    expect(level(desk.heard(1500), 440)).toBeGreaterThan(-1);
  });

  test.each([
    ['PCMU', PCMU, true],
    ['Opus', OPUS, false],
  ] as const)('with another codec (%s) goes on in it; another clock, another SSRC', (_, codec, sameSsrc) => {
    const [world, door, desk] = talking();
    const sent = sentBy(world, door);
    world.run(200);
    world.start(door, desk, codec);
    world.start(desk, door, codec);
    world.run(2000);
    expect(blockSnr(desk.heard(2200), 440, 16_000)).toBeGreaterThan(30);
    expect(new Set(sent.map(({ ssrc }) => ssrc)).size).toBe(sameSsrc ? 1 : 2);
    const { codec: name, sentPackets } = statistics(world, door);
    expect(name).toBe(codec.name);
    expect(sentPackets).toBeGreaterThan(155);
  });

  test('with a codec that this device does not have fails, and the call goes on as it was', () => {
    const world = new World();
    const door = world.phone('192.0.2.1', { speaks: speaksTone(440, LOUD, 16_000) });
    const desk = world.phone('192.0.2.2', talker(1000));
    world.connect(door, desk);
    world.run(500);
    world.start(door, desk, OPUS, { remote: { host: '192.0.2.99', rtpPort: 9, rtcpPort: 10 } });
    world.run(1000);
    expect(door.told('failed')).toMatchObject([{ stream: 'call', doing: 'start', why: expect.stringMatching(/Opus/) }]);
    expect(blockSnr(desk.heard(700), 440, 16_000)).toBeGreaterThan(35);
    expect(door.told('ready')).toEqual([{ is: 'ready', opus: 'none' }]);
  });
});

test('keys that a change of codec cut off are told of', () => {
  const [world, door, desk] = talking();
  door.send({ do: 'send dtmf', stream: 'call', keys: '123456', toneMs: 100, gapMs: 100 });
  world.run(300);
  world.start(door, desk, OPUS);
  world.run(100);
  expect(door.told('failed')).toMatchObject([{ stream: 'call', doing: 'send dtmf' }]);
});

test.each([
  ['PCMA', PCMA, PCMU],
  ['Opus', OPUS, PCMA],
  ['PCMU', PCMU, OPUS],
] as const)('a peer that changes from %s to another negotiated codec unasked is heard on', (_, first, second) => {
  const world = new World();
  const door = world.phone('192.0.2.1', talker(440));
  const desk = world.phone('192.0.2.2', talker(1000));
  world.connect(door, desk, first, { alsoReceives: [second] });
  world.run(1000);
  world.start(desk, door, second);
  world.run(2000);
  expect(blockSnr(door.heard(1600), 1000, 16_000)).toBeGreaterThan(30);
  expect(statistics(world, door).malformedPackets).toBe(0);
});

test.each([
  ['by ours, as it should', 96, 101],
  ['by its own', 111, 110],
])('a peer that has other numbers for a codec and keys, and sends %s, is heard', (_, sound, keys) => {
  const world = new World();
  const door = world.phone('192.0.2.1', talker(440));
  const desk = world.phone('192.0.2.2', talker(1000));
  world.open(door);
  world.open(desk);
  world.start(door, desk, { ...OPUS, payloadType: 111, heardAs: 96 }, { telephoneEvent: 110, keysHeardAs: 101 });
  world.start(desk, door, { ...OPUS, payloadType: sound, heardAs: 111 }, { telephoneEvent: keys, keysHeardAs: 110 });
  desk.send({ do: 'send dtmf', stream: 'call', keys: '5', toneMs: 100, gapMs: 100 });
  world.run(2000);
  expect(blockSnr(door.heard(1200), 1000, 16_000)).toBeGreaterThan(20);
  expect(blockSnr(desk.heard(1200), 440, 16_000)).toBeGreaterThan(20);
  expect(door.told('dtmf')).toMatchObject([{ key: '5', by: 'rtp' }]);
  expect(statistics(world, door).malformedPackets).toBe(0);
});

describe('several streams', () => {
  test('are mixed at the loudspeaker, and each hears the microphone', () => {
    const world = new World();
    const door = world.phone('192.0.2.1', talker(440));
    const one = world.phone('192.0.2.2', talker(1000));
    const two = world.phone('192.0.2.3', talker(1500));
    world.connect(door, one, PCMA, {}, 'one');
    world.connect(door, two, OPUS, {}, 'two');
    world.run(2000);
    expect(Math.abs(level(door.heard(1000), 1000))).toBeLessThan(1);
    expect(Math.abs(level(door.heard(1000), 1500))).toBeLessThan(1);
    for (const phone of [one, two]) {
      expect(level(phone.heard(1000), 440)).toBeGreaterThan(-1);
      expect(level(phone.heard(1000), 1000)).toBeLessThan(-45);
    }
    door.send({ do: 'close', stream: 'one' });
    world.run(1000);
    expect(level(door.heard(2500), 1000)).toBeLessThan(-50);
    expect(blockSnr(door.heard(2500), 1500, 16_000)).toBeGreaterThan(30);
  });

  test('64 at most, and ids are taken once', () => {
    const world = new World();
    const door = world.phone('192.0.2.1');
    for (let index = 0; index < 65; index++) world.open(door, `s${index}`);
    world.open(door, 's0');
    world.run(1);
    expect(door.told('opened')).toHaveLength(64);
    expect(door.told('failed').map(({ stream, why }) => `${stream}: ${why}`)).toEqual([
      's64: 64 streams are open, which is the limit',
      's0: stream s0 is open already',
    ]);
  });
});

describe('the microphone', () => {
  test('muted, the stream goes on with silence', () => {
    const [world, door, desk] = talking();
    door.send({ do: 'mute', stream: 'call', muted: true });
    const sent = sentBy(world, door);
    world.run(1000);
    expect(sent.length).toBe(50);
    expect(rms(desk.heard(1500, 2000))).toBeLessThan(10);
    door.send({ do: 'mute', stream: 'call', muted: false });
    world.run(1000);
    expect(level(desk.heard(2500), 440)).toBeGreaterThan(-1);
  });

  test('and the loudspeaker have their volume in decibels', () => {
    const [world, door, desk] = talking();
    door.send({ do: 'set volume', loudspeakerDb: -20, microphoneDb: -6 });
    world.run(2000);
    expect(level(door.heard(2000), 1000)).toBeCloseTo(-20, 0);
    expect(level(desk.heard(2000), 440)).toBeCloseTo(-6, 0);
    door.send({ do: 'report' });
    world.run(1);
    expect(door.told('report')[0]!.loudspeakerDb).toBe(-20);
  });
});

describe('a sound card that goes away', () => {
  test('leaves the call standing: silence is sent, and sound comes back with the card', () => {
    const [world, door, desk] = talking();
    door.audio.unplug();
    world.run(1000);
    expect(rms(desk.heard(1500, 2000))).toBeLessThan(10);
    door.audio.plug();
    world.run(1000);
    expect(blockSnr(desk.heard(2500), 440, 16_000)).toBeGreaterThan(35);
    expect(door.told('audio').map(({ status }) => status.is)).toEqual(['up', 'down', 'up']);
    expect(statistics(world, door).sentPackets).toBeGreaterThanOrEqual(148);
  });

  test('that stumbles often is told of once a second', () => {
    const [world, door] = talking();
    for (let index = 0; index < 100; index++) {
      door.media.engine.audioStatus({ is: 'xrun', side: 'capture' });
      world.run(25);
    }
    expect(door.told('audio').filter(({ status }) => status.is === 'xrun')).toHaveLength(3);
  });
});

describe('reports', () => {
  test('go both ways: loss, jitter and round trip as the other side sees them', () => {
    const world = new World({ loss: 0.1, delayMs: [10, 30] }, 3);
    const door = world.phone('192.0.2.1', talker(440));
    const desk = world.phone('192.0.2.2', talker(1000));
    world.connect(door, desk);
    world.run(30_000);
    const seen = statistics(world, door);
    expect(seen.remoteLossFraction).toBeGreaterThan(0.03);
    expect(seen.remoteLossFraction).toBeLessThan(0.2);
    expect(seen.remoteJitterMs).toBeGreaterThan(2);
    expect(seen.roundTripMs).toBeGreaterThan(20);
    expect(seen.roundTripMs).toBeLessThan(61);
    expect(seen).toMatchObject({ codec: 'PCMA', malformedPackets: 0, duplicatePackets: 0 });
    expect(seen.sentBytes).toBe(seen.sentPackets * 160);
  });

  test('end with a BYE when a stream that has sent is closed, and the ports are free', () => {
    const [world, door] = talking();
    const farewells: string[] = [];
    world.network.onSend = bytes => {
      for (const { type } of parseRtcp(bytes) ?? []) farewells.push(type);
    };
    door.send({ do: 'close', stream: 'call' });
    world.run(50);
    expect(farewells).toContain('BYE');
    const [closed] = door.told('closed');
    expect(closed?.statistics).toMatchObject({ codec: 'PCMA', malformedPackets: 0 });
    expect(closed?.statistics.sentPackets).toBeGreaterThan(40);
    expect(world.network.openPorts).toBe(2);
    door.send({ do: 'close', stream: 'call' });
    door.send({ do: 'close', stream: 'nobody' });
    world.run(50);
    expect(door.told('closed')).toHaveLength(1);
    expect(door.told('failed')).toEqual([]);
  });
});

describe('silence of the peer', () => {
  function withLimit(silentAfterMs: number): [World, Phone, Phone] {
    const world = new World();
    const door = world.phone('192.0.2.1', { ...talker(440), settings: { silentAfterMs } });
    const desk = world.phone('192.0.2.2', talker(1000));
    world.connect(door, desk);
    return [world, door, desk];
  }

  test('is told once after the time set', () => {
    const [world, door, desk] = withLimit(3000);
    world.run(5000);
    expect(door.told('silent')).toEqual([]);
    desk.send({ do: 'close', stream: 'call' });
    world.run(2900);
    expect(door.told('silent')).toEqual([]);
    world.run(10_000);
    expect(door.told('silent')).toHaveLength(1);
    // Its BYE was the last that was heard.
    expect(door.told('silent')[0]!.forMs).toBeGreaterThanOrEqual(3000);
    expect(door.told('silent')[0]!.forMs).toBeLessThan(3020);
  });

  test('is not meant by a peer on hold that still reports by RTCP', () => {
    const [world, door, desk] = withLimit(10_000);
    world.run(1000);
    world.start(desk, door, PCMA, { direction: 'inactive' });
    world.run(60_000 - 1000);
    expect(door.told('silent')).toEqual([]);
  });

  test('is never told with a limit of 0, nor while we do not listen', () => {
    for (const [limit, direction] of [
      [0, 'sendrecv'],
      [3000, 'sendonly'],
    ] as const) {
      const [world, door, desk] = withLimit(limit);
      world.start(door, desk, PCMA, { direction });
      desk.send({ do: 'close', stream: 'call' });
      world.run(50_000);
      expect(door.told('silent')).toEqual([]);
    }
  });
});

const stranger = { host: '203.0.113.9', port: 4000 };
const at = { host: '192.0.2.1', port: 20_000 };
const packet = (changes: Partial<RtpPacket>, payload = new Uint8Array(160)) => {
  const bytes = new Uint8Array(1500);
  const header = { payloadType: 8, marker: false, sequence: 1, timestamp: 1, ssrc: 1, ...changes };
  return bytes.slice(0, writeRtp(bytes, header, payload));
};
const known = { host: '192.0.2.2', port: 20_002 };

describe('packets that are not the peer’s sound', () => {
  test.each<[string, Uint8Array<ArrayBuffer>, typeof stranger]>([
    ['nothing', new Uint8Array(0), known],
    ['noise', new Uint8Array(100).fill(0x3c), known],
    ['version 1', packet({}).with(0, 0x40), known],
    ['a payload type nobody agreed on', packet({ payloadType: 18 }), known],
    ['sound from elsewhere', packet({}), stranger],
  ])('%s: counted, dropped, not heard', (_, bytes, from) => {
    const [world, door] = talking();
    for (let index = 0; index < 10; index++) {
      world.network.send(bytes, from, at);
      world.run(20);
    }
    expect(statistics(world, door).malformedPackets).toBe(10);
    world.run(1000);
    expect(blockSnr(door.heard(500), 1000, 16_000)).toBeGreaterThan(35);
  });

  test('a flood from elsewhere does not take the call over, however many come in a row', () => {
    const [world, door, desk] = talking();
    for (let index = 0; index < 1000; index++) {
      world.network.send(packet({ sequence: index, timestamp: index * 160 }), stranger, at);
      world.run(2);
    }
    expect(statistics(world, door).malformedPackets).toBe(1000);
    expect(blockSnr(door.heard(1000), 1000, 16_000)).toBeGreaterThan(35);
    expect(blockSnr(desk.heard(1000), 440, 16_000)).toBeGreaterThan(35);
  });

  test.each<[string, CodecChoice, Uint8Array<ArrayBuffer>]>([
    ['G.711 of no bytes', PCMA, new Uint8Array(0)],
    ['G.711 of 130 ms', PCMA, new Uint8Array(1040)],
    ['Opus of no bytes', OPUS, new Uint8Array(0)],
    ['Opus that is none', OPUS, new Uint8Array([0x4b, 0])],
  ])('%s: counted, concealed', (_, codec, payload) => {
    const world = new World();
    const door = world.phone('192.0.2.1', talker(440));
    world.open(door);
    const settings = {
      direction: 'recvonly' as const,
      remote: { host: known.host, rtpPort: known.port, rtcpPort: known.port + 1 },
      codec,
    };
    door.send({ do: 'start', stream: 'call', settings });
    for (let index = 0; index < 20; index++) {
      const ticks = codec === OPUS ? 960 : 160;
      const header = { payloadType: codec.payloadType, sequence: index, timestamp: index * ticks };
      world.network.send(packet(header, payload), known, at);
      world.run(20);
    }
    expect(statistics(world, door).malformedPackets).toBeGreaterThan(15);
  });

  test('before the start nobody is heard, nor counted', () => {
    const world = new World();
    const door = world.phone('192.0.2.1');
    world.open(door);
    world.network.send(packet({}), stranger, at);
    world.run(10);
    expect(statistics(world, door)).toMatchObject({ codec: undefined, malformedPackets: 0, receivedPackets: 0 });
  });
});

test('comfort noise between packets of sound is not missing, and not heard', () => {
  const world = new World();
  const door = world.phone('192.0.2.1');
  world.open(door);
  const remote = { host: known.host, rtpPort: known.port, rtcpPort: known.port + 1 };
  door.send({ do: 'start', stream: 'call', settings: { direction: 'recvonly', remote, codec: PCMA } });
  const tone = sine(1000, LOUD, 8000, 4);
  const payload = new Uint8Array(160);
  for (let index = 0; index < 200; index++) {
    g711Encoder('PCMA').encode(tone.subarray(index * 160, (index + 1) * 160), payload);
    // Each tenth number is that of a noise packet between two of sound.
    const sequence = index + Math.floor(index / 10);
    world.network.send(packet({ sequence, timestamp: index * 160 }, payload), known, at);
    const noise = packet({ payloadType: 13, sequence: sequence + 1, timestamp: index * 160 + 80 }, new Uint8Array(1));
    if (index % 10 === 9) world.network.send(noise, known, at);
    world.run(20);
  }
  expect(statistics(world, door)).toMatchObject({ malformedPackets: 0, lostPackets: 0 });
  expect(blockSnr(door.heard(1000, 3900), 1000, 16_000)).toBeGreaterThan(35);
});

test('a peer that falls silent and says how loud its silence is, is heard as noise of that level until it speaks', () => {
  const world = new World();
  const door = world.phone('192.0.2.1');
  world.open(door);
  const remote = { host: known.host, rtpPort: known.port, rtcpPort: known.port + 1 };
  door.send({ do: 'start', stream: 'call', settings: { direction: 'recvonly', remote, codec: PCMA } });
  const tone = sine(1000, LOUD, 8000, 6);
  const payload = new Uint8Array(160);
  let sequence = 0;
  for (let index = 0; index < 300; index++) {
    g711Encoder('PCMA').encode(tone.subarray(index * 160, (index + 1) * 160), payload);
    const timestamp = index * 160;
    const isQuiet = index >= 100 && index < 200;
    if (index === 100)
      world.network.send(packet({ payloadType: 13, sequence: sequence++, timestamp }, Uint8Array.of(50)), known, at);
    if (!isQuiet) world.network.send(packet({ sequence: sequence++, timestamp }, payload), known, at);
    world.run(20);
  }
  expect(decibels(rms(door.heard(2500, 3900)) / 32_767)).toBeCloseTo(-50, 0);
  expect(level(door.heard(4500, 5900), 1000)).toBeGreaterThan(-1);
  expect(statistics(world, door)).toMatchObject({ malformedPackets: 0, lostPackets: 0 });
  expect(statistics(world, door).concealedFrames).toBeLessThan(10);
});

test.each([PCMA, OPUS])('whatever comes with a valid header, nothing throws and the call goes on', codec => {
  const [world, door, desk] = talking(codec);
  const random = seeded(23);
  let sequence = 0;
  for (let round = 0; round < 5000; round++) {
    const payload = new Uint8Array(Math.floor(random.next() ** 3 * 1400)).map(() => random.uint32());
    const wild = random.next() < 0.2;
    sequence = (sequence + (wild ? random.uint32() : 1)) & 0xffff;
    const timestamp = wild ? random.uint32() : Math.floor(sequence * (300 * random.next()));
    const payloadType = [codec.payloadType, codec.payloadType, EVENTS][Math.floor(random.next() * 3)]!;
    const marker = random.next() < 0.1;
    world.network.send(packet({ payloadType, sequence, timestamp, marker, ssrc: wild ? 2 : 1 }, payload), known, at);
    world.run(10);
  }
  world.run(5000);
  expect(statistics(world, door).receivedPackets).toBeGreaterThan(1000);
  desk.send({ do: 'close', stream: 'call' });
  world.run(100);
});

describe('a peer behind NAT', () => {
  const outside = (port: number) => ({ host: '198.51.100.7', port: port + 30_000 });

  test('is answered where it sends from, RTP and RTCP', () => {
    const world = new World();
    const door = world.phone('192.0.2.1', talker(440));
    const desk = world.phone('10.0.0.5', { ...talker(1000), translate: outside });
    world.connect(door, desk);
    world.run(30_000);
    expect(level(desk.heard(1000), 440)).toBeGreaterThan(-1);
    expect(door.told('heard')).toEqual([{ is: 'heard', stream: 'call', from: '198.51.100.7:50002' }]);
    expect(statistics(world, desk).remoteJitterMs).toBeDefined();
  });

  test('whose NAT takes another port in the call is followed, after two seconds', () => {
    const world = new World();
    let shift = 0;
    const door = world.phone('192.0.2.1', talker(440));
    const desk = world.phone('10.0.0.5', talker(1000));
    world.connect(door, desk);
    world.run(1000);
    // The desk's packets from now on come from elsewhere.
    const { send } = world.network;
    world.network.send = (bytes, from, to) => {
      const moved = from.host === '10.0.0.5' && shift > 0 ? { host: from.host, port: from.port + shift } : from;
      send.call(world.network, bytes, moved, to);
    };
    let reached = 0;
    world.network.listen({ host: '10.0.0.5', port: 20_002 + 500 }, () => reached++);
    shift = 500;
    world.run(5000);
    expect(reached).toBeGreaterThan(100);
    expect(level(door.heard(4000), 1000)).toBeGreaterThan(-1);
  });
});

test('a report draws the sound’s ways', () => {
  const [world, door] = talking();
  door.send({ do: 'play tone', tone: 'ringback', at: 'here' });
  world.run(100);
  door.send({ do: 'report' });
  world.run(1);
  expect(door.told('report')[0]!.graph.replace(/buffer \d+ ms/, 'buffer … ms')).toBe(
    [
      'capture 16 kHz → gain 0 dB → microphone',
      'microphone → encode PCMA 8 kHz 20 ms → rtp call 192.0.2.2:20002',
      'rtp call 192.0.2.2:20002 → buffer … ms → decode PCMA 8 kHz → mixer',
      'player → mixer',
      'mixer → gain 0 dB → playback',
    ].join('\n'),
  );
});

test('commands about a stream that is not there are answered, never thrown', () => {
  const world = new World();
  const door = world.phone('192.0.2.1');
  const stream = 'ghost';
  const remote = { host: '192.0.2.2', rtpPort: 1, rtcpPort: 2 };
  door.send({ do: 'start', stream, settings: { direction: 'sendrecv', remote, codec: PCMA } });
  door.send({ do: 'mute', stream, muted: true });
  door.send({ do: 'record', stream, file: 'x.wav', what: 'sent' });
  door.send({ do: 'play tone', tone: 'busy', at: { stream } });
  door.send({ do: 'stop playing', at: { stream } });
  world.run(10);
  expect(door.told('failed').map(({ doing }) => doing)).toEqual(['start', 'mute', 'record']);
});

test('a stream closed while its ports are being taken is closed, and they are given back', () => {
  const world = new World();
  // The second command comes before the network has answered the first.
  const late = world.network.host('192.0.2.1');
  const slow = new Phone(world, '192.0.2.3', {
    network: {
      open: (host, handlers, done) => void world.clock.after(20, () => late.open(host, handlers, done), 'slow ports'),
    },
  });
  slow.media.start();
  slow.send({ do: 'open', stream: 'call', host: slow.host });
  slow.send({ do: 'close', stream: 'call' });
  world.run(100);
  expect(slow.told('opened')).toEqual([]);
  expect(slow.told('closed')).toMatchObject([{ stream: 'call', statistics: { sentPackets: 0 } }]);
  expect(world.network.openPorts).toBe(0);
});

test('stop closes every stream, tells it, and nothing stays armed', async () => {
  const [world, door, desk] = talking();
  world.open(door, 'second');
  const stopped = [door.media.stop(), door.media.stop(), desk.media.stop()];
  world.run(100);
  await Promise.all(stopped);
  expect(door.told('closed').map(({ stream }) => stream)).toEqual(['call', 'second']);
  expect(door.events.at(-1)).toEqual({ is: 'stopped' });
  expect(world.network.openPorts).toBe(0);
  expect(world.clock.armed).toEqual([]);
  door.send({ do: 'open', stream: 'late', host: door.host });
  world.run(100);
  expect(door.events.at(-1)).toEqual({ is: 'stopped' });
});
