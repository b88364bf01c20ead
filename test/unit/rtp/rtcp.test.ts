/** RTCP on the wire: RFC 3550 §6.4 to §6.6, compound rules of A.2. */
import { describe, expect, test } from 'vitest';
import { parseRtcp, printRtcp, type RtcpPacket } from '../../../firmware/rtp/rtcp.ts';

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const REPORT = {
  ssrc: 0xa0a0a0a0,
  fractionLost: 64,
  cumulativeLost: 1234,
  highestSequence: 0x0001fffe,
  jitter: 99,
  lastSr: 0xb44db705,
  delaySinceLastSr: 0x00010000,
};
const SR: RtcpPacket = {
  type: 'SR',
  ssrc: 0x01020304,
  ntpSeconds: 0xb44db44d,
  ntpFraction: 0xb705aabb,
  rtpTimestamp: 0xffffffff,
  packets: 0xfffffffe,
  octets: 160,
  reports: [REPORT],
};
const RR: RtcpPacket = { type: 'RR', ssrc: 7, reports: [] };

const METRICS = {
  ssrc: 0xa0a0a0a0,
  lossRate: 12,
  discardRate: 3,
  burstDensity: 128,
  gapDensity: 1,
  burstMs: 240,
  gapMs: 8000,
  roundTripMs: 70,
  endSystemMs: 60,
  rFactor: 82,
  listeningMos: 42,
  conversationMos: 41,
  bufferMs: 40,
  bufferLimitMs: 400,
};
const XR: RtcpPacket = { type: 'XR', ssrc: 0x01020304, metrics: [METRICS] };

const TIMES: RtcpPacket = {
  type: 'XR',
  ssrc: 0x01020304,
  metrics: [],
  referenceTime: { seconds: 0xb44db44d, fraction: 0xb705aabb },
  delays: [
    { ssrc: 0xa0a0a0a0, lastRr: 0xb44db705, delaySinceLastRr: 0x00010000 },
    { ssrc: 5, lastRr: 0, delaySinceLastRr: 0 },
  ],
};

/** RR without reports: the shortest that may begin a compound packet. */
const RR_HEX = '80 c9 0001 00000007';

test('a sender report lies in memory as §6.4.1 draws it', () => {
  expect(Buffer.from(printRtcp([SR])).toString('hex')).toBe(
    '81c8000c01020304b44db44db705aabbfffffffffffffffe000000a0a0a0a0a0400004d20001fffe00000063b44db70500010000',
  );
});

test('VoIP metrics lie in memory as RFC 3611 §4.7 draws them; levels that are not measured are 127', () => {
  expect(Buffer.from(printRtcp([XR])).toString('hex')).toBe(
    '80cf000a0102030407000008a0a0a0a00c03800100f01f400046003c7f7f7f10527f2a29f000002801900190',
  );
});

test('times of who only listens, and answers to them, lie in memory as RFC 3611 §4.4 and §4.5 draw them', () => {
  expect(Buffer.from(printRtcp([TIMES])).toString('hex')).toBe(
    '80cf000b01020304' + '04000002b44db44db705aabb' + '05000006a0a0a0a0b44db70500010000000000050000000000000000',
  );
});

describe('what is printed is read back', () => {
  const cases: [string, RtcpPacket[]][] = [
    ['SR', [SR]],
    ['RR with two reports', [{ type: 'RR', ssrc: 5, reports: [REPORT, { ...REPORT, cumulativeLost: -3 }] }]],
    ['cumulative loss at its limits', [{ type: 'RR', ssrc: 5, reports: [{ ...REPORT, cumulativeLost: -0x800000 }] }]],
    ...[1, 2, 3, 4, 5].map((length): [string, RtcpPacket[]] => [
      `SDES with a CNAME of ${length}`,
      [
        RR,
        {
          type: 'SDES',
          sources: [
            { ssrc: 1, cname: 'abcde'.slice(0, length) },
            { ssrc: 2, cname: 'x' },
          ],
        },
      ],
    ]),
    ['SDES without items', [RR, { type: 'SDES', sources: [{ ssrc: 1 }] }]],
    ['XR', [RR, XR]],
    ['XR with times', [RR, TIMES]],
    ['XR of all kinds', [RR, { ...TIMES, metrics: [METRICS] }]],
    [
      'XR of two sources, and one of none',
      [RR, { ...XR, metrics: [METRICS, { ...METRICS, ssrc: 2 }] }, { ...XR, metrics: [] }],
    ],
    ['BYE of two sources', [RR, { type: 'BYE', sources: [1, 0xffffffff] }]],
    ['BYE with a reason', [RR, { type: 'BYE', sources: [1], reason: 'tür zu' }]],
    ['all of them', [SR, { type: 'SDES', sources: [{ ssrc: 1, cname: 'porter@a' }] }, { type: 'BYE', sources: [1] }]],
  ];
  test.each(cases)('%s', (_, packets) => {
    const bytes = printRtcp(packets);
    expect(bytes.length % 4).toBe(0);
    expect(parseRtcp(bytes)).toEqual(packets);
  });
});

