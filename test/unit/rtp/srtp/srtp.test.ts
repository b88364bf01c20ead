import { describe, expect, test } from 'vitest';
import { CounterCipher } from '../../../../firmware/rtp/srtp/ciphers.ts';
import { deriveKeys } from '../../../../firmware/rtp/srtp/key-derivation.ts';
import { REPLAY_WINDOW } from '../../../../firmware/rtp/srtp/replay-window.ts';
import { SOURCE_LIMIT, SrtpReceiver, SrtpSender } from '../../../../firmware/rtp/srtp/srtp.ts';
import { type MasterKey, type SuiteName, suiteNames, suites } from '../../../../firmware/rtp/srtp/suite.ts';
import { seeded } from '../../../sim/seeded.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

/** RFC 3711 B.3. */
const rfc: MasterKey = {
  suite: 'AES_CM_128_HMAC_SHA1_80',
  key: hex('e1f97a0d3e018be0d64fa32c06de4139'),
  salt: hex('0ec675ad498afeebb6960b3aabe6'),
};

function master(suite: SuiteName, fill = 7): MasterKey {
  const { keyBytes, saltBytes } = suites[suite];
  return { suite, key: new Uint8Array(keyBytes).fill(fill), salt: new Uint8Array(saltBytes).fill(fill + 1) };
}

const SSRC = 0xcafebabe;
const HEADER_BYTES = 12;

/** `sequence` counts on beyond 65,535. */
function rtp(sequence: number, payload = Buffer.alloc(160, sequence & 0xff), ssrc = SSRC) {
  const packet = Buffer.alloc(HEADER_BYTES + payload.length);
  packet[0] = 0x80;
  packet.writeUInt16BE(sequence & 0xffff, 2);
  packet.writeUInt32BE(ssrc, 8);
  payload.copy(packet, HEADER_BYTES);
  return packet;
}

function protect(sender: SrtpSender, packet: Uint8Array) {
  const buffer = Buffer.alloc(packet.length + 20);
  buffer.set(packet);
  return Buffer.from(buffer.subarray(0, sender.protect(buffer, packet.length)));
}

function protectRtcp(sender: SrtpSender, packet: Uint8Array) {
  const buffer = Buffer.alloc(packet.length + 20);
  buffer.set(packet);
  return Buffer.from(buffer.subarray(0, sender.protectRtcp(buffer, packet.length)));
}

const open = (receiver: SrtpReceiver, packet: Uint8Array) => {
  const opened = receiver.open(Buffer.from(packet));
  return typeof opened === 'string' ? opened : Buffer.from(opened);
};

/** A receiver report without blocks. */
const rtcp = hex('80c90001cafebabe81ca0002cafebabe0104616263000000');

describe('as the RFC computes it', () => {
  test('the key stream of B.2', () => {
    const encryption = hex('2b7e151628aed2a6abf7158809cf4f3c');
    const cipher = new CounterCipher({
      encryption,
      authentication: Buffer.alloc(20),
      salt: hex('f0f1f2f3f4f5f6f7f8f9fafbfcfd'),
    });
    const stream = Buffer.alloc(48);
    cipher.apply(stream, 0, 48, { ssrc: 0, high: 0, low: 0 });
    expect(stream).toEqual(
      hex('e03ead0935c95e80e166b16dd92b4eb4 d23513162b02d0f72a43a2fe4a5f97ab 41e95b3bb0a2e8dd477901e4fca894c0'),
    );
  });

  test('the session keys of B.3', () => {
    const keys = deriveKeys(rfc, 'rtp');
    expect(keys.encryption).toEqual(hex('c61e7a93744f39ee10734afe3ff7a087'));
    expect(keys.salt).toEqual(hex('30cbbc08863d8c85d49db34a9ae1'));
    expect(keys.authentication).toEqual(hex('cebe321f6ff7716b6fd4ab49af256a156d38baa4'));
  });

  test('a packet that libsrtp proves itself with', () => {
    const plain = hex('800f1234decafbadcafebabeabababababababababababababababab');
    const secret = hex('800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb');
    expect(protect(new SrtpSender(rfc), plain)).toEqual(secret);
    expect(open(new SrtpReceiver(rfc), secret)).toEqual(plain);
  });

  test('a key or salt of another length is our mistake', () => {
    expect(() => new SrtpSender({ ...rfc, salt: rfc.salt.subarray(2) })).toThrow('a salt of 14');
  });
});

