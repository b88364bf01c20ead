/** From RTP to the loudspeaker: jitter buffer, decoder, concealment, and the pace between the peer's clock and ours. */
import { BAD_PAYLOAD, type Decoder } from '../audio/codecs/codec.ts';
import { ComfortNoise } from '../audio/comfort-noise.ts';
import { FRAME_MS, frameSamples, MAX_PACKET_MS, rms } from '../audio/frame.ts';
import { Pauses } from '../audio/pauses.ts';
import { type Resampler, resampler } from '../audio/resample.ts';
import { Seam } from '../audio/seam.ts';
import { lengthen, shorten } from '../audio/stretch.ts';
import { distance32 } from '../lib/serial.ts';
import { JitterBuffer } from '../rtp/jitter-buffer.ts';
import type { Losses } from '../rtp/loss-pattern.ts';
import type { RtpPacket } from '../rtp/packet.ts';
import type { Pull, Push } from '../rtp/pull.ts';
import { type Codecs, clockRateOf } from './codecs.ts';
import type { CodecChoice, CodecName } from './protocol.ts';

/** Sound is invented for at most so long when nothing comes; then there is silence. */
const MAX_INVENTED_MS = 120;
/**
 * Opus sends a packet each 400 ms while it is silent (RFC 7587 §3.1.3), and its decoder goes on with that noise: holes in
 * it would pump. Twice that, and one more may be lost.
 */
const MAX_SILENCE_MS = 1000;
/** Softer than this is silence. Samples. −45 dB of full scale. */
const QUIET_RMS = 184;

/** Opus conceals in multiples of this (RFC 6716 §2.1.4: its shortest frame), and G.711 does not mind. */
const CONCEALED_STEP_MS = 2.5;

/** RTP time that is missing, or comes twice, between two packets that are played one behind the other: less is not heard. */
const CUT_MS = 2.5;

/**
 * More than this is cut from a voice too, in packet times; less only from its pauses, since who measures a steady tone
 * hears each cut: 2 dB at no loss, more at 20 %.
 */
const CUT_ANYWHERE_PACKETS = 1.25;

/** Static (RFC 3551 §6), and understood whether it was agreed or not: who sends it is silent. */
export const COMFORT_NOISE = 13;

/** Where packets wait: for a call as short as its network allows, for a page until all speakers play it. */
export interface PacketBuffer {
  readonly counters: { readonly late: number };
  readonly pattern: { readonly losses: Losses };
  readonly delayMs: number;
  push(packet: RtpPacket, nowMs: number): Push;
  pass(packet: RtpPacket, nowMs: number): Push;
  /** What is next, as it will be played `readyMs` after `nowMs`. */
  pull(nowMs: number, readyMs: number): Pull;
  reset(): void;
}

/** A payload type, its decoder, and the way to the device's rate. */
interface Reception {
  name: CodecName;
  decoder: Decoder;
  resampler: Resampler;
  buffer: PacketBuffer;
  ticksPerMs: number;
}

export interface ReceivingOptions {
  /** What the peer may send: the negotiated codec first. */
  choices: readonly CodecChoice[];
  codecs: Codecs;
  /** Samples per second of the frames asked for. */
  rate: number;
  jitter: { minMs: number; maxMs: number };
  /** Another buffer than that of a call, for RTP of this clock rate. */
  makeBuffer?: ((clockRate: number) => PacketBuffer) | undefined;
}

