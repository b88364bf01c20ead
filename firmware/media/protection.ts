/** SRTP on one stream: keys as negotiated, and what becomes of packets that are not authentic. */
import { SrtpReceiver, SrtpSender } from '../rtp/srtp/srtp.ts';
import { isSuiteName, LONGEST_TRAILER_BYTES, type MasterKey, suiteNames, suites } from '../rtp/srtp/suite.ts';
import type { CryptoSuite } from '../sdp/crypto.ts';
import type { StreamSettings } from './protocol.ts';

/** What can be negotiated, the best first. Short tags are for those who have nothing else. */
export const cryptoSuites: readonly CryptoSuite[] = suiteNames.map(name => {
  const { keyBytes, saltBytes, rtpTagBytes } = suites[name];
  return { name, keyBytes: keyBytes + saltBytes, ...(rtpTagBytes < 10 && { onlyTaken: true }) };
});

/** So many packets without one that is authentic are no chance: the keys differ. */
const WRONG_KEY_PACKETS = 25;
/** The longest RTCP packet of ours. Bytes. */
const REPORT_BYTES = 1_500;

type Crypto = NonNullable<StreamSettings['crypto']>;

export class Protection {
  readonly #crypto: Crypto;
  readonly #sender: SrtpSender;
  readonly #receiver: SrtpReceiver;
  readonly #onWrongKey: (packets: number) => void;
  readonly #report = new Uint8Array(REPORT_BYTES + LONGEST_TRAILER_BYTES);
  #authentic = false;
  /** Packets, RTP and RTCP, that were turned away. */
  refused = 0;

  /** Throws for a suite that was never offered. `receiver`: the rest of what `SrtpReceiver` takes. */
  constructor(
    crypto: Crypto,
    onWrongKey: (packets: number) => void,
    ...receiver: [mostMissed?: number, sourceLimit?: number]
  ) {
    this.#crypto = crypto;
    this.#sender = new SrtpSender(masterKey(crypto.suite, crypto.ours));
    this.#receiver = new SrtpReceiver(masterKey(crypto.suite, crypto.theirs), ...receiver);
    this.#onWrongKey = onWrongKey;
  }

  get suite() {
    return this.#crypto.suite;
  }

  /** It goes on as it is: a new one would begin its counts anew. */
  serves(crypto: Crypto | undefined): boolean {
    if (crypto?.suite !== this.#crypto.suite) return false;
    return same(crypto.ours, this.#crypto.ours) && same(crypto.theirs, this.#crypto.theirs);
  }

  /** An RTP packet, in place, with room for the trailer behind it. Returns its length now. */
  protect(packet: Uint8Array, length: number): number {
    return this.#sender.protect(packet, length);
  }

  /** An RTCP packet, in a buffer of its own that the next one takes. */
  protectReport(report: Uint8Array): { bytes: Uint8Array; length: number } {
    this.#report.set(report);
    return { bytes: this.#report, length: this.#sender.protectRtcp(this.#report, report.length) };
  }

  open(packet: Uint8Array): Uint8Array | undefined {
    return this.#judge(this.#receiver.open(packet));
  }

  openReport(packet: Uint8Array): Uint8Array | undefined {
    return this.#judge(this.#receiver.openRtcp(packet));
  }

  #judge(opened: Uint8Array | string): Uint8Array | undefined {
    if (typeof opened === 'string') {
      this.refused++;
      if (!this.#authentic && this.refused === WRONG_KEY_PACKETS) this.#onWrongKey(this.refused);
      return undefined;
    }
    this.#authentic = true;
    return opened;
  }
}

function masterKey(suite: string, bytes: Uint8Array): MasterKey {
  if (!isSuiteName(suite)) throw new Error(`${suite} is no way to encrypt that is known here`);
  const { keyBytes } = suites[suite];
  return { suite, key: bytes.subarray(0, keyBytes), salt: bytes.subarray(keyBytes) };
}

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;
