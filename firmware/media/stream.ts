/** One call's sound: its RTP session, what it sends, what it hears, whom it talks to. No I/O of its own. */
import type { Bridge } from '../audio/bridge.ts';
import { DtmfDetector } from '../audio/dtmf-detector.ts';
import { frameSamples } from '../audio/frame.ts';
import type { Chain } from '../audio/graph.ts';
import type { Mixer } from '../audio/mixer.ts';
import { type Address, printAddress, sameAddress } from '../lib/address.ts';
import { emptyPacket, looksLikeRtcp, parseRtp } from '../rtp/packet.ts';
import { Mouth } from './mouth.ts';
import type { Player } from './player.ts';
import type { Company, StreamId, StreamSettings, StreamStatistics } from './protocol.ts';
import { qualityOf } from './quality.ts';
import { COMFORT_NOISE } from './receiving.ts';
import { type Recorded, Recordings } from './recordings.ts';
import { type StreamOptions, StreamParts } from './stream-parts.ts';
import { hears, speaks } from './stream-settings.ts';
import { Tally } from './tally.ts';

export class Stream {
  readonly id: StreamId;
  readonly #options: StreamOptions;
  readonly #mouth: Mouth;
  readonly #packet = emptyPacket();
  readonly #heardFrame: Int16Array;
  /** This frame has something of the peer in `#heardFrame`. */
  #voice = false;
  #company: Company = 'device';
  readonly #recordings: Recordings;
  #call: StreamParts | undefined;
  readonly #tally = new Tally();
  /** Listens for keys in the sound. */
  readonly #detector: DtmfDetector;
  #heard = false;
  #lastHeardMs = 0;
  #saidSilent = false;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.id = options.id;
    this.#heardFrame = new Int16Array(frameSamples(options.rate));
    this.#recordings = new Recordings(options.files, options.rate, why =>
      options.emit({ is: 'failed', stream: options.id, doing: 'record', why }),
    );
    this.#detector = new DtmfDetector(options.rate, (key, durationMs) =>
      options.emit({ is: 'dtmf', stream: options.id, key, durationMs, by: 'audio' }),
    );
    this.#mouth = new Mouth(options.rate, (id, why) => options.emit({ is: 'played', id, ...(why && { why }) }));
  }

  /** What the far end hears in place of the microphone. */
  get player(): Player {
    return this.#mouth.player;
  }

  mute(muted: boolean) {
    this.#mouth.muted = muted;
  }

  connect(company: Company) {
    this.#company = company;
    this.#mouth.alone = company === 'nobody';
  }

  /** Starts, or goes on with changed settings: what has not changed is not heard to change. Throws for a codec unknown here. */
  start(settings: StreamSettings) {
    this.#lastHeardMs = this.#options.clock.now();
    this.#saidSilent = false;
    if (this.#call === undefined) this.#call = new StreamParts(this.#options, this.#tally, settings);
    else this.#call.negotiated(settings);
    if (!this.#seeksKeys(settings)) this.#detector.reset();
  }

  // ---- from the network --------------------------------------------------------------------------------------

  onRtp(bytes: Uint8Array, from: Address, arrivedMs = this.#options.clock.now()) {
    const call = this.#call;
    // Before the answer there is nobody whose packets these could be.
    if (call === undefined) return;
    if (looksLikeRtcp(bytes)) return this.onRtcp(bytes, from);
    const plain = call.protection === undefined ? bytes : call.protection.open(bytes);
    if (plain === undefined) return;
    const packet = parseRtp(plain, this.#packet);
    const { receiving, session, settings, events } = call;
    if (packet === undefined) {
      this.#tally.malformed++;
      return;
    }
    const { payloadType } = packet;
    const { telephoneEvent, keysHeardAs = telephoneEvent } = settings;
    // A peer with a number of its own should send ours; its own is understood too where it means nothing else.
    const isEvent = payloadType === keysHeardAs || (payloadType === telephoneEvent && !receiving.takes(payloadType));
    const isNoise = payloadType === COMFORT_NOISE;
    if (!isEvent && !isNoise && !receiving.takes(payloadType)) {
      this.#tally.malformed++;
      // Not understood, but its sequence number is not missing either.
      const isPeer = sameAddress(from, call.remote.rtp);
      if (isPeer && session.received(packet, arrivedMs) === 'ok') receiving.pass(packet, arrivedMs);
      return;
    }
    if (!call.remote.heard(from, arrivedMs, call.protection !== undefined)) {
      this.#tally.malformed++;
      return;
    }
    if (session.received(packet, arrivedMs) !== 'ok') return;
    if (packet.ssrc !== call.ssrc) {
      // Another source has another time line (RFC 3550 §5.1), on which no key goes on.
      call.ssrc = packet.ssrc;
      events.reset();
    }
    this.#alive(arrivedMs);
    if (!this.#heard) {
      this.#heard = true;
      this.#options.emit({ is: 'heard', stream: this.id, from: printAddress(from) });
    }
    if (isEvent) {
      if (!events.receive(packet.payload, packet.timestamp, arrivedMs)) this.#tally.malformed++;
      receiving.pass(packet, arrivedMs);
    } else if (isNoise) {
      if (hears(settings) && !receiving.quiet(packet, arrivedMs)) this.#tally.malformed++;
    } else if (hears(settings)) {
      receiving.push(packet, arrivedMs);
    }
  }

  onRtcp(bytes: Uint8Array, from: Address) {
    const call = this.#call;
    if (call === undefined) return;
    const nowMs = this.#options.clock.now();
    const plain = call.protection === undefined ? bytes : call.protection.openReport(bytes);
    if (plain === undefined) return;
    if (!call.remote.heardRtcp(from) || !call.session.receivedRtcp(plain, nowMs)) {
      this.#tally.malformed++;
      return;
    }
    const { session, sending } = call;
    sending.reported(session.seenByPeer, (session.seenByPeer?.fractionLost ?? 0) / 256);
    this.#alive(nowMs);
  }

  #alive(nowMs: number) {
    this.#lastHeardMs = nowMs;
  }

  // ---- at every frame ----------------------------------------------------------------------------------------

  /** A call that somebody here is in. */
  get isHeardHere(): boolean {
    return this.#call !== undefined && this.#company !== 'nobody';
  }

  /** A call that nobody here is in for now. */
  get isOnHold(): boolean {
    return this.#call !== undefined && this.#company === 'nobody';
  }

  /** First of all streams: one frame of the peer to where it is heard. */
  listen(mixer: Mixer, bridge: Bridge) {
    const call = this.#call;
    this.#voice = false;
    if (call === undefined || !hears(call.settings)) return;
    const frame = this.#heardFrame;
    this.#voice = call.receiving.read(frame, this.#options.clock.now());
    this.#recordings.received(frame);
    if (this.#seeksKeys(call.settings)) this.#detector.process(frame);
    if (!this.#voice || this.#company === 'nobody') return;
    mixer.add(frame);
    if (this.#company === 'all') bridge.add(frame);
  }

  /** What the peer has said in this frame; undefined: nothing. */
  get voice(): Int16Array | undefined {
    return this.#voice ? this.#heardFrame : undefined;
  }

  #seeksKeys(settings: StreamSettings): boolean {
    const { keysInSound } = this.#options.settings;
    if (!hears(settings) || keysInSound === 'never') return false;
    return keysInSound === 'always' || settings.telephoneEvent === undefined;
  }

  /** Then of all streams: one frame of the microphone, and of those it talks with, to the peer. */
  speak(microphone: Int16Array, bridge: Bridge) {
    const call = this.#call;
    if (call === undefined) return;
    const nowMs = this.#options.clock.now();
    this.#speak(call, this.#company === 'all' ? this.#among(bridge, microphone) : microphone, nowMs);
    call.events.tick(nowMs);
    this.#report(call, call.session.rtcp(nowMs));
    this.#watch(call, nowMs);
  }

  #report({ protection, remote, settings }: StreamParts, report: Uint8Array | undefined) {
    if (report === undefined) return;
    const { port } = this.#options;
    const { bytes, length } = protection?.protectReport(report) ?? { bytes: report, length: report.length };
    if (settings.rtcpMux) port.sendRtp(bytes, length, remote.rtp);
    else port.sendRtcp(bytes, length, remote.rtcp);
  }

  #among(bridge: Bridge, microphone: Int16Array) {
    return bridge.without(this.#voice ? this.#heardFrame : undefined, microphone);
  }

  #speak(call: StreamParts, sound: Int16Array, nowMs: number) {
    const frame = this.#mouth.frame(sound);
    if (!speaks(call.settings)) return call.sending.pause();
    this.#recordings.sent(frame);
    call.sending.frame(frame, nowMs);
  }

  #watch(call: StreamParts, nowMs: number) {
    const { silentAfterMs } = this.#options.settings;
    const forMs = nowMs - this.#lastHeardMs;
    if (this.#saidSilent || silentAfterMs === 0 || forMs < silentAfterMs) return;
    if (!hears(call.settings) || call.settings.mayBeSilent) return;
    this.#saidSilent = true;
    this.#options.emit({ is: 'silent', stream: this.id, forMs: Math.round(forMs) });
  }

  // ---- asked for ---------------------------------------------------------------------------------------------

  /** Returns why not, or undefined. */
  sendKeys(keys: string, toneMs: number, gapMs: number): string | undefined {
    if (this.#call === undefined) return 'the stream has not started';
    return this.#call.sending.queueKeys(keys, toneMs, gapMs);
  }

  record(what: Recorded, file: string) {
    this.#recordings.begin(what, file);
  }

  /** Says BYE and lets everything go; `closed` when the recordings are on disk. */
  close(closed: () => void) {
    const call = this.#call;
    if (call !== undefined) this.#report(call, call.session.bye(this.#options.clock.now()));
    this.#options.port.close();
    this.player.close('the stream was closed');
    const statistics = this.statistics;
    call?.close();
    this.#call = undefined;
    this.#options.emit({ is: 'closed', stream: this.id, statistics });
    this.#recordings.close(closed);
  }

  get statistics(): StreamStatistics {
    const call = this.#call;
    const statistics = this.#tally.statistics(call && { ...call, codec: call.settings.codec.name });
    return call === undefined ? statistics : { ...statistics, ...qualityOf(call) };
  }

  /** Its ways through the device. */
  chains(): Chain[] {
    const call = this.#call;
    if (call === undefined) return [];
    const rtp = {
      name: `${call.protection === undefined ? 'rtp' : 'srtp'} ${this.id}`,
      detail: () => printAddress(call.remote.rtp),
    };
    const codecOut = { name: 'encode', detail: () => call.sending.describe() };
    const codecIn = { name: 'decode', detail: () => call.receiving.describe() };
    const buffer = { name: 'buffer', detail: () => `${Math.round(call.receiving.bufferMs)} ms` };
    const mouth = { name: `${this.#mouth.describe()}${this.#company === 'all' ? ' and bridge' : ''}` };
    const ear = this.#company === 'all' ? 'mixer and bridge' : this.#company === 'nobody' ? 'nobody' : 'mixer';
    const chains: Chain[] = [];
    if (speaks(call.settings)) chains.push([mouth, codecOut, rtp]);
    if (hears(call.settings)) chains.push([rtp, buffer, codecIn, { name: ear }]);
    return chains;
  }
}
