/**
 * Many callers at once who cost the machine next to nothing: SIP by the user agent, and for sound packets that
 * were encoded beforehand, and a count of what comes. Media threads on both sides of 50 calls are more than two cores carry.
 */
import { createSocket, type Socket } from 'node:dgram';
import { loadLibopus } from '../../firmware/audio/codecs/libopus.ts';
import { loadOpusWasm } from '../../firmware/audio/codecs/opus-wasm.ts';
import { systemClock, wallClock } from '../../firmware/lib/clock.ts';
import { silentLog } from '../../firmware/lib/log.ts';
import { systemRandom } from '../../firmware/lib/random.ts';
import { clockRateOf, makeCodecs } from '../../firmware/media/codecs.ts';
import { RTP_HEADER_BYTES, writeRtp } from '../../firmware/rtp/packet.ts';
import type { Body, CallEnd, CallHandler } from '../../firmware/sip/contracts.ts';
import { systemResolve } from '../../firmware/sip/locate/system.ts';
import { UdpSocket } from '../../firmware/sip/transport/udp.ts';
import { UserAgent } from '../../firmware/sip/user-agent.ts';
import type { Bench } from '../peers/support/bench.ts';
import { sipPort } from '../peers/support/ports.ts';
import { HOST } from './porter.ts';
import { speech } from './speech.ts';

export type Codec = 'PCMA' | 'opus';

const PACKET_MS = 20;
const RATE = 16_000;
const MAX_CALLS = 100;
const MAX_PACKET_BYTES = 1_500;
/** The same work for everybody: who is offered this encodes so (RFC 7587 §6.1). */
const OPUS = { bitrate: 24_000, complexity: 5, expectedLoss: 10 };
const OFFERS: Readonly<Record<Codec, { payloadType: number; lines: readonly string[] }>> = {
  PCMA: { payloadType: 8, lines: ['a=rtpmap:8 PCMA/8000', 'a=rtpmap:101 telephone-event/8000'] },
  opus: {
    payloadType: 111,
    lines: [
      'a=rtpmap:111 opus/48000/2',
      `a=fmtp:111 useinbandfec=1;maxaveragebitrate=${OPUS.bitrate};maxplaybackrate=${RATE}`,
      'a=rtpmap:101 telephone-event/48000',
    ],
  },
};

/** One of them. */
export class Talker implements CallHandler {
  readonly index: number;
  readonly socket: Socket;
  state: 'calling' | 'talking' | 'ended' = 'calling';
  why = '';
  port = 0;
  payloadType = 0;
  sent = 0;
  /** Packets of sound that have come. */
  received = 0;

  /** `socket`: bound. */
  constructor(index: number, socket: Socket) {
    this.index = index;
    this.socket = socket;
    socket.on('message', () => this.received++);
    socket.on('error', () => {});
  }

  onProgress() {}

  onAnswered(body: Body | undefined) {
    const line = /^m=audio (\d+) \S+ (\d+)/m.exec(Buffer.from(body?.bytes ?? []).toString('latin1'));
    this.port = Number(line?.[1]);
    this.payloadType = Number(line?.[2]);
    this.state = 'talking';
  }

  onOffer(_body: Body | undefined, answer: { refuse(status: number): void }) {
    answer.refuse(488);
  }

  onReoffered() {}

  onRefresh(): Body {
    throw new Error('no call of the bench lasts so long');
  }

  onEnded(end: CallEnd) {
    this.state = 'ended';
    this.why = JSON.stringify(end);
  }
}

export class Talkers {
  readonly talkers: Talker[] = [];
  readonly #codec: Codec;
  readonly #userAgent: UserAgent;
  readonly #sip: UdpSocket;
  readonly #packets: readonly Uint8Array[];
  readonly #buffer = new Uint8Array(MAX_PACKET_BYTES);
  readonly #startedMs = performance.now();
  #timer: NodeJS.Timeout | undefined;
  /** Milliseconds that have been served. */
  #served = 0;

