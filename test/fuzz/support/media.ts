/** What is fuzzed of RTP: a stream as the media engine has it, plain and encrypted, that hears good packets and spoiled ones. */
import { Bridge } from '../../../firmware/audio/bridge.ts';
import { frameSamples } from '../../../firmware/audio/frame.ts';
import { Mixer } from '../../../firmware/audio/mixer.ts';
import type { Random } from '../../../firmware/lib/random.ts';
import type { StreamSettings } from '../../../firmware/media/protocol.ts';
import { Stream } from '../../../firmware/media/stream.ts';
import { writeRtp } from '../../../firmware/rtp/packet.ts';
import { printRtcp, type RtcpPacket } from '../../../firmware/rtp/rtcp.ts';
import { SrtpSender } from '../../../firmware/rtp/srtp/srtp.ts';
import { LONGEST_TRAILER_BYTES, type SuiteName, suites } from '../../../firmware/rtp/srtp/suite.ts';
import { MemoryFiles } from '../../sim/memory-files.ts';
import { seeded } from '../../sim/seeded.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { below, pick } from './mutate.ts';
import { codecs, type Listener, listening, opus, RATE, settings, someSound } from './sounding.ts';

const EVENTS = 101;
const OPUS = 96;
const peer = { host: '192.0.2.2', port: 4_000 };
const stranger = { host: '203.0.113.9', port: 4_000 };
const suiteList = Object.keys(suites) as SuiteName[];

/** One stream and its peer, who counts on. */
class Line implements Listener {
  readonly stream: Stream;
  readonly sender: SrtpSender | undefined;
  readonly #clock = new VirtualClock();
  readonly #mixer = new Mixer(frameSamples(RATE));
  readonly #bridge = new Bridge(frameSamples(RATE));
  readonly #microphone = new Int16Array(frameSamples(RATE));
  readonly #keys: string[] = [];
  readonly #hearsReports: boolean;
  #before: Stream['statistics'];
  #sequence = 0xfff0;
  #timestamp = 0xffff_0000;
  /** The identifier of the stream's own packets. */
  #ours = 0;

  /** `hearsReports`: RTCP, and else RTP. */
  constructor(hearsReports: boolean, suite: SuiteName | undefined, seed: number) {
    this.#hearsReports = hearsReports;
    // Clear even in a packet that is encrypted.
    const sendRtp = (packet: Uint8Array) => {
      this.#ours = new DataView(packet.buffer, packet.byteOffset).getUint32(8);
    };
    const port = { rtpPort: 20_000, rtcpPort: 20_001, sendRtp, sendRtcp() {}, close() {} };
    const random = seeded(seed);
    this.stream = new Stream({
      id: 'fuzzed',
      port,
      rate: RATE,
      settings,
      codecs,
      clock: this.#clock,
      wallClock: () => 1_800_000_000_000 + this.#clock.now(),
      random,
      files: new MemoryFiles(this.#clock),
      emit: event => {
        if (event.is === 'dtmf') this.#keys.push(event.key);
      },
    });
    let crypto: StreamSettings['crypto'];
    if (suite !== undefined) {
      const { keyBytes, saltBytes } = suites[suite];
      const theirs = Uint8Array.from({ length: keyBytes + saltBytes }, () => random.uint32() & 0xff);
      crypto = { suite, ours: theirs.slice().reverse(), theirs };
      this.sender = new SrtpSender({ suite, key: theirs.subarray(0, keyBytes), salt: theirs.subarray(keyBytes) });
    }
    this.stream.start({
      direction: 'sendrecv',
      remote: { host: peer.host, rtpPort: peer.port, rtcpPort: peer.port + 1 },
      codec: { name: 'PCMA', payloadType: 8, ptimeMs: 20 },
      alsoReceives: [
        { name: 'PCMU', payloadType: 0, ptimeMs: 20 },
        { name: 'G722', payloadType: 9, ptimeMs: 20 },
        ...(opus === undefined ? [] : [{ name: 'opus' as const, payloadType: OPUS, ptimeMs: 20 }]),
      ],
      telephoneEvent: EVENTS,
      voipMetrics: true,
      receiverTimes: 'all',
      crypto,
    });
    this.#before = this.stream.statistics;
  }

  input(random: Random): Buffer {
    return this.#hearsReports ? this.#rtcp(random) : this.#rtp(random);
  }

  #rtp(random: Random): Buffer {
    const payloadType = pick(random, [8, 8, 8, 8, 0, 0, 9, 9, EVENTS, 13, 99, OPUS]);
    const size = payloadType === EVENTS ? 4 : payloadType === 13 ? 1 + below(random, 12) : 160;
    const payload = someSound(random, size);
    if (payloadType === EVENTS) payload[0] = below(random, 20);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + 160) >>> 0;
    const header = { payloadType, marker: random.next() < 0.1, sequence: this.#sequence, timestamp: this.#timestamp };
    const packet = new Uint8Array(12 + size + LONGEST_TRAILER_BYTES);
    const length = writeRtp(packet, { ...header, ssrc: 7 }, payload);
    return Buffer.from(packet.subarray(0, this.sender?.protect(packet, length) ?? length));
  }

