import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBaresip } from './support/baresip.ts';
import { Bench } from './support/bench.ts';
import { startDevice } from './support/device.ts';
import { writeTone } from './support/hearing.ts';
import { startKamailio } from './support/kamailio.ts';
import { type Capture, startCapture } from './support/tshark.ts';
import { passes, until } from './support/until.ts';

const CODECS = [
  { codec: 'PCMA', baresip: 'PCMA/8000/1', payload: 'g711A', payloadType: '8', ticks: 160 },
  { codec: 'opus', baresip: 'opus/48000/2', payload: /opus|RTPType-96/i, payloadType: '96', ticks: 960 },
] as const;

describe.each(CODECS)('one call in $codec, on the wire', ({ codec, baresip, payload, payloadType, ticks }) => {
  let bench: Bench;
  let capture: Capture;
  let deviceSip: string;
  /** The RTP port of the device, from its session description. */
  let deviceRtp: number;

  beforeAll(async () => {
    bench = new Bench();
    const kamailio = await startKamailio(bench, { front: 'front-secret', desk: 'desk-secret' });
    const voice = join(bench.folder, 'desk.wav');
    const visitor = join(bench.folder, 'visitor.wav');
    writeTone(voice, { hz: 700, levelDb: -12, rate: 48_000, seconds: 60 });
    writeTone(visitor, { hz: 1100, levelDb: -12, rate: 16_000, seconds: 1 });
    const telephone = { aor: kamailio.aor('desk'), password: 'desk-secret', codecs: [baresip], voice };
    const desk = await startBaresip(bench, 'desk', telephone);
    const device = await startDevice(bench, {
      microphone: visitor,
      config: {
        // All of the call in datagrams, for the capture.
        sip: { accounts: { pbx: { uri: kamailio.aor('front'), password: 'front-secret', transport: 'udp' } } },
        contacts: { desk: { uri: kamailio.aor('desk') } },
        media: { codecs: [codec] },
      },
    });
    await device.registered('pbx');
    deviceSip = String(device.port);
    capture = await startCapture(bench, {
      sip: [kamailio.port, desk.port, device.port],
      rtp: [desk.rtp, device.rtp],
    });
    await device.do('press front');
    await desk.event('CALL_INCOMING');
    await device.event('call', 'ringback');
    await desk.command('accept');
    await device.event('call', 'answered');
    await passes(1_000);
    await device.do('dial 159#');
    await until('baresip has heard the keys', () => desk.keys() === '159#');
    // RTCP is sent after five seconds, more or less half of them (RFC 3550 §6.2).
    await passes(6_500);
    await device.do('hang up');
    await device.event('call', 'ended');
    await desk.event('CALL_CLOSED');
    await passes(300);
    await capture.stop();
    deviceRtp = Number(
      capture.fields(`sip.Method == INVITE && udp.srcport == ${deviceSip}`, ['sdp.media.port'])[0]![0],
    );
  });
  afterAll(() => bench.stop());

  const fromDevice = () => `udp.srcport == ${deviceRtp} && rtp`;

  test('nothing that the device sends is malformed or remarkable', () => {
    const remarks = capture.fields(
      `(udp.srcport == ${deviceSip} || udp.srcport == ${deviceRtp} || udp.srcport == ${deviceRtp + 1}) && (_ws.malformed || _ws.expert.severity >= 0x600000)`,
      ['frame.number', '_ws.col.Protocol', '_ws.col.Info', '_ws.expert.message'],
    );
    expect(remarks).toEqual([]);
  });

  test('the SIP of the call is what RFC 3261 lets expect', () => {
    const story = capture
      .fields(`sip && (udp.srcport == ${deviceSip} || udp.dstport == ${deviceSip})`, [
        'udp.srcport',
        'sip.Method',
        'sip.Status-Code',
      ])
      .map(([from, method, status]) => `${from === deviceSip ? '>' : '<'} ${method || status}`);
    expect(story).toEqual(expect.arrayContaining(['> INVITE', '< 407', '> ACK', '< 180', '< 200', '> BYE']));
    // Nothing had to be said twice.
    const resent = capture.fields(`sip.resend == 1 && udp.srcport == ${deviceSip}`, ['frame.number', '_ws.col.Info']);
    expect(resent).toEqual([]);
  });

  test('its RTP is gapless, of the codec agreed, a packet each 20 ms', () => {
    const streams = capture.rtpStreams().filter(({ from }) => from === deviceRtp);
    expect(streams).toHaveLength(1);
    const [stream] = streams;
    expect(stream!.payload.toString()).toMatch(payload);
    expect(stream!.lost).toBe(0);
    // Seven seconds and a half, less what a busy machine takes to begin.
    expect(stream!.packets).toBeGreaterThan(300);
    expect(stream!.meanDeltaMs).toBeGreaterThan(18);
    expect(stream!.meanDeltaMs).toBeLessThan(22);
    const sound = capture.fields(`${fromDevice()} && rtp.p_type == ${payloadType}`, ['rtp.seq', 'rtp.timestamp']);
    const steps = new Set<number>();
    for (let index = 1; index < sound.length; index++) {
      const [sequence, timestamp] = sound[index]!.map(Number);
      const [sequenceBefore, timestampBefore] = sound[index - 1]!.map(Number);
      if (((sequence! - sequenceBefore!) & 0xffff) === 1) steps.add((timestamp! - timestampBefore!) >>> 0);
    }
    expect([...steps]).toEqual([ticks]);
  });

  test('the first packet of each talkspurt is marked, and no other', () => {
    const sound = capture.fields(`${fromDevice()} && rtp.p_type == ${payloadType}`, ['rtp.seq', 'rtp.marker']);
    const first = (index: number) =>
      index === 0 || ((Number(sound[index]![0]) - Number(sound[index - 1]![0])) & 0xffff) !== 1;
    const wrong = sound.filter(([, marker], index) => (marker === '1' || marker === 'True') !== first(index));
    expect(wrong).toEqual([]);
  });

  test('the keys are telephone-events: begun with a mark, ended three times, timestamps that stand still', () => {
    const events = capture
      .fields(`udp.srcport == ${deviceRtp} && rtpevent`, [
        'rtpevent.event_id',
        'rtpevent.end_of_event',
        'rtp.marker',
        'rtp.timestamp',
        'rtpevent.duration',
      ])
      .map(([id, end, marker, timestamp, duration]) => ({
        id: Number(id),
        end: isTrue(end),
        marker: isTrue(marker),
        timestamp: Number(timestamp),
        duration: Number(duration),
      }));
    const keys = Object.values(Object.groupBy(events, ({ timestamp }) => timestamp)).map(packets => packets!);
    // RFC 4733 §3.2: 11 is #.
    expect(keys.map(([first]) => first!.id).sort()).toEqual([1, 11, 5, 9]);
    for (const packets of keys) {
      expect(new Set(packets.map(({ id }) => id)).size).toBe(1);
      expect(packets.map(({ marker }) => marker)).toEqual(packets.map((_, index) => index === 0));
      expect(packets.filter(({ end }) => end)).toHaveLength(3);
      // 100 ms, in ticks of the codec's clock (RFC 4733 §2.1).
      expect(packets.at(-1)!.duration).toBe(5 * ticks);
      const durations = packets.map(({ duration }) => duration);
      expect(durations).toEqual(durations.toSorted((one, other) => one - other));
    }
  });

  test('its packets are marked for the network: sound EF, SIP CS3 (RFC 2474)', () => {
    const marksOf = (filter: string) => [...new Set(capture.fields(filter, ['ip.dsfield.dscp']).flat())];
    expect(marksOf(fromDevice())).toEqual(['46']);
    expect(marksOf(`udp.srcport == ${deviceRtp + 1}`)).toEqual(['46']);
    expect(marksOf(`sip && udp.srcport == ${deviceSip}`)).toEqual(['24']);
  });

  test('RTCP reports of it: sender report with the name, and a goodbye', () => {
    const reports = capture.fields(`rtcp && udp.srcport == ${deviceRtp + 1}`, ['rtcp.pt', 'rtcp.sdes.text']);
    const types = reports.flatMap(([type]) => type!.split(','));
    // Sender report, source description, goodbye (RFC 3550 §12.1).
    expect(types).toEqual(expect.arrayContaining(['200', '202', '203']));
    expect(reports.some(([, name]) => name!.includes('front-gate'))).toBe(true);
  });
});

/** tshark writes booleans as 1 or as True, by version. */
const isTrue = (cell: string | undefined) => cell === '1' || cell === 'True';
