/** What a trace writes into its file, and what it says of it in the end. */
import type { TracedPackets } from '../../rpc/trace.ts';
import { count } from '../text.ts';
import { maskMessage } from '../trace/mask.ts';
import type { Seen } from '../trace/seen.ts';
import type { CaptureFile } from './capture-file.ts';

const WILDCARDS = ['0.0.0.0', '::'];

export class Capture {
  readonly #file: CaptureFile;
  readonly #mask: boolean;
  /** Our address, where the sound's own ports are on all of them. */
  readonly #ours = new Map<'4' | '6', string>();
  #missed = 0;

  constructor(file: CaptureFile, mask: boolean) {
    this.#file = file;
    this.#mask = mask;
  }

  message({ atMs, way, transport, local, remote, bytes, is }: Seen, missed: number) {
    this.#ours.set(family(local.host), local.host);
    this.#missed += missed;
    const comment = missed === 0 ? {} : { comment: `${count(missed, 'message')} before this one not written` };
    const shown = this.#mask && is !== 'keep-alive' ? maskMessage(bytes) : bytes;
    this.#file.add({ atMs, way, transport, local, remote, bytes: shown, ...comment });
  }

  packets({ packets, missed }: TracedPackets) {
    this.#missed += missed ?? 0;
    for (const { atMs, way, local, remote, bytes } of packets) {
      const known = WILDCARDS.includes(local.host) ? this.#ours.get(family(remote.host)) : undefined;
      const ours = known === undefined ? local : { ...local, host: known };
      this.#file.add({ atMs, way, transport: 'udp', local: ours, remote, bytes: Buffer.from(bytes, 'base64') });
    }
  }

  get isFull() {
    return this.#file.isFull;
  }

  /** Whatever has been written is a whole file. */
  close() {
    this.#file.close();
  }

  /** One line, once the file is closed. */
  summary({ pcap, max }: { pcap?: string; max: string }): string {
    const full = this.#file.isFull ? `; it is full (--max ${max})` : '';
    const missed = this.#missed === 0 ? '' : `; ${this.#missed} came too fast and are missing`;
    return `${pcap}: ${count(this.#file.packets, 'packet')}${missed}${full}`;
  }
}

const family = (host: string) => (host.includes(':') ? '6' : '4');