describe.each(suiteNames)('%s', suite => {
  test('what is protected is opened, with every kind of header, and nothing of it is legible', () => {
    const sender = new SrtpSender(master(suite));
    const receiver = new SrtpReceiver(master(suite));
    const payload = Buffer.from('open the door, open the door, open the door');
    const extended = Buffer.concat([
      hex('b2080002 00000000 cafebabe 00000001 00000002 bede0001 10ff0000'),
      payload,
      hex('0001'),
    ]);
    for (const plain of [rtp(1, payload), extended, rtp(3, Buffer.alloc(0)), rtp(4, Buffer.alloc(1400, 1))]) {
      const secret = protect(sender, plain);
      expect(secret.length).toBe(plain.length + suites[suite].rtpTagBytes);
      expect(secret.includes('door')).toBe(false);
      expect(open(receiver, secret)).toEqual(plain);
    }
  });

  test('RTCP is protected and opened, its sender visible, its names not', () => {
    const sender = new SrtpSender(master(suite));
    const receiver = new SrtpReceiver(master(suite));
    for (let count = 0; count < 3; count++) {
      const secret = protectRtcp(sender, rtcp);
      expect(secret.length).toBe(rtcp.length + 4 + suites[suite].rtcpTagBytes);
      expect(secret.subarray(0, 8)).toEqual(rtcp.subarray(0, 8));
      expect(secret.includes('abc')).toBe(false);
      const opened = receiver.openRtcp(Buffer.from(secret));
      expect(typeof opened === 'string' ? opened : Buffer.from(opened)).toEqual(rtcp);
      expect(receiver.openRtcp(Buffer.from(secret))).toBe('replayed');
    }
  });

  test('one bit anywhere that is not as it was sent: refused, and what comes next is taken', () => {
    const sender = new SrtpSender(master(suite));
    const receiver = new SrtpReceiver(master(suite));
    const secret = protect(sender, rtp(100, Buffer.alloc(20, 5)));
    for (let bit = 16; bit < 8 * secret.length; bit++) {
      const forged = Buffer.from(secret);
      forged[bit >> 3]! ^= 1 << (bit & 7);
      expect(typeof receiver.open(forged), `bit ${bit}`).toBe('string');
    }
    expect(open(receiver, secret)).toEqual(rtp(100, Buffer.alloc(20, 5)));
    const report = protectRtcp(sender, rtcp);
    for (let bit = 0; bit < 8 * report.length; bit++) {
      const forged = Buffer.from(report);
      forged[bit >> 3]! ^= 1 << (bit & 7);
      expect(typeof receiver.openRtcp(forged), `bit ${bit} of RTCP`).toBe('string');
    }
    expect(typeof receiver.openRtcp(report)).toBe('object');
  });

  test('another key opens nothing', () => {
    const secret = protect(new SrtpSender(master(suite)), rtp(1));
    expect(open(new SrtpReceiver(master(suite, 9)), secret)).toBe('not authentic');
  });
});

describe('packets that come again, late, or after many that never came', () => {
  const pair = () => ({ sender: new SrtpSender(rfc), receiver: new SrtpReceiver(rfc) });

  test('each is taken once, in whatever order, within the window', () => {
    const { sender, receiver } = pair();
    const random = seeded(5);
    const secrets = Array.from({ length: 2_000 }, (_, index) => protect(sender, rtp(65_000 + index)));
    const order = secrets.map((_, index) => index + Math.floor(random.next() * (REPLAY_WINDOW / 2)));
    const shuffled = secrets.map((_, index) => index).toSorted((a, b) => order[a]! - order[b]!);
    for (const index of shuffled) {
      expect(open(receiver, secrets[index]!), `packet ${index}`).toEqual(rtp(65_000 + index));
      expect(open(receiver, secrets[index]!), `packet ${index} again`).toBe('replayed');
    }
  });

  test('one older than the window is not taken', () => {
    const { sender, receiver } = pair();
    const old = protect(sender, rtp(1));
    for (let sequence = 2; sequence <= REPLAY_WINDOW + 1; sequence++) receiver.open(protect(sender, rtp(sequence)));
    expect(open(receiver, old)).toBe('replayed');
  });

  test.each([300, 20_000, 40_000, 65_000, 90_000])('after %i lost packets across the wrap it goes on', lost => {
    const { sender, receiver } = pair();
    expect(open(receiver, protect(sender, rtp(65_400)))).toEqual(rtp(65_400));
    let next = 65_401;
    for (; next < 65_401 + lost; next++) protect(sender, rtp(next));
    let taken = 0;
    for (let count = 0; count < 100; count++, next++) {
      if (typeof open(receiver, protect(sender, rtp(next))) === 'object') taken++;
    }
    expect(taken).toBe(100);
  });

  test('a peer that is heard for the first time after its first wrap is understood', () => {
    const { sender, receiver } = pair();
    for (let sequence = 0; sequence < 70_000; sequence += 100) protect(sender, rtp(sequence));
    expect(open(receiver, protect(sender, rtp(70_001)))).toEqual(rtp(70_001));
  });

  test('a forged sequence does not move the window', () => {
    const { sender, receiver } = pair();
    receiver.open(protect(sender, rtp(10)));
    const forged = protect(sender, rtp(11));
    forged.writeUInt16BE(40_000, 2);
    expect(open(receiver, forged)).toBe('not authentic');
    expect(open(receiver, protect(sender, rtp(12)))).toEqual(rtp(12));
  });

  test('a new SSRC starts anew; more than are remembered push out the one silent for longest', () => {
    const { receiver } = pair();
    for (let ssrc = 1; ssrc <= SOURCE_LIMIT + 1; ssrc++) {
      expect(open(receiver, protect(new SrtpSender(rfc), rtp(1, Buffer.alloc(9), ssrc)))).toEqual(
        rtp(1, Buffer.alloc(9), ssrc),
      );
    }
    const again = (ssrc: number) => open(receiver, protect(new SrtpSender(rfc), rtp(1, Buffer.alloc(9), ssrc)));
    expect(again(2)).toBe('replayed');
    // Forgotten, so it cannot be told from a new one: the price of a limit.
    expect(typeof again(1)).toBe('object');
  });
});

test('garbage of every length is refused', () => {
  const random = seeded(3);
  for (const suite of suiteNames) {
    const receiver = new SrtpReceiver(master(suite));
    for (let length = 0; length < 300; length++) {
      const garbage = Buffer.from(Array.from({ length }, () => random.uint32() & 0xff));
      if (length > 0) garbage[0] = 0x80 | (garbage[0]! & 0x3f);
      expect(typeof receiver.open(Buffer.from(garbage))).toBe('string');
      expect(typeof receiver.openRtcp(garbage)).toBe('string');
    }
    expect(receiver.open(Buffer.alloc(5_000, 0x80))).toBe('malformed');
  }
});
