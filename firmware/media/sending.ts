/** From the microphone to RTP: packets of the negotiated length, and keys in place of sound while one is sent. */
import type { Encoder } from '../audio/codecs/codec.ts';
import { FRAME_MS, frameSamples, MAX_PACKET_MS } from '../audio/frame.ts';
import { type Resampler, resampler } from '../audio/resample.ts';
import { RTP_HEADER_BYTES, writeRtp } from '../rtp/packet.ts';
import type { RtpSession } from '../rtp/session.ts';
import { LONGEST_TRAILER_BYTES } from '../rtp/srtp/suite.ts';
import { isKey, TelephoneEventSender } from '../rtp/telephone-event.ts';
import { type Codecs, clockRateOf } from './codecs.ts';
import { Hush } from './hush.ts';
import { LossExpectation } from './loss-expectation.ts';
import type { CodecChoice } from './protocol.ts';
import { COMFORT_NOISE } from './receiving.ts';

/** Largest payload sent, bytes: what an Ethernet frame holds beside IPv6, UDP and RTP headers. */
const MAX_PAYLOAD_BYTES = 1440;
/** Keys that wait to be sent. */
export const MAX_QUEUED_KEYS = 64;

interface QueuedKeys {
  keys: string;
  /** The next of them. */
  at: number;
  toneMs: number;
  gapMs: number;
}

export interface SendingOptions {
  codec: CodecChoice;
  codecs: Codecs;
  session: RtpSession;
  /** Samples per second of the frames given. */
  rate: number;
  send(packet: Uint8Array, length: number): void;
  onKeysSent(keys: string): void;
}

export class Sending {
  readonly codec: CodecChoice;
  /** The events' payload type; undefined: the peer takes none. */
  telephoneEvent: number | undefined;
  readonly #session: RtpSession;
  readonly #encoder: Encoder;
  readonly #resampler: Resampler;
  readonly #send: (packet: Uint8Array, length: number) => void;
  readonly #onKeysSent: (keys: string) => void;
  readonly #ticksPerMs: number;
  readonly #ptimeMs: number;
  readonly #frame: Int16Array;
  readonly #samples: Int16Array;
  readonly #payload = new Uint8Array(MAX_PAYLOAD_BYTES);
  readonly #packet = new Uint8Array(RTP_HEADER_BYTES + MAX_PAYLOAD_BYTES + LONGEST_TRAILER_BYTES);
  readonly #event: TelephoneEventSender;
  /** Decides what need not be sent; undefined: all is, or the codec decides. */
  readonly #hush: Hush | undefined;
  /** Undefined: no copies are sent. */
  readonly #losses: LossExpectation | undefined;
  #reportedBy: unknown;
  /** Samples of the packet that are there. */
  #filled = 0;
  /** The next packet of sound is the first after silence (RFC 3551 §4.1). */
  #marker = true;
  readonly #queue: QueuedKeys[] = [];
  /** Packet times of silence still to come between two keys. */
  #gapPackets = 0;

  /** Throws where the codec cannot be had. */
  constructor(options: SendingOptions) {
    const { codec, rate } = options;
    this.codec = codec;
    this.#session = options.session;
    this.#send = options.send;
    this.#onKeysSent = options.onKeysSent;
    this.#encoder = options.codecs.encoder(codec);
    this.#resampler = resampler(rate, this.#encoder.rate, frameSamples(rate));
    this.#ptimeMs = packetTimeMs(codec);
    this.#frame = new Int16Array(frameSamples(this.#encoder.rate));
    this.#samples = new Int16Array((this.#encoder.rate * this.#ptimeMs) / 1000);
    this.#ticksPerMs = clockRateOf(codec.name) / 1000;
    this.#hush = codec.silence && codec.name !== 'opus' ? new Hush() : undefined;
    this.#losses = codec.fec ? new LossExpectation(options.codecs.expectedLoss) : undefined;
    this.#event = new TelephoneEventSender(this.#ptimeMs * this.#ticksPerMs);
  }

  /** What the graph says of it. */
  describe(): string {
    const copies = this.#losses === undefined ? '' : `, copies for ${this.#losses.percent} % loss`;
    return `${this.codec.name} ${this.#encoder.rate / 1000} kHz ${this.#ptimeMs} ms${copies}`;
  }

