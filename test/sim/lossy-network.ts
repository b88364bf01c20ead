/** A datagram network between user agents that loses, delays, reorders and repeats packets as its seed dictates. */
import { type Address, printAddress } from '../../firmware/lib/address.ts';
import type { Clock } from '../../firmware/lib/clock.ts';
import type { Random } from '../../firmware/lib/random.ts';
import type { Transport } from '../../firmware/sip/contracts.ts';

export interface Impairment {
  /** Chance that a packet never arrives. */
  loss: number;
  /** Chance that a packet arrives twice. */
  duplication: number;
  /** The delay of each packet is chance between these two, so packets overtake one another. Milliseconds. */
  delayMs: readonly [least: number, most: number];
}

export const presets = {
  /** A cable across the desk. */
  perfect: { loss: 0, duplication: 0, delayMs: [1, 1] },
  /** A switched network with a busy uplink: next to nothing is lost, little is late. */
  office: { loss: 0.005, duplication: 0.001, delayMs: [1, 20] },
  /** A gate at the edge of coverage: Wi-Fi resends below us, so packets come late, twice, or not at all. */
  badWifi: { loss: 0.15, duplication: 0.05, delayMs: [5, 400] },
  /** A hosted PBX over a poor mobile link: long and lossy, and the delay alone passes T1 on a round trip. */
  wan: { loss: 0.05, duplication: 0.01, delayMs: [120, 320] },
} as const satisfies Record<string, Impairment>;

export type Preset = keyof typeof presets;

type Receive = (bytes: Uint8Array, from: Address) => void;

export class LossyNetwork {
  /** One line a packet: time, from, arrow, to, first line. `-x` was lost, `=>` was doubled. */
  readonly trace: string[] = [];
  /** Sees every packet as it is sent, lost ones too. */
  tap: ((bytes: Uint8Array, from: Address, to: Address) => void) | undefined;
  /** Hosts whose link is down: nothing comes or goes. */
  readonly cut = new Set<string>();
  readonly #hosts = new Map<string, Receive>();
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #impairment: Impairment;

  constructor(clock: Clock, random: Random, impairment: Impairment) {
    this.#clock = clock;
    this.#random = random;
    this.#impairment = impairment;
  }

  /** Plugs a host in. Returns the function that pulls its cable. */
  attach(address: Address, receive: Receive) {
    this.#hosts.set(printAddress(address), receive);
    return () => void this.#hosts.delete(printAddress(address));
  }

  /** How a user agent at `local` sends. */
  transport(local: Address): Transport {
    return { localFor: () => local, send: (bytes, to) => this.send(bytes, local, to) };
  }

  send(bytes: Uint8Array, from: Address, to: Address) {
    const { loss, duplication, delayMs } = this.#impairment;
    const isLinked = this.#hosts.has(printAddress(from)) && !this.#isCut(from, to);
    const copies = this.#random.next() < loss || !isLinked ? 0 : this.#random.next() < duplication ? 2 : 1;
    this.tap?.(bytes, from, to);
    this.#note(bytes, from, ['-x', '->', '=>'][copies]!, to);
    for (let copy = 0; copy < copies; copy++) {
      const [least, most] = delayMs;
      const delay = least + this.#random.next() * (most - least);
      const arrive = () => this.#isCut(from, to) || this.#hosts.get(printAddress(to))?.(bytes, from);
      this.#clock.after(delay, arrive, 'packet');
    }
  }

  #isCut(from: Address, to: Address) {
    return this.cut.has(from.host) || this.cut.has(to.host);
  }

  #note(bytes: Uint8Array, from: Address, arrow: string, to: Address) {
    const [firstLine] = Buffer.from(bytes).toString('latin1').split('\r\n', 1);
    const at = this.#clock.now().toFixed(0).padStart(6);
    this.trace.push(`${at} ${printAddress(from)} ${arrow} ${printAddress(to)} ${firstLine}`);
  }
}
