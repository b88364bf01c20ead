/** Two ends of a call without a call: engines with simulated sound cards on one virtual clock and one network. */

import type { Opus } from '../../firmware/audio/codecs/opus.ts';
import type { Clock } from '../../firmware/lib/clock.ts';
import { InProcessMedia } from '../../firmware/media/in-process.ts';
import type { MediaNetwork } from '../../firmware/media/network.ts';
import type {
  CodecChoice,
  MediaCommand,
  MediaEvent,
  MediaSettings,
  StreamSettings,
} from '../../firmware/media/protocol.ts';
import { SimulatedAudio } from '../../hal/audio/simulated.ts';
import { type MediaNetworkFaults, SimulatedMediaNetwork } from './media-network.ts';
import { ordinarySound, simulatedCard } from './media-settings.ts';
import { MemoryFiles } from './memory-files.ts';
import { seeded } from './seeded.ts';
import { VirtualClock } from './virtual-clock.ts';

export const PCMA: CodecChoice = { name: 'PCMA', payloadType: 8, ptimeMs: 20 };
export const PCMU: CodecChoice = { name: 'PCMU', payloadType: 0, ptimeMs: 20 };
export const G722: CodecChoice = { name: 'G722', payloadType: 9, ptimeMs: 20 };
export const OPUS: CodecChoice = { name: 'opus', payloadType: 96, ptimeMs: 20, fec: true };
export const EVENTS = 101;

export interface PhoneOptions {
  rate?: number;
  opus?: Opus | undefined;
  settings?: Partial<MediaSettings>;
  /** Fills a frame of the microphone. */
  speaks?: (frame: Int16Array, index: number) => void;
  /** The sound card's own clock, where it is not the world's. */
  clock?: Clock;
  /** Its way to the network, where it is not the world's. */
  network?: MediaNetwork;
  /** What others see as its address, where that is not its own. */
  translate?: (port: number) => { host: string; port: number };
}

/** One device: its engine, what it was told, and everything that its loudspeaker has played. */
export class Phone {
  readonly media: InProcessMedia;
  readonly audio: SimulatedAudio;
  readonly events: MediaEvent[] = [];
  readonly host: string;
  readonly rate: number;
  readonly files: MemoryFiles;
  #heard: Int16Array;
  #heardCount = 0;

  constructor(world: World, host: string, options: PhoneOptions) {
    const { rate = 16_000 } = options;
    this.host = host;
    this.rate = rate;
    this.#heard = new Int16Array(rate * 60);
    this.files = new MemoryFiles(world.clock);
    this.audio = new SimulatedAudio({
      spec: simulatedCard(rate),
      clock: options.clock ?? world.clock,
      source: (frame, index) => options.speaks?.(frame, index),
      sink: frame => {
        this.#heard.set(frame, this.#heardCount);
        this.#heardCount += frame.length;
      },
    });
    this.media = new InProcessMedia({
      clock: world.clock,
      wallClock: () => 1_800_000_000_000 + world.clock.now(),
      random: seeded(host.length * 1000 + host.charCodeAt(host.length - 1)),
      network: options.network ?? world.network.host(host, options.translate),
      multicast: world.network.multicast(host),
      files: this.files,
      opus: options.opus,
      audio: this.audio,
      settings: {
        ...ordinarySound(rate, `porter@${host}`),
        rtpPorts: { from: 20_000, to: 20_100 },
        opus: { bitrate: 24_000, complexity: 5, expectedLoss: 15 },
        ...options.settings,
      },
    });
    this.media.onEvent = event => this.events.push(event);
  }

  send(command: MediaCommand) {
    this.media.send(command);
  }

  /** The loudspeaker's sound, from one time to another, milliseconds since the start. */
  heard(fromMs: number, toMs = (this.#heardCount * 1000) / this.rate): Int16Array {
    return this.#heard.slice((fromMs * this.rate) / 1000, (toMs * this.rate) / 1000);
  }

  /** The events of one kind. */
  told<Is extends MediaEvent['is']>(is: Is): Extract<MediaEvent, { is: Is }>[] {
    return this.events.filter((event): event is Extract<MediaEvent, { is: Is }> => event.is === is);
  }
}

export class World {
  readonly clock = new VirtualClock();
  readonly network: SimulatedMediaNetwork;
  readonly #phones: Phone[] = [];

  constructor(faults: MediaNetworkFaults = {}, seed = 1) {
    this.network = new SimulatedMediaNetwork(this.clock, seeded(seed), faults);
  }

  phone(host: string, options: PhoneOptions = {}): Phone {
    const phone = new Phone(this, host, options);
    this.#phones.push(phone);
    phone.media.start();
    return phone;
  }

  run(ms: number) {
    this.clock.advance(ms);
  }

  /** Opens stream `id` at both and starts it with the same codec. */
  connect(a: Phone, b: Phone, codec: CodecChoice = PCMA, changes: Partial<StreamSettings> = {}, id = 'call') {
    this.open(a, id);
    this.open(b, id);
    this.start(a, b, codec, changes, id);
    this.start(b, a, codec, changes, id);
  }

  open(phone: Phone, id = 'call') {
    phone.send({ do: 'open', stream: id, host: phone.host });
    this.run(0);
  }

  /** Starts (or changes) the stream of `a` towards `b`. */
  start(a: Phone, b: Phone, codec: CodecChoice, changes: Partial<StreamSettings> = {}, id = 'call') {
    a.send({ do: 'start', stream: id, settings: this.settings(b, codec, changes, id) });
    this.run(0);
  }

  settings(b: Phone, codec: CodecChoice, changes: Partial<StreamSettings> = {}, id = 'call'): StreamSettings {
    const { rtpPort, rtcpPort } = b.told('opened').findLast(({ stream }) => stream === id)!;
    return {
      direction: 'sendrecv',
      remote: { host: b.host, rtpPort, rtcpPort },
      codec,
      telephoneEvent: EVENTS,
      ...changes,
    };
  }
}

/** A microphone that hears a steady tone. */
export function speaksTone(hz: number, amplitude: number, rate: number) {
  return (frame: Int16Array, index: number) => {
    for (let at = 0; at < frame.length; at++) {
      frame[at] = Math.round(amplitude * Math.sin((2 * Math.PI * hz * (index * frame.length + at)) / rate));
    }
  };
}