test('passes over what it does not know (§6.1): APP, transport feedback', () => {
  const app = '80 cc 0002 00000007 41424344';
  const feedback = '81 cd 0002 00000007 00000001';
  expect(parseRtcp(hex(RR_HEX + app + feedback))).toEqual([RR]);
});

test('passes over SDES items that are no CNAME', () => {
  const sdes = '81 ca 0004 00000001 0202 4142 0103 616263 000000';
  expect(parseRtcp(hex(RR_HEX + sdes))?.[1]).toEqual({ type: 'SDES', sources: [{ ssrc: 1, cname: 'abc' }] });
});

test('the last packet may be padded, extensions of a report are passed over', () => {
  expect(parseRtcp(hex(`${RR_HEX} a1 cb 0002 00000009 00000004`))?.[1]).toEqual({ type: 'BYE', sources: [9] });
  expect(parseRtcp(hex('80 c9 0002 00000007 deadbeef'))).toEqual([RR]);
});

describe('is malformed', () => {
  const cases: [string, string][] = [
    ['nothing at all', ''],
    ['a cut head', '80 c9 00'],
    ['version 1', '40 c9 0001 00000007'],
    ['version 1 in the second packet', `${RR_HEX} 41 cb 0001 00000009`],
    ['a compound packet that begins with BYE', '81 cb 0001 00000009'],
    ['a compound packet that begins with SDES', `81 ca 0002 00000001 00000000 ${RR_HEX}`],
    ['padding in the first packet', 'a0 c9 0002 00000007 00000004'],
    ['padding that is not in the last packet', `${RR_HEX} a1 cb 0002 00000009 00000004 81 cb 0001 00000009`],
    ['padding of no bytes', `${RR_HEX} a1 cb 0002 00000009 00000000`],
    ['padding longer than the packet', `${RR_HEX} a1 cb 0002 00000009 000000ff`],
    ['a length beyond the datagram', '80 c9 0002 00000007'],
    ['bytes after the end', `${RR_HEX} 81`],
    ['fewer reports than announced', '82 c9 0001 00000007'],
    ['a sender report without sender information', '80 c8 0001 00000007'],
    ['an SDES item longer than its packet', `${RR_HEX} 81 ca 0002 00000001 01ff 4142`],
    ['an SDES chunk without its end', `${RR_HEX} 81 ca 0002 00000001 0102 4142`],
    ['fewer SDES chunks than announced', `${RR_HEX} 82 ca 0002 00000001 00000000`],
    ['fewer BYE sources than announced', `${RR_HEX} 82 cb 0001 00000009`],
    ['an XR without its sender', `${RR_HEX} 80 cf 0000`],
    ['an XR block longer than its packet', `${RR_HEX} 80 cf 0002 00000001 07 00 0008`],
    ['a BYE reason longer than its packet', `${RR_HEX} 81 cb 0002 00000009 04414243`],
  ];
  test.each(cases)('%s', (_, bytes) => {
    expect(parseRtcp(hex(bytes))).toBeUndefined();
  });
});

test('passes over XR blocks of other kinds, and those of another length than theirs', () => {
  const others = '01 00 0002 0000000100000002 63 00 0000';
  const wrong = '07 00 0001 00000009 04 00 0001 00000009 05 00 0000 05 00 0004 00000001000000020000000300000004';
  const bytes = hex(`${RR_HEX} 80 cf 000f 00000001 ${others} ${wrong}`);
  expect(parseRtcp(bytes)).toEqual([RR, { type: 'XR', ssrc: 1, metrics: [] }]);
});

test('cuts a CNAME at the 255 bytes that its length can say', () => {
  const [, sdes] = parseRtcp(printRtcp([RR, { type: 'SDES', sources: [{ ssrc: 1, cname: 'x'.repeat(300) }] }]))!;
  expect(sdes).toEqual({ type: 'SDES', sources: [{ ssrc: 1, cname: 'x'.repeat(255) }] });
});

test('refuses to print more sources than the count can say', () => {
  expect(() => printRtcp([{ type: 'BYE', sources: new Array(32).fill(1) }])).toThrow(RangeError);
});
