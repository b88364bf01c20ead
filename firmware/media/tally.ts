/** A stream's counts, through every codec and session that negotiation gave it. */
import type { RtpSession } from '../rtp/session.ts';
import type { Protection } from './protection.ts';
import type { CodecName, StreamStatistics } from './protocol.ts';
import type { Receiving } from './receiving.ts';

/** What is counted now. */
export interface Counting {
  codec: CodecName;
  session: RtpSession;
  receiving: Receiving;
  protection: Protection | undefined;
}

export class Tally {
  /** Packets that were none of the stream's: not RTP, an unknown payload type, a wrong source. */
  malformed = 0;
  readonly #earlier = {
    sentPackets: 0,
    sentBytes: 0,
    receivedPackets: 0,
    receivedBytes: 0,
    lostPackets: 0,
    duplicatePackets: 0,
    malformedPackets: 0,
    concealedFrames: 0,
    latePackets: 0,
  };

  /** Its codecs give way to others. */
  endReceiving(receiving: Receiving) {
    const earlier = this.#earlier;
    earlier.concealedFrames += receiving.concealedFrames;
    earlier.latePackets += receiving.latePackets;
    earlier.malformedPackets += receiving.badPayloads;
  }

  /** It gives way to another. */
  endSession({ statistics }: RtpSession) {
    const earlier = this.#earlier;
    earlier.sentPackets += statistics.sentPackets;
    earlier.sentBytes += statistics.sentBytes;
    earlier.receivedPackets += statistics.receivedPackets;
    earlier.receivedBytes += statistics.receivedBytes;
    earlier.lostPackets += statistics.lostPackets;
    earlier.duplicatePackets += statistics.duplicatePackets;
    earlier.malformedPackets += statistics.badPackets;
  }

  statistics(now: Counting | undefined): StreamStatistics {
    const earlier = this.#earlier;
    const malformedPackets = earlier.malformedPackets + this.malformed;
    if (now === undefined) return { ...earlier, malformedPackets, codec: undefined, jitterMs: 0, bufferMs: 0 };
    const { codec, session, receiving, protection } = now;
    const { remoteLossFraction, remoteJitterMs, roundTripMs, remoteMos, ...rtp } = session.statistics;
    return {
      codec,
      sentPackets: earlier.sentPackets + rtp.sentPackets,
      sentBytes: earlier.sentBytes + rtp.sentBytes,
      receivedPackets: earlier.receivedPackets + rtp.receivedPackets,
      receivedBytes: earlier.receivedBytes + rtp.receivedBytes,
      lostPackets: earlier.lostPackets + rtp.lostPackets,
      jitterMs: rtp.jitterMs,
      concealedFrames: Math.round(earlier.concealedFrames + receiving.concealedFrames),
      latePackets: earlier.latePackets + receiving.latePackets,
      duplicatePackets: earlier.duplicatePackets + rtp.duplicatePackets,
      malformedPackets: malformedPackets + rtp.badPackets + receiving.badPayloads,
      bufferMs: receiving.bufferMs,
      ...(protection && { srtp: { suite: protection.suite, refusedPackets: protection.refused } }),
      // Absent until the peer has reported.
      ...(remoteLossFraction !== undefined && { remoteLossFraction }),
      ...(remoteJitterMs !== undefined && { remoteJitterMs }),
      ...(roundTripMs !== undefined && { roundTripMs }),
      ...(remoteMos !== undefined && { remoteMos }),
    };
  }
}
