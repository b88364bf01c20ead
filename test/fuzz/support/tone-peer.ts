/** A peer that sends a steady tone, packet after packet, in clear or encrypted; and a device that hears it beside whatever else comes. */
import { chooseOpus } from '../../../firmware/audio/codecs/opus.ts';
import { makeCodecs } from '../../../firmware/media/codecs.ts';
import type { CodecChoice, StreamSettings } from '../../../firmware/media/protocol.ts';
import { parseRtp, type RtpHeader, writeRtp } from '../../../firmware/rtp/packet.ts';
import { SrtpSender } from '../../../firmware/rtp/srtp/srtp.ts';
import { LONGEST_TRAILER_BYTES, type SuiteName, suites } from '../../../firmware/rtp/srtp/suite.ts';
import { PCMA, type Phone, World } from '../../sim/phone.ts';
import { sine } from '../../sim/tone.ts';
import { settings } from './sounding.ts';

export const DEVICE_RATE = 16_000;
/** No packet holds whole waves of it: what is cut out or comes twice does not fit by chance. */
export const HZ = 431;
export const LOUD = 8_000;
export const PACKET_MS = 20;
export const PEER = { host: '192.0.2.2', port: 4_000 };
const DEVICE = { host: '192.0.2.1', port: 20_000 };
const opus = await chooseOpus(DEVICE_RATE);
const codecs = makeCodecs(opus, settings.opus);

/** Both ways the same keys, turned round: enough for a peer that is simulated. */
export function keysOf(suite: SuiteName) {
  const { keyBytes, saltBytes } = suites[suite];
  const theirs = Uint8Array.from({ length: keyBytes + saltBytes }, (_, index) => index + 1);
  const sender = () => new SrtpSender({ suite, key: theirs.subarray(0, keyBytes), salt: theirs.subarray(keyBytes) });
  return { crypto: { suite, ours: theirs.slice().reverse(), theirs }, sender };
}

export class TonePeer {
  readonly world = new World();
  readonly device: Phone;
  /** Of the device's own packets. */
  deviceSsrc = 0;
  readonly #sender: SrtpSender | undefined;
  /** As they were sent. */
  readonly sent: Uint8Array[] = [];
  sequence = 0xffe0;
  timestamp = 0xffff_f000;
  ssrc = 7;
  #samples = 0;

  constructor({ suite, changes = {} }: { suite?: SuiteName | undefined; changes?: Partial<StreamSettings> } = {}) {
    const keys = suite && keysOf(suite);
    this.#sender = keys?.sender();
    this.world.network.onSend = (bytes, from) => {
      const isSound = from.host === DEVICE.host && from.port === DEVICE.port;
      if (isSound) this.deviceSsrc = parseRtp(bytes)?.ssrc ?? this.deviceSsrc;
    };
    this.device = this.world.phone(DEVICE.host, { opus, rate: DEVICE_RATE });
    this.world.open(this.device);
    const remote = { host: PEER.host, rtpPort: PEER.port, rtcpPort: PEER.port + 1 };
    const crypto = keys && { crypto: keys.crypto };
    const stream: StreamSettings = {
      direction: 'sendrecv',
      remote,
      codec: PCMA,
      telephoneEvent: 101,
      ...crypto,
      ...changes,
    };
    this.device.send({ do: 'start', stream: 'call', settings: stream });
    this.world.run(0);
  }

  readonly #encoders = new Map<CodecChoice, ReturnType<typeof codecs.encoder>>();

  /** The next of the tone, so long. */
  payload(codec: CodecChoice = PCMA, ms = PACKET_MS): Uint8Array<ArrayBuffer> {
    const encoder = this.#encoders.get(codec) ?? codecs.encoder(codec);
    this.#encoders.set(codec, encoder);
    const samples = (encoder.rate * ms) / 1000;
    const from = (this.#samples * encoder.rate) / 48_000;
    // The tone has whole waves in a second.
    const tone = sine(HZ, LOUD, encoder.rate, 2);
    const into = new Uint8Array(1_500);
    const length = encoder.encode(tone.subarray(from % encoder.rate, (from % encoder.rate) + samples), into);
    this.#samples += 48 * ms;
    return into.slice(0, length);
  }

  /** The next packet, encrypted where the call is. */
  packet(payload: Uint8Array, changes: Partial<RtpHeader> = {}, ticks = 160): Uint8Array<ArrayBuffer> {
    const header = {
      payloadType: 8,
      marker: false,
      sequence: this.sequence,
      timestamp: this.timestamp,
      ssrc: this.ssrc,
    };
    this.sequence = (this.sequence + 1) & 0xffff;
    this.timestamp = (this.timestamp + ticks) >>> 0;
    const packet = new Uint8Array(12 + payload.length + LONGEST_TRAILER_BYTES);
    const length = writeRtp(packet, { ...header, ...changes }, payload);
    return packet.slice(0, this.#sender?.protect(packet, length) ?? length);
  }

  /** A datagram to the device. */
  send(bytes: Uint8Array, from = PEER, toRtcp = false) {
    // What is decrypted in place must not change what is sent again.
    this.world.network.send(bytes.slice(), from, { host: DEVICE.host, port: DEVICE.port + (toRtcp ? 1 : 0) });
  }

  /** Another packet of the tone. */
  talk() {
    const packet = this.packet(this.payload());
    this.sent.push(packet);
    this.send(packet);
  }
}