  private constructor(codec: Codec, packets: readonly Uint8Array[], port: number) {
    this.#codec = codec;
    this.#packets = packets;
    this.#sip = new UdpSocket({ host: HOST, port });
    const parts = { clock: systemClock, wallClock, random: systemRandom, log: silentLog, resolve: systemResolve };
    this.#userAgent = new UserAgent(
      { ...parts, transport: this.#sip },
      {
        accounts: [{ id: 'talker', aor: `sip:talker@${HOST}:${port}`, register: false, expiresMs: 300_000 }],
        product: 'PorterBench',
        maxCalls: MAX_CALLS,
        ringLimitMs: 30_000,
        maxRedirects: 0,
      },
      {
        onInvite() {
          throw new Error('nobody calls a talker');
        },
        onRegistration() {},
      },
    );
  }

  /** Stopped with the bench. */
  static async start(bench: Bench, codec: Codec): Promise<Talkers> {
    const talkers = new Talkers(codec, await spoken(codec), await sipPort());
    talkers.#begin();
    bench.onStop(() => talkers.#stop());
    return talkers;
  }

  #begin() {
    this.#sip.start(
      (bytes, from) => this.#userAgent.receive(bytes, from),
      why => {
        throw new Error(why);
      },
    );
    this.#userAgent.start();
    this.#timer = setInterval(() => this.#serve(), 1);
  }

  async #stop() {
    clearInterval(this.#timer);
    await new Promise<void>(resolve => this.#userAgent.stop(2_000, resolve));
    this.#sip.stop();
    for (const { socket } of this.talkers) socket.close();
  }

  async call(uri: string): Promise<Talker> {
    const socket = createSocket({ type: 'udp4', lookup: (host, _options, found) => found(null, host, 4) });
    await new Promise<void>(resolve => socket.bind(0, HOST, resolve));
    const { payloadType, lines } = OFFERS[this.#codec];
    const talker = new Talker(this.talkers.length, socket);
    const sdp = [
      'v=0',
      `o=- ${talker.index + 1} 1 IN IP4 ${HOST}`,
      's=-',
      `c=IN IP4 ${HOST}`,
      't=0 0',
      `m=audio ${socket.address().port} RTP/AVP ${payloadType} 101`,
      ...lines,
      `a=ptime:${PACKET_MS}`,
      'a=sendrecv',
      '',
    ];
    const body = { contentType: 'application/sdp', bytes: Buffer.from(sdp.join('\r\n')) };
    this.#userAgent.call({ target: uri, body, headers: [] }, talker);
    this.talkers.push(talker);
    return talker;
  }

  /** Each talker has a millisecond of the twenty in which its packets go, as strangers' packets would. */
  #serve() {
    const untilMs = Math.floor(performance.now() - this.#startedMs);
    for (; this.#served < untilMs; this.#served++) {
      for (let at = this.#served % PACKET_MS; at < this.talkers.length; at += PACKET_MS) this.#send(this.talkers[at]!);
    }
  }

  #send(talker: Talker) {
    if (talker.state !== 'talking') return;
    const payload = this.#packets[(talker.sent + talker.index * 7) % this.#packets.length]!;
    const header = {
      payloadType: talker.payloadType,
      marker: talker.sent === 0,
      sequence: talker.sent & 0xffff,
      timestamp: (talker.sent * PACKET_MS * (clockRateOf(this.#codec) / 1000)) >>> 0,
      ssrc: 1 + talker.index,
    };
    talker.sent++;
    const length = writeRtp(this.#buffer, header, payload);
    // Sent within the call: the buffer serves the next.
    talker.socket.send(this.#buffer, 0, length, talker.port, HOST);
  }
}

/** A few seconds of speech, in packets. */
async function spoken(codec: Codec): Promise<Uint8Array[]> {
  const opus = codec === 'opus' ? (loadLibopus(RATE) ?? (await loadOpusWasm(RATE))) : undefined;
  const choice = { name: codec, payloadType: OFFERS[codec].payloadType, ptimeMs: PACKET_MS, fec: true };
  const encoder = makeCodecs(opus, OPUS).encoder(choice);
  const samples = encoder.rate === RATE ? speech() : speech().filter((_, index) => index % 2 === 0);
  const size = (encoder.rate * PACKET_MS) / 1000;
  const into = new Uint8Array(MAX_PACKET_BYTES - RTP_HEADER_BYTES);
  const packets = Array.from({ length: Math.floor(samples.length / size) }, (_, at) =>
    into.slice(0, encoder.encode(samples.slice(at * size, (at + 1) * size), into)),
  );
  encoder.close();
  return packets;
}
