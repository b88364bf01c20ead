import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { HmacSha1 } from '../../../../firmware/rtp/srtp/hmac-sha1.ts';
import { seeded } from '../../../sim/seeded.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const of = (key: Uint8Array, message: Uint8Array) => hex(new HmacSha1(key).digest(message, message.length));

/** RFC 2202 §3. */
const cases = [
  [Buffer.alloc(20, 0x0b), Buffer.from('Hi There'), 'b617318655057264e28bc0b6fb378c8ef146be00'],
  [Buffer.from('Jefe'), Buffer.from('what do ya want for nothing?'), 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79'],
  [Buffer.alloc(20, 0xaa), Buffer.alloc(50, 0xdd), '125d7342b9ac11cd91a39af48aa17b4f63f175d3'],
] as const;

describe('HMAC-SHA1', () => {
  test.each(cases)('as RFC 2202 computes it: %#', (key, message, tag) => {
    expect(of(key, message)).toBe(tag);
  });

  test('as node:crypto does, for every length up to three blocks, with the word behind and without', () => {
    const random = seeded(1);
    const bytes = (count: number) => Uint8Array.from({ length: count }, () => random.uint32());
    const key = bytes(20);
    const hmac = new HmacSha1(key);
    for (let length = 0; length <= 192; length++) {
      const message = bytes(length + 7);
      const word = random.uint32();
      const behind = Buffer.alloc(4);
      behind.writeUInt32BE(word);
      const covered = message.subarray(0, length);
      expect(hex(hmac.digest(message, length))).toBe(createHmac('sha1', key).update(covered).digest('hex'));
      expect(hex(hmac.digest(message, length, word))).toBe(
        createHmac('sha1', key).update(covered).update(behind).digest('hex'),
      );
    }
  });
});
