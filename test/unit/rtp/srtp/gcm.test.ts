import { createCipheriv } from 'node:crypto';
import { expect, test } from 'vitest';
import { GcmCipher } from '../../../../firmware/rtp/srtp/ciphers.ts';
import { seeded } from '../../../sim/seeded.ts';

const random = seeded(2);
const bytes = (count: number) => Buffer.from(Array.from({ length: count }, () => random.uint32() & 0xff));
const TAG = 16;

test.each([16, 32])(
  'GCM with a key of %i bytes seals as node:crypto does, whatever the lengths, and opens it',
  keyBytes => {
    const keys = { encryption: bytes(keyBytes), authentication: bytes(20), salt: bytes(12) };
    const ours = new GcmCipher(keys);
    for (let length = 0; length < 100; length++) {
      const associated = bytes(random.uint32() % 40);
      const plain = bytes(length);
      const index = { ssrc: random.uint32(), high: random.uint32(), low: random.uint32() & 0xffff };
      // RFC 7714 §8.1.
      const iv = Buffer.alloc(12);
      iv.writeUInt32BE(index.ssrc, 2);
      iv.writeUInt32BE(index.high, 6);
      iv.writeUInt16BE(index.low, 10);
      for (let at = 0; at < iv.length; at++) iv[at]! ^= keys.salt[at]!;
      const theirs = createCipheriv(keyBytes === 16 ? 'aes-128-gcm' : 'aes-256-gcm', keys.encryption, iv);
      theirs.setAAD(associated);
      const sealed = Buffer.concat([theirs.update(plain), theirs.final(), theirs.getAuthTag()]);

      const packet = Buffer.concat([plain, Buffer.alloc(TAG)]);
      ours.seal(packet, 0, length, associated, associated.length, index);
      expect(packet).toEqual(sealed);
      expect(ours.open(packet, 0, length, associated, associated.length, index)).toBe(true);
      expect(packet.subarray(0, length)).toEqual(plain);
    }
  },
);

test('a changed bit anywhere is refused, and the packet stays as it was', () => {
  const cipher = new GcmCipher({ encryption: bytes(16), authentication: bytes(20), salt: bytes(12) });
  const index = { ssrc: 1, high: 0, low: 7 };
  const associated = bytes(12);
  const packet = bytes(40 + TAG);
  cipher.seal(packet, 0, 40, associated, 12, index);
  for (let bit = 0; bit < 8 * packet.length; bit++) {
    const changed = Buffer.from(packet);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    const before = Buffer.from(changed);
    expect(cipher.open(changed, 0, 40, associated, 12, index)).toBe(false);
    expect(changed).toEqual(before);
  }
  associated[3]! ^= 1;
  expect(cipher.open(packet, 0, 40, associated, 12, index)).toBe(false);
});