  #rtcp(random: Random): Buffer {
    const report = {
      fractionLost: 1,
      cumulativeLost: 2,
      highestSequence: 3,
      jitter: 4,
      lastSr: 5,
      delaySinceLastSr: 6,
    };
    const times = { ntpSeconds: random.uint32(), ntpFraction: random.uint32(), rtpTimestamp: this.#timestamp };
    const referenceTime = { seconds: random.uint32(), fraction: random.uint32() };
    const delays = [{ ssrc: this.#ours, lastRr: random.uint32(), delaySinceLastRr: random.uint32() }];
    const about = { lossRate: 9, discardRate: 9, burstDensity: 9, gapDensity: 9, burstMs: 9, gapMs: 9, roundTripMs: 9 };
    const quality = {
      endSystemMs: 9,
      rFactor: 80,
      listeningMos: 40,
      conversationMos: 39,
      bufferMs: 9,
      bufferLimitMs: 9,
    };
    const packets: RtcpPacket[] = [
      { type: 'SR', ssrc: 7, ...times, packets: 4, octets: 5, reports: [{ ssrc: this.#ours, ...report }] },
      { type: 'SDES', sources: [{ ssrc: 7, cname: 'peer@example.org' }] },
      { type: 'XR', ssrc: 7, metrics: [{ ssrc: 1, ...about, ...quality }], referenceTime, delays },
      { type: 'BYE', sources: [7], reason: 'over' },
    ];
    const plain = printRtcp(packets.slice(0, 1 + below(random, 4)));
    if (this.sender === undefined) return Buffer.from(plain);
    const packet = new Uint8Array(plain.length + LONGEST_TRAILER_BYTES);
    packet.set(plain);
    return Buffer.from(packet.subarray(0, this.sender.protectRtcp(packet, plain.length)));
  }

  feed(bytes: Buffer, random: Random): string {
    return this.#hear(bytes, random, this.#hearsReports);
  }

  #hear(bytes: Buffer, random: Random, isReport: boolean): string {
    const from = random.next() < 0.02 ? stranger : peer;
    // The engine's buffer is the socket's: what is decrypted in place must not change the input.
    const datagram = Uint8Array.from(bytes);
    if (isReport) this.stream.onRtcp(datagram, from);
    else this.stream.onRtp(datagram, from);
    for (let frames = random.next() < 0.002 ? 200 : isReport ? 1 : 2; frames > 0; frames--) {
      this.#clock.advance(10);
      this.#mixer.clear();
      this.#bridge.clear();
      this.stream.listen(this.#mixer, this.#bridge);
      this.stream.speak(this.#microphone, this.#bridge);
    }
    return this.#end();
  }

  #end(): string {
    const before = this.#before;
    const after = this.stream.statistics;
    this.#before = after;
    const { bufferMs, mos = 1, remoteMos = 1, roundTripMs = 0, remoteLossFraction = 0, jitterMs } = after;
    if (!(bufferMs >= 0 && Number.isFinite(bufferMs))) throw new Error(`a buffer of ${bufferMs} ms`);
    if (!(mos >= 1 && mos <= 4.5 && remoteMos >= 1 && remoteMos <= 5))
      throw new Error(`MOS ${mos}, ${remoteMos} there`);
    if (!(roundTripMs >= 0 && remoteLossFraction < 1 && jitterMs >= 0)) throw new Error('a figure that cannot be');
    if (this.#keys.splice(0).some(key => !/^[0-9*#A-D]$/.test(key))) throw new Error('a key that is none');
    if ((after.srtp?.refusedPackets ?? 0) > (before.srtp?.refusedPackets ?? 0)) return 'refused';
    if (after.receivedPackets > before.receivedPackets) return 'heard';
    return after.malformedPackets > before.malformedPackets ? 'malformed' : 'taken';
  }

  finish() {
    const random = seeded(1);
    const before = this.stream.statistics.receivedPackets;
    for (let count = 0; count < 200; count++) this.#hear(this.#rtp(random), seeded(2), false);
    if (this.stream.statistics.receivedPackets < before + 100) throw new Error('a good peer is not heard any more');
    this.stream.close(() => {});
  }
}

let lines = 0;

const target = (name: string, share: number, hearsReports: boolean, isSecure: boolean) =>
  listening(
    name,
    share,
    () => new Line(hearsReports, isSecure ? suiteList[lines % suiteList.length] : undefined, ++lines),
  );

/** RTP with telephone-events and comfort noise; RTCP with extended reports; both encrypted. */
export const rtp = target('rtp', 2, false, false);
export const rtcp = target('rtcp', 1, true, false);
export const srtp = target('srtp', 1, false, true);
export const srtcp = target('srtcp', 1, true, true);