  /** One frame of sound. Sends a packet when it makes one full. */
  frame(frame: Int16Array, nowMs: number) {
    const count = this.#resampler.process(frame, frame.length, this.#frame);
    // As loud as it would be sent: a narrow codec passes half of the noise.
    this.#hush?.hear(this.#frame);
    this.#samples.set(this.#frame, this.#filled);
    this.#filled += count;
    if (this.#filled < this.#samples.length) return;
    this.#filled = 0;
    this.#packetTime(nowMs);
    this.#session.advance(this.#ptimeMs * this.#ticksPerMs);
  }

  /** A frame in which nothing may be sent: time goes on. */
  pause() {
    this.#session.advance((FRAME_MS + (this.#filled * 1000) / this.#encoder.rate) * this.#ticksPerMs);
    this.#filled = 0;
    this.#marker = true;
  }

  #packetTime(nowMs: number) {
    if (this.#sendKey(nowMs)) {
      this.#marker = true;
      return;
    }
    const due = this.#hush?.packet(nowMs) ?? 'sound';
    const payloadType = due === 'noise' ? COMFORT_NOISE : this.codec.payloadType;
    const bytes = due === 'nothing' ? 0 : this.#payloadOf(due);
    // What follows silence is marked (RFC 3551 §4.1); word of silence is not (RFC 3389 §4).
    if (due !== 'sound' || bytes === 0) this.#marker = true;
    if (bytes === 0) return;
    const header = this.#session.nextHeader(nowMs, payloadType, bytes, due === 'sound' && this.#marker);
    if (due === 'sound') this.#marker = false;
    this.#send(this.#packet, writeRtp(this.#packet, header, this.#payload, bytes));
  }

  #payloadOf(due: 'sound' | 'noise'): number {
    return due === 'noise'
      ? (this.#hush?.write(this.#payload) ?? 0)
      : this.#encoder.encode(this.#samples, this.#payload);
  }

  /** A report of the far end, if there is one: copies are made for what it loses. */
  reported(by: object | undefined, lostShare: number) {
    if (by === undefined || by === this.#reportedBy) return;
    this.#reportedBy = by;
    const percent = this.#losses?.report(lostShare);
    if (percent !== undefined) this.#encoder.expectLoss?.(percent);
  }

  // ---- keys --------------------------------------------------------------------------------------------------

  /** Returns why not, or undefined. */
  queueKeys(keys: string, toneMs: number, gapMs: number): string | undefined {
    if (this.telephoneEvent === undefined) return 'the peer takes no keys (RFC 4733 telephone-event)';
    const wrong = [...keys].find(key => !isKey(key));
    if (wrong !== undefined || keys === '') return `'${wrong ?? ''}' is no key: 0-9, *, #, A-D are`;
    if (this.keysWaiting + keys.length > MAX_QUEUED_KEYS) return `more than ${MAX_QUEUED_KEYS} keys would wait`;
    this.#queue.push({ keys, at: 0, toneMs, gapMs });
    return undefined;
  }

  get keysWaiting(): number {
    return this.#queue.reduce((sum, { keys, at }) => sum + keys.length - at, 0);
  }

  /** True when this packet time belongs to a key. */
  #sendKey(nowMs: number): boolean {
    if (!this.#event.busy && !this.#beginKey()) return false;
    const packet = this.#event.step()!;
    const { payload, marker, timestamp } = packet;
    const header = this.#session.nextHeader(nowMs, this.telephoneEvent ?? 0, payload.length, marker, timestamp);
    this.#send(this.#packet, writeRtp(this.#packet, header, payload));
    if (!this.#event.busy) this.#endKey();
    return true;
  }

  /** Begins the next key if one waits and the gap is over. */
  #beginKey(): boolean {
    if (this.#gapPackets > 0) {
      this.#gapPackets--;
      return false;
    }
    const queued = this.#queue[0];
    if (queued === undefined || this.telephoneEvent === undefined) return false;
    this.#event.start(queued.keys[queued.at]!, queued.toneMs * this.#ticksPerMs, this.#session.timestamp);
    queued.at++;
    return true;
  }

  #endKey() {
    const queued = this.#queue[0]!;
    this.#gapPackets = Math.ceil(queued.gapMs / this.#ptimeMs);
    if (queued.at < queued.keys.length) return;
    this.#queue.shift();
    this.#onKeysSent(queued.keys);
  }

  close() {
    this.#encoder.close();
  }
}

/** The packet times that can be sent: whole frames, and for Opus what one Opus frame can be (RFC 6716 §2.1.4). */
const OPUS_PACKET_TIMES_MS = [60, 40, 20, 10];

/** The longest that can be sent and is no longer than what was negotiated. */
function packetTimeMs({ name, ptimeMs }: CodecChoice): number {
  if (name === 'opus') return OPUS_PACKET_TIMES_MS.find(time => time <= ptimeMs) ?? FRAME_MS;
  return Math.min(MAX_PACKET_MS, Math.max(FRAME_MS, Math.floor(ptimeMs / FRAME_MS) * FRAME_MS));
}
