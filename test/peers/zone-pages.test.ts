/** A page from one process to another over real multicast, with Wireshark as the judge of what is on the wire. */
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { freePort } from '../demo/free-port.ts';
import { Bench } from './support/bench.ts';
import { HOST, startDevice } from './support/device.ts';
import { hears, writeTone } from './support/hearing.ts';
import { startCapture } from './support/tshark.ts';
import { passes } from './support/until.ts';

const GROUP = '239.255.42.43';
const HZ = 1_000;
const SPEAKS_MS = 3_000;

const bench = new Bench();
afterAll(() => bench.stop());

/** An even port whose next is free too, for reports. */
async function evenPort(): Promise<number> {
  for (;;) {
    const port = await freePort('udp');
    if (port % 2 === 0) return port;
  }
}

async function page(zone: object, group: object, port: number) {
  const voice = join(bench.folder, `voice-${port}.wav`);
  writeTone(voice, { hz: HZ, levelDb: -12, rate: 16_000, seconds: 20 });
  const address = { address: GROUP, port };
  const receiver = await startDevice(bench, {
    room: `receiver-${port}`,
    config: { paging: { groups: { hall: { ...address, ...group } } } },
  });
  const sender = await startDevice(bench, {
    room: `sender-${port}`,
    microphone: voice,
    config: { paging: { zones: { hall: { ...address, gong: false, ...zone } } } },
  });
  const capture = await startCapture(bench, {
    sip: [],
    rtp: [{ from: port, to: port + 1 }],
    readAs: { [port]: 'rtp', [port + 1]: 'rtcp' },
  });
  // dumpcap says that it records a little before it does.
  await passes(500);
  await sender.do('page hall');
  await receiver.event('paging', 'page started', { group: 'hall', from: HOST });
  await passes(SPEAKS_MS);
  await sender.do('hang up hall');
  await sender.event('paging', 'zone page ended', { zone: 'hall' });
  await receiver.event('paging', 'page ended', { group: 'hall' });
  const { paging } = await receiver.status();
  await receiver.stop();
  await sender.stop();
  await capture.stop();
  return { counters: paging.groups.hall!, heard: hears(receiver.heard, HZ), capture };
}

test('plain RTP: heard whole, marked, with reports that say what time it is', async () => {
  const port = await evenPort();
  const { counters, heard, capture } = await page({ codec: 'G722', ttl: 3 }, {}, port);
  expect(counters).toMatchObject({ pages: 1, lost: 0, malformed: 0, otherTalker: 0 });
  expect([heard.seconds > 2.5, heard.purityDb > 25]).toEqual([true, true]);
  const [stream, ...others] = capture.rtpStreams();
  expect(others).toEqual([]);
  expect(stream).toMatchObject({ to: port, payload: 'g722', lost: 0, problems: '' });
  expect(stream!.meanDeltaMs).toBeCloseTo(20, 0);
  const [[dscp, ttl] = []] = capture.fields('rtp', ['ip.dsfield.dscp', 'ip.ttl']);
  expect([dscp, ttl]).toEqual(['46', '3']);
  const reports = capture.fields('rtcp.pt==200', ['rtcp.senderssrc', 'rtcp.sdes.text', 'rtcp.timestamp.ntp']);
  expect(reports.length).toBeGreaterThanOrEqual(3);
  for (const [ssrc, cname] of reports) expect([ssrc, cname]).toEqual([stream!.ssrc.toLowerCase(), 'front-gate']);
  expect(capture.fields('_ws.malformed', ['frame.number'])).toEqual([]);
});

test('a key: nothing of the sound is seen, all of it is heard', async () => {
  const key = Buffer.alloc(30, 'porter').toString('base64');
  const { counters, heard } = await page({ codec: 'L16/16000', key }, { codec: 'L16/16000', key }, await evenPort());
  expect(counters).toMatchObject({ pages: 1, lost: 0, malformed: 0, notAuthentic: 0 });
  expect([heard.seconds > 2.5, heard.purityDb > 25]).toEqual([true, true]);
});

test('Polycom: 31 alerts, sound with the frame before it, 12 ends', async () => {
  const port = await evenPort();
  const polycom = { format: 'polycom', channel: 26 };
  const { counters, heard, capture } = await page(polycom, polycom, port);
  expect(counters).toMatchObject({ pages: 1, malformed: 0 });
  expect([heard.seconds > 1.8, heard.purityDb > 20]).toEqual([true, true]);
  const packets = capture
    .fields(`udp.dstport==${port}`, ['udp.payload'])
    .map(([hex]) => ({ bytes: Buffer.from(hex!, 'hex') }));
  const of = (opcode: number) => packets.filter(({ bytes }) => bytes[0] === opcode);
  expect([of(0x0f).length, of(0xff).length]).toEqual([31, 12]);
  for (const { bytes } of packets) {
    expect([bytes[1], bytes[6]]).toEqual([26, 13]);
    expect(bytes.toString('latin1', 7, 20)).toBe('Front gate\0\0\0');
  }
  const [first, second, third] = of(0x10);
  expect([first!.bytes.length, second!.bytes.length, third!.bytes.length]).toEqual([26 + 160, 26 + 320, 26 + 320]);
  expect([first, second, third].map(packet => packet!.bytes.readUInt32BE(22))).toEqual([0, 160, 320]);
  expect(third!.bytes.subarray(26, 186)).toEqual(second!.bytes.subarray(186));
});

test('Linksys: start and stop, each twice, and the sound where they say', async () => {
  const port = await evenPort();
  const soundPort = await evenPort();
  const { counters, heard, capture } = await page({ format: 'linksys', soundPort }, { format: 'linksys' }, port);
  expect(counters).toMatchObject({ pages: 1, malformed: 0 });
  expect([heard.seconds > 2.5, heard.purityDb > 20]).toEqual([true, true]);
  const words = capture.fields(`udp.dstport==${port}`, ['udp.payload']).map(([hex]) => hex!);
  const where = `efff2a2b${soundPort.toString(16).padStart(8, '0')}`;
  expect(words.map(word => word.slice(8))).toEqual([6, 6, 7, 7].map(command => `0000000${command}${where}`));
  expect(new Set(words.map(word => word.slice(0, 8))).size).toBe(1);
});
