/** RTP on the wire: RFC 3550 §5.1, §5.3.1 and the checks of A.1. */
import { describe, expect, test } from 'vitest';
import { emptyPacket, looksLikeRtcp, parseRtp, writeRtp } from '../../../firmware/rtp/packet.ts';

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

/** PCMU, marker, sequence 0x1234, timestamp 0xdeadbeef, SSRC 0xcafebabe, three bytes. */
const PLAIN = '80 80 1234 deadbeef cafebabe 010203';

test('reads every field of the fixed header', () => {
  expect(parseRtp(hex(PLAIN))).toEqual({
    payloadType: 0,
    marker: true,
    sequence: 0x1234,
    timestamp: 0xdeadbeef,
    ssrc: 0xcafebabe,
    payload: Uint8Array.of(1, 2, 3),
  });
});

test('passes over CSRCs, an extension and padding', () => {
  const csrcs = '82 00 0001 00000000 00000001 aaaaaaaa bbbbbbbb 09';
  expect(parseRtp(hex(csrcs))?.payload).toEqual(Uint8Array.of(9));
  const extension = '90 00 0001 00000000 00000001 bede 0001 10203040 09';
  expect(parseRtp(hex(extension))?.payload).toEqual(Uint8Array.of(9));
  const padding = 'a0 00 0001 00000000 00000001 09 0000 03';
  expect(parseRtp(hex(padding))?.payload).toEqual(Uint8Array.of(9));
  const everything = 'b1 00 0001 00000000 00000001 aaaaaaaa bede 0000 09 01';
  expect(parseRtp(hex(everything))?.payload).toEqual(Uint8Array.of(9));
});

test('an empty payload is no fault', () => {
  expect(parseRtp(hex('80 08 0001 00000000 00000001'))?.payload).toHaveLength(0);
});

describe('is malformed', () => {
  const cases: [string, string][] = [
    ['nothing at all', ''],
    ['shorter than the header', '80 00 0001 00000000 000000'],
    ['version 1', '40 00 0001 00000000 00000001 09'],
    ['version 3', 'c0 00 0001 00000000 00000001 09'],
    ['more CSRCs than there is room for', '8f 00 0001 00000000 00000001 aaaaaaaa'],
    ['an extension head that is cut off', '90 00 0001 00000000 00000001 bede'],
    ['an extension longer than the packet', '90 00 0001 00000000 00000001 bede ffff 00000000'],
    ['padding longer than the payload', 'a0 00 0001 00000000 00000001 09 03'],
    ['padding of no bytes', 'a0 00 0001 00000000 00000001 09 00'],
    ['an RTCP sender report', '80 c8 0006 00000001 00000000 00000000'],
  ];
  test.each(cases)('%s', (_, bytes) => {
    expect(parseRtp(hex(bytes))).toBeUndefined();
  });
});

test('what is written is read back, also at the largest values', () => {
  const header = { payloadType: 127, marker: false, sequence: 65535, timestamp: 0xffffffff, ssrc: 0xffffffff };
  const into = new Uint8Array(64).fill(0xee);
  const length = writeRtp(into, header, Uint8Array.of(4, 5, 6, 7), 3);
  expect(length).toBe(15);
  expect(parseRtp(into.subarray(0, length))).toEqual({ ...header, payload: Uint8Array.of(4, 5, 6) });
  expect(into[length]).toBe(0xee);
});

test('refuses to write beyond the buffer', () => {
  const header = { payloadType: 0, marker: false, sequence: 0, timestamp: 0, ssrc: 0 };
  expect(() => writeRtp(new Uint8Array(13), header, new Uint8Array(2))).toThrow(RangeError);
  expect(() => writeRtp(new Uint8Array(64), header, new Uint8Array(2), 3)).toThrow(RangeError);
});

test('reads into the object it is given', () => {
  const into = emptyPacket();
  expect(parseRtp(hex(PLAIN), into)).toBe(into);
});

test('tells RTCP from RTP on one port (RFC 5761 §4)', () => {
  expect(looksLikeRtcp(hex('80 c8 0001 00000001'))).toBe(true);
  expect(looksLikeRtcp(hex('81 cd 0002 00000001 00000000'))).toBe(true);
  expect(looksLikeRtcp(hex(PLAIN))).toBe(false);
  expect(looksLikeRtcp(hex('80 e0 0001 00000001'))).toBe(false);
});