export class Receiving {
  readonly #receptions = new Map<number, Reception>();
  /** The one that the peer uses now. */
  #active: Reception;
  /** The one that was heard last. */
  #sounding: Reception;
  readonly #seam: Seam;
  /** A packet was heard last. If not, its decoder knows that something is missing since. */
  #goesOn = false;
  /** RTP time at which it does. */
  #goesOnAt = 0;
  /** By so much the peer's time is away from that each time. RTP time. */
  #usualGap = 0;
  readonly #decoded: Int16Array;
  readonly #converted: Int16Array;
  /** Sound at the device's rate that waits for its frame. */
  readonly #ready: Int16Array;
  readonly #readyPerMs: number;
  #readyCount = 0;
  /** Something of the stream has been played. */
  #began = false;
  /** Invented since the last real sound, milliseconds. */
  #inventedMs = 0;
  #inventLimitMs = MAX_INVENTED_MS;
  #packetMs = 20;
  readonly #noise = new ComfortNoise();
  readonly #pauses = new Pauses();
  /** The peer has said that it is silent, and how loud its silence is. */
  #isQuiet = false;
  /** RTP time of that. */
  #quietSince = 0;
  /** Its noise was heard last. */
  #isHushed = false;
  concealedFrames = 0;
  badPayloads = 0;

