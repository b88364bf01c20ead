/** libsrtp2, whom the rest of the world trusts, opens what we protect and protects what we open, in every suite. */
import koffi from 'koffi';
import { describe, expect, test } from 'vitest';
import { SrtpReceiver, SrtpSender } from '../../firmware/rtp/srtp/srtp.ts';
import { type MasterKey, type SuiteName, suiteNames, suites } from '../../firmware/rtp/srtp/suite.ts';
import { seeded } from '../sim/seeded.ts';

/** libsrtp's names of the suites, for RTP and for RTCP (whose tag is never the short one, RFC 4568 §6.2.2). */
const POLICIES: Readonly<Record<SuiteName, readonly [rtp: string, rtcp: string]>> = {
  AEAD_AES_256_GCM: ['aes_gcm_256_16_auth', 'aes_gcm_256_16_auth'],
  AEAD_AES_128_GCM: ['aes_gcm_128_16_auth', 'aes_gcm_128_16_auth'],
  AES_256_CM_HMAC_SHA1_80: ['aes_cm_256_hmac_sha1_80', 'aes_cm_256_hmac_sha1_80'],
  AES_CM_128_HMAC_SHA1_80: ['rtp_default', 'rtp_default'],
  AES_256_CM_HMAC_SHA1_32: ['aes_cm_256_hmac_sha1_32', 'aes_cm_256_hmac_sha1_80'],
  AES_CM_128_HMAC_SHA1_32: ['aes_cm_128_hmac_sha1_32', 'rtp_default'],
};
/** srtp.h: any SSRC that comes in, or goes out. */
const ANY_INBOUND = 2;
const ANY_OUTBOUND = 3;

function library() {
  try {
    return koffi.load('libsrtp2.so.1');
  } catch {
    throw new Error('libsrtp2 is not installed, so this cannot be tested: apt-get install libsrtp2-1');
  }
}

function oracle() {
  const lib = library();
  const half = {
    cipher: 'uint32',
    keyBytes: 'int',
    auth: 'uint32',
    authBytes: 'int',
    tagBytes: 'int',
    services: 'int',
  };
  const Half = koffi.struct(half);
  const Policy = koffi.struct({
    ssrcType: 'int',
    ssrc: 'uint32',
    rtp: Half,
    rtcp: Half,
    key: 'uint8_t *',
    keys: 'void *',
    keyCount: 'unsigned long',
    ekt: 'void *',
    windowSize: 'unsigned long',
    allowRepeats: 'int',
    headers: 'void *',
    headerCount: 'int',
    next: 'void *',
  });
  const init = lib.func('srtp_init', 'int', []);
  const create = lib.func('srtp_create', 'int', [koffi.out(koffi.pointer('void *')), koffi.pointer(Policy)]);
  const apply = (name: string) => lib.func(name, 'int', ['void *', 'uint8_t *', koffi.inout(koffi.pointer('int'))]);
  const calls = {
    rtp: { protect: apply('srtp_protect'), open: apply('srtp_unprotect') },
    rtcp: { protect: apply('srtp_protect_rtcp'), open: apply('srtp_unprotect_rtcp') },
  };
  const policyOf = (name: string) => {
    const set = lib.func(`srtp_crypto_policy_set_${name}`, 'void', [koffi.out(koffi.pointer(Half))]);
    const policy = {};
    set(policy);
    return policy;
  };
  expect(init()).toBe(0);

  const session = ({ suite, key, salt }: MasterKey, ssrcType: number) => {
    const made: unknown[] = [null];
    const [rtp, rtcp] = POLICIES[suite].map(policyOf);
    const secret = Buffer.concat([key, salt]);
    const rest = {
      keys: null,
      keyCount: 0,
      ekt: null,
      windowSize: 128,
      allowRepeats: 0,
      headers: null,
      headerCount: 0,
    };
    expect(create(made, { ssrcType, ssrc: 0, rtp, rtcp, key: secret, ...rest, next: null })).toBe(0);
    const run = (kind: 'rtp' | 'rtcp', what: 'protect' | 'open', packet: Uint8Array): Buffer | number => {
      const buffer = Buffer.alloc(packet.length + 64);
      buffer.set(packet);
      const length = [packet.length];
      const status: number = calls[kind][what](made[0], buffer, length);
      return status === 0 ? Buffer.from(buffer.subarray(0, length[0])) : status;
    };
    return run;
  };
  return { sender: (m: MasterKey) => session(m, ANY_OUTBOUND), receiver: (m: MasterKey) => session(m, ANY_INBOUND) };
}

const srtp = oracle();

function packet(sequence: number, payload: Buffer) {
  const header = Buffer.alloc(12);
  header[0] = 0x80;
  header.writeUInt16BE(sequence & 0xffff, 2);
  header.writeUInt32BE(0x12345678, 8);
  return Buffer.concat([header, payload]);
}

describe.each(suiteNames)('%s', suite => {
  const random = seeded(1);
  const bytes = (count: number) => Buffer.from(Array.from({ length: count }, () => random.uint32() & 0xff));
  const { keyBytes, saltBytes } = suites[suite];
  const master: MasterKey = { suite, key: bytes(keyBytes), salt: bytes(saltBytes) };
  const report = Buffer.concat([Buffer.from('81c9000712345678', 'hex'), bytes(24)]);

  test('a thousand packets across the wrap, and reports between them, are the same to the byte', () => {
    const ours = new SrtpSender(master);
    const theirs = srtp.sender(master);
    for (let sequence = 65_000; sequence < 66_000; sequence++) {
      const plain = packet(sequence, bytes(random.uint32() % 400));
      const buffer = Buffer.concat([plain, Buffer.alloc(20)]);
      const length = ours.protect(buffer, plain.length);
      expect(buffer.subarray(0, length), `packet ${sequence}`).toEqual(theirs('rtp', 'protect', plain));
      if (sequence % 50 > 0) continue;
      const rtcp = Buffer.concat([report, Buffer.alloc(20)]);
      const rtcpLength = ours.protectRtcp(rtcp, report.length);
      expect(rtcp.subarray(0, rtcpLength), `report at ${sequence}`).toEqual(theirs('rtcp', 'protect', report));
    }
  });

  test('each opens what the other has protected, with loss, and no one takes a packet twice', () => {
    const toUs = srtp.sender(master);
    const us = new SrtpReceiver(master);
    const them = srtp.receiver(master);
    const ours = new SrtpSender(master);
    for (let sequence = 65_000; sequence < 66_000; sequence++) {
      const plain = packet(sequence, bytes(160));
      const secret = toUs('rtp', 'protect', plain) as Buffer;
      const buffer = Buffer.concat([plain, Buffer.alloc(20)]);
      const length = ours.protect(buffer, plain.length);
      if (random.next() < 0.2) continue;
      const copy = Buffer.from(secret);
      expect(Buffer.from(us.open(secret) as Uint8Array)).toEqual(plain);
      expect(us.open(copy)).toBe('replayed');
      expect(them('rtp', 'open', buffer.subarray(0, length))).toEqual(plain);
    }
    expect(Buffer.from(us.openRtcp(toUs('rtcp', 'protect', report) as Buffer) as Uint8Array)).toEqual(report);
  });
});
