/** STUN Binding messages: what is one, what it says, and what garbage does. */
import { describe, expect, test } from 'vitest';
import {
  bindingRefusal,
  bindingRequest,
  bindingSuccess,
  isStun,
  parseStun,
} from '../../../../firmware/sip/flow/stun.ts';
import { seeded } from '../../../sim/seeded.ts';

const id = '0123456789abcdef01234567';
const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

test('a Binding request is twenty bytes with the cookie and its id', () => {
  expect(bindingRequest(id).toString('hex')).toBe(`000100002112a442${id}`);
  expect(parseStun(bindingRequest(id))).toEqual({ is: 'request', id, unknown: [] });
});

describe('an address survives the way there and back', () => {
  test.each(['192.0.2.1', '0.0.0.0', '255.255.255.255', '2001:db8::1', '::1', '2001:db8:1:2:3:4:5:6', 'fe80::'])(
    '%s',
    host => {
      for (const port of [0, 1, 5060, 65_535]) {
        expect(parseStun(bindingSuccess(id, { host, port }))).toEqual({
          is: 'success',
          id,
          unknown: [],
          mapped: { host, port },
        });
      }
    },
  );
});

// RFC 5769 §2.2 and §2.3: 192.0.2.1:32853, and [2001:db8:1234:5678:11:2233:4455:6677]:32853.
const v4 = hex(`0101003c 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220
  00200008 0001a147 e112a643 00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7 80280004 c07d4c96`);
const v6 = hex(`01010048 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220
  00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9 00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41
  80280004 c8fb0b4c`);

test('the sample responses of RFC 5769 are read', () => {
  expect(parseStun(v4)).toMatchObject({ is: 'success', mapped: { host: '192.0.2.1', port: 32_853 } });
  expect(parseStun(v6)).toMatchObject({
    is: 'success',
    mapped: { host: '2001:db8:1234:5678:11:2233:4455:6677', port: 32_853 },
  });
});

test('what must be understood and is not is named in the refusal, and what may be ignored is', () => {
  const request = Buffer.concat([hex(`00010010 2112a442 ${id}`), hex('00060003 61626300 80220003 61626300')]);
  expect(parseStun(request)).toEqual({ is: 'request', id, unknown: [6] });
  const refusal = bindingRefusal(id, [6]);
  expect(parseStun(refusal)).toEqual({ is: 'error', id, unknown: [] });
  expect(refusal.includes(hex('00000414'))).toBe(true);
  expect(refusal.includes(hex('000a0002 0006'))).toBe(true);
});

test.each([
  ['SIP', Buffer.from('OPTIONS sip:a SIP/2.0\r\n\r\n')],
  ['nothing', Buffer.alloc(0)],
  ['STUN of 2003, without the cookie', hex(`00010000 00000000 ${id}`)],
  ['a length that does not fit', hex(`00010004 2112a442 ${id}`)],
  ['RTP', hex(`80000000 2112a442 ${id}`)],
])('%s is no STUN', (_, bytes) => {
  expect(isStun(bytes)).toBe(false);
  expect(parseStun(bytes)).toBeUndefined();
});

test('another method, and an attribute that is cut, are not read', () => {
  expect(parseStun(hex(`00030000 2112a442 ${id}`))).toBeUndefined();
  expect(parseStun(hex(`01010008 2112a442 ${id} 00200010 0001a147`))).toBeUndefined();
  expect(parseStun(hex(`01010002 2112a442 ${id} 0020`))).toBeUndefined();
});

test('whatever is changed in a message, reading it throws nothing', () => {
  const chance = seeded(5);
  for (let turn = 0; turn < 20_000; turn++) {
    const bytes = Buffer.from(turn % 2 === 0 ? v4 : v6);
    for (let count = 0; count < 4; count++) bytes[Math.floor(chance.next() * bytes.length)] = chance.uint32() & 0xff;
    const cut = bytes.subarray(0, Math.floor(chance.next() * (bytes.length + 1)));
    if (cut.length >= 4) cut.writeUInt16BE(Math.max(0, cut.length - 20), 2);
    expect(() => parseStun(cut)).not.toThrow();
  }
});
