/** Somebody who pages a group of the simulated network with a tone: in plain RTP, or as a Polycom or Linksys telephone. */
import { g711Encoder } from '../../firmware/audio/codecs/g711.ts';
import { g722Encoder } from '../../firmware/audio/codecs/g722.ts';
import type { Address } from '../../firmware/lib/address.ts';
import { type LinksysCommand, printLinksys } from '../../firmware/paging/linksys.ts';
import { emptyPolycom, type PolycomKind, printPolycom } from '../../firmware/paging/polycom.ts';
import { writeRtp } from '../../firmware/rtp/packet.ts';
import type { SimulatedMediaNetwork } from './media-network.ts';
import { sine } from './tone.ts';
import type { VirtualClock } from './virtual-clock.ts';

const PACKET_MS = 20;

export interface PagerOptions {
  hz: number;
  to: Address;
  from?: Address;
  codec?: 'PCMA' | 'PCMU' | 'G722';
  ssrc?: number;
  /** Of the sine, peak. */
  amplitude?: number;
}

export class Pager {
  readonly #clock: VirtualClock;
  readonly #network: SimulatedMediaNetwork;
  readonly #options: Required<PagerOptions>;
  #cancel: (() => void) | undefined;
  /** Every packet that was due, whether it was sent. */
  #index = 0;
  /** Index of a packet → it gets lost. */
  loses: (index: number) => boolean = () => false;

  constructor(world: { clock: VirtualClock; network: SimulatedMediaNetwork }, options: PagerOptions) {
    this.#clock = world.clock;
    this.#network = world.network;
    this.#options = {
      from: { host: '192.0.2.77', port: 40_000 },
      codec: 'PCMA',
      ssrc: 77,
      amplitude: 8_000,
      ...options,
    };
  }

  send(bytes: Uint8Array) {
    this.#network.send(bytes, this.#options.from, this.#options.to);
  }

  /** Plain RTP until `stop`. */
  talk() {
    const { ssrc, codec } = this.#options;
    const payloadType = { PCMU: 0, PCMA: 8, G722: 9 }[codec];
    this.#every(frame => {
      const into = new Uint8Array(12 + frame.length);
      const timestamp = this.#index * 160;
      writeRtp(
        into,
        { payloadType, marker: this.#index === 0, sequence: this.#index & 0xffff, timestamp, ssrc },
        frame,
      );
      this.send(into);
    });
  }

  /** As a Polycom telephone: alerts, then sound with the frame before, until `stop`. `step`: what a frame counts. */
  talkPolycom(channel: number, { frameBytes = 160, step = 160 } = {}) {
    const serial = 0x00_0a_0b_0c;
    const caller = 'Front desk';
    const send = (kind: PolycomKind, rest = {}) =>
      this.send(printPolycom({ ...emptyPolycom(), kind, channel, serial, caller, ...rest }));
    const codec = { PCMU: 0, PCMA: 8, G722: 9 }[this.#options.codec];
    for (let alert = 0; alert < 31; alert++) this.#clock.after(alert * 30, () => send('alert'), 'alert');
    let before = new Uint8Array(0);
    let frames = 0;
    const afterMs = 31 * 30;
    this.#clock.after(
      afterMs,
      () =>
        this.#every(packet => {
          for (let at = 0; at < packet.length; at += frameBytes) {
            const frame = packet.slice(at, at + frameBytes);
            const samples = frames++ * step;
            const payload = new Uint8Array([...before, ...frame]);
            before = frame;
            if (!this.loses(frames - 1)) send('audio', { codec, samples, payload });
          }
        }),
      'first sound',
    );
    return { end: () => send('end') };
  }

  /** What a Linksys telephone says first and last; its RTP is `talk` of another pager. */
  say(command: LinksysCommand) {
    for (let twice = 0; twice < 2; twice++) this.send(printLinksys(command));
  }

  stop() {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #every(give: (frame: Uint8Array) => void) {
    const { hz, codec, amplitude } = this.#options;
    const encoder = codec === 'G722' ? g722Encoder() : g711Encoder(codec);
    const tone = sine(hz, amplitude, encoder.rate, 1);
    const length = (encoder.rate * PACKET_MS) / 1000;
    const next = () => {
      const at = (this.#index * length) % tone.length;
      const bytes = new Uint8Array(160);
      encoder.encode(tone.subarray(at, at + length), bytes);
      give(bytes);
      this.#index++;
      this.#cancel = this.#clock.after(PACKET_MS, next, 'page packet');
    };
    next();
  }
}