  /** Throws where a codec cannot be had. */
  constructor({ choices, codecs, rate, jitter, makeBuffer }: ReceivingOptions) {
    const buffers = new Map<number, PacketBuffer>();
    const made = makeBuffer ?? (clockRate => new JitterBuffer({ clockRate, ...jitter }));
    let fastest = rate;
    for (const { name, payloadType } of choices) {
      const clockRate = clockRateOf(name);
      // One clock, one buffer: between PCMA and PCMU a peer changes without a gap.
      const buffer = buffers.get(clockRate) ?? made(clockRate);
      buffers.set(clockRate, buffer);
      const decoder = this.#decoder(codecs, name);
      fastest = Math.max(fastest, decoder.rate);
      this.#receptions.set(payloadType, {
        name,
        decoder,
        resampler: resampler(decoder.rate, rate, (decoder.rate * MAX_PACKET_MS) / 1000),
        buffer,
        ticksPerMs: clockRate / 1000,
      });
    }
    this.#active = this.#receptions.get(choices[0]!.payloadType)!;
    this.#sounding = this.#active;
    this.#seam = new Seam(rate);
    this.#decoded = new Int16Array((fastest * MAX_PACKET_MS) / 1000);
    this.#converted = new Int16Array((rate * MAX_PACKET_MS) / 1000 + 1);
    this.#readyPerMs = rate / 1000;
    this.#ready = new Int16Array(frameSamples(rate) + this.#converted.length);
  }

  /** Those before it are let go where it cannot be had. */
  #decoder(codecs: Codecs, name: CodecName): Decoder {
    try {
      return codecs.decoder(name);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** What is pulled comes out so much later. */
  get lagMs(): number {
    return this.#active.resampler.delayMs;
  }

  describe(): string {
    return `${this.#active.name} ${this.#active.decoder.rate / 1000} kHz`;
  }

  get bufferMs(): number {
    return this.#active.buffer.delayMs;
  }

  /** What was lost of the stream as it is played. */
  get losses(): Losses {
    return this.#active.buffer.pattern.losses;
  }

  /** What the last packet held, milliseconds. */
  get packetMs(): number {
    return this.#packetMs;
  }

  get latePackets(): number {
    return this.#active.buffer.counters.late;
  }

  /** True for a payload type of sound that was negotiated. */
  takes(payloadType: number): boolean {
    return this.#receptions.has(payloadType);
  }

  push(packet: RtpPacket, nowMs: number) {
    const reception = this.#receptions.get(packet.payloadType)!;
    // Another clock is another time line: what the old one still holds is given up.
    if (reception.buffer !== this.#active.buffer) {
      this.#active.buffer.reset();
      this.#active = reception;
    }
    reception.buffer.push(packet, nowMs);
  }

  /** A packet of the stream without sound. */
  pass(packet: RtpPacket, nowMs: number) {
    this.#active.buffer.pass(packet, nowMs);
  }

  /** The peer falls silent (RFC 3389): what is here is played, then noise. False: the payload is none. */
  quiet(packet: RtpPacket, nowMs: number): boolean {
    this.#active.buffer.pass(packet, nowMs);
    const isNoise = this.#noise.set(packet.payload);
    if (!isNoise) return false;
    this.#isQuiet = true;
    this.#quietSince = packet.timestamp;
    return true;
  }

  /** Forgets what has come: the stream pauses. */
  reset() {
    this.#active.buffer.reset();
    this.forgetReady();
  }

  /** Forgets what has been decoded. */
  forgetReady() {
    this.#readyCount = 0;
    this.#began = false;
    this.#isQuiet = false;
    this.#isHushed = false;
    this.#goesOn = false;
    this.#seam.forget();
    this.#inventedMs = 0;
  }

  /** Fills one frame; false when the stream has nothing to say, and the frame is silence. */
  read(frame: Int16Array, nowMs: number): boolean {
    while (this.#readyCount < frame.length) {
      const before = this.#readyCount;
      this.#more(nowMs);
      if (this.#readyCount === before) break;
    }
    const count = Math.min(frame.length, this.#readyCount);
    for (let index = 0; index < count; index++) frame[index] = this.#ready[index]!;
    if (count < frame.length) frame.fill(0, count);
    this.#ready.copyWithin(0, count, this.#readyCount);
    this.#readyCount -= count;
    return count > 0;
  }

  /** Adds a packet's worth to what is ready; nothing when there is nothing to be heard. */
  #more(nowMs: number) {
    const { buffer, resampler } = this.#active;
    const pull = buffer.pull(nowMs, this.#readyCount / this.#readyPerMs + resampler.delayMs);
    switch (pull.is) {
      case 'packet':
        return this.#decode(pull);
      case 'lost':
        return this.#recover(pull);
      case 'wait':
        if (this.#isQuiet) return this.#hush();
        return this.#began ? this.#invent(pull.forMs ?? FRAME_MS) : undefined;
    }
  }

  #hush() {
    if (!this.#isHushed && this.#began) this.#sew(this.#sounding);
    this.#isHushed = true;
    const samples = samplesIn(FRAME_MS, this.#sounding.decoder);
    this.#noise.fill(this.#decoded, samples);
    this.#add(samples);
  }

  /** What is heard now breaks off: it goes on for a moment beneath what comes next, of this reception. */
  #sew(next: Reception) {
    const { decoder, resampler } = this.#sounding;
    const samples = samplesIn(Seam.MS, decoder);
    if (this.#isHushed) this.#noise.fill(this.#decoded, samples);
    else if (this.#inventedMs >= this.#inventLimitMs) this.#decoded.fill(0, 0, samples);
    else decoder.conceal(this.#decoded, samples);
    this.#seam.begin(this.#converted, resampler.process(this.#decoded, samples, this.#converted));
    this.#isHushed = false;
    if (next === this.#sounding) return;
    // What it holds was heard before something else was.
    next.resampler.reset();
    this.#sounding = next;
  }

  /** The packet does not go on where the one before it ended. A peer that counts in a way of its own does so each time. */
  #isCut(timestamp: number): boolean {
    if (!this.#goesOn) return false;
    const gap = distance32(timestamp, this.#goesOnAt);
    const isUsual = Math.abs(gap) < CUT_MS * this.#active.ticksPerMs || gap === this.#usualGap;
    this.#usualGap = gap;
    return !isUsual;
  }

  #decode(pull: Extract<Pull, { is: 'packet' }>) {
    this.#active = this.#receptions.get(pull.payloadType) ?? this.#active;
    const { decoder, ticksPerMs } = this.#active;
    const isCut = this.#isCut(pull.timestamp) || this.#isHushed || this.#active !== this.#sounding;
    if (isCut && this.#began) this.#sew(this.#active);
    this.#sounding = this.#active;
    this.#isHushed = false;
    const samples = decoder.decode(pull.payload, this.#decoded);
    if (samples === BAD_PAYLOAD) {
      this.badPayloads++;
      return this.#invent(this.#packetMs);
    }
    this.#began = true;
    this.#goesOn = true;
    this.#goesOnAt = Math.round(pull.timestamp + (samples * 1000 * ticksPerMs) / decoder.rate) >>> 0;
    // What was sent before the silence is played after it was told.
    if (distance32(pull.timestamp, this.#quietSince) >= 0) this.#isQuiet = false;
    this.#inventedMs = 0;
    this.#packetMs = (samples * 1000) / decoder.rate;
    const isSilent = this.#active.name === 'opus' && rms(this.#decoded, 0, samples) < QUIET_RMS;
    this.#inventLimitMs = isSilent ? MAX_SILENCE_MS : MAX_INVENTED_MS;
    this.#add(this.#fitted(samples, pull.spareMs));
  }

  /** Makes what was decoded as long as the buffer would have it, where nobody hears it. */
  #fitted(samples: number, spareMs: number): number {
    const { rate } = this.#active.decoder;
    const isPause = this.#pauses.isPause(this.#decoded, samples, this.#packetMs);
    if (spareMs < 0) return lengthen(this.#decoded, samples, rate, { isPause, mostMs: MAX_PACKET_MS - this.#packetMs });
    if (spareMs > CUT_ANYWHERE_PACKETS * this.#packetMs) return shorten(this.#decoded, samples, rate, { isPause });
    if (!isPause || spareMs === 0) return samples;
    // It is pulled frame by frame: less than one is not gained, and what is ready waits for nothing.
    const mostMs = Math.floor(spareMs / FRAME_MS) * FRAME_MS + this.#readyCount / this.#readyPerMs;
    return shorten(this.#decoded, samples, rate, { isPause, mostMs });
  }

  #recover({ durationTicks, following, followingType }: Extract<Pull, { is: 'lost' }>) {
    const { decoder, ticksPerMs } = this.#active;
    const steps = Math.round(durationTicks / ticksPerMs / CONCEALED_STEP_MS);
    const lostMs = Math.min(MAX_PACKET_MS, Math.max(1, steps) * CONCEALED_STEP_MS);
    if (following === undefined || this.#receptions.get(followingType) !== this.#active) return this.#invent(lostMs);
    this.concealedFrames += lostMs / FRAME_MS;
    this.#goesOn = false;
    if (this.#sounding !== this.#active) this.#sew(this.#active);
    this.#add(decoder.recover(following, this.#decoded, samplesIn(lostMs, decoder)));
  }

  #invent(ms: number) {
    this.#goesOn = false;
    const { decoder } = this.#sounding;
    if (this.#inventedMs >= this.#inventLimitMs) {
      // Silence, but as long as what was lost, so that the pace is kept.
      const samples = samplesIn(ms, decoder);
      this.#decoded.fill(0, 0, samples);
      return this.#add(samples);
    }
    this.concealedFrames += ms / FRAME_MS;
    const samples = decoder.conceal(this.#decoded, samplesIn(ms, decoder));
    this.#inventedMs += ms;
    if (this.#inventedMs >= this.#inventLimitMs) fadeOut(this.#decoded, samples);
    this.#add(samples);
  }

  #add(samples: number) {
    const made = this.#sounding.resampler.process(this.#decoded, samples, this.#converted);
    this.#seam.close(this.#converted, made);
    for (let index = 0; index < made; index++) this.#ready[this.#readyCount + index] = this.#converted[index]!;
    this.#readyCount += made;
  }

  close() {
    for (const { decoder } of this.#receptions.values()) decoder.close();
  }
}

const samplesIn = (ms: number, { rate }: Decoder) => Math.round((ms * rate) / 1000);

function fadeOut(samples: Int16Array, count: number) {
  for (let index = 0; index < count; index++) samples[index] = Math.round(samples[index]! * (1 - (index + 1) / count));
}
