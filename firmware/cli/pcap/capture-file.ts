/** A capture on the disk, written block by block: whenever it ends, it is a whole file that Wireshark reads. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { CliError, EXIT_FAILED } from '../environment.ts';
import { exportedSip, type Path, TcpPackets, udpPacket } from './packets.ts';
import { enhancedPacket, interfaceDescription, LINKTYPE_RAW, LINKTYPE_UPPER_PDU, sectionHeader } from './pcapng.ts';

/** One message or packet, as it went over the network. */
export interface Passed {
  atMs: number;
  way: 'in' | 'out';
  transport: 'udp' | 'tcp' | 'tls';
  local: { host: string; port: number };
  remote: { host: string; port: number };
  bytes: Uint8Array;
  comment?: string;
}

/** SIP and sound are told by two threads, the sound a little later: so long a packet waits for earlier ones. Milliseconds. */
const SORTED_WITHIN_MS = 500;
/** Packets that wait at most; then the oldest is written, whatever comes. */
const WAITING = 2_048;

export class CaptureFile {
  readonly #path: string;
  readonly #limitBytes: number;
  readonly #descriptor: number;
  readonly #tcp = new TcpPackets();
  #waiting: Passed[] = [];
  #length = 0;
  #interfaces = 1;
  #full = false;
  packets = 0;

  /** Makes the file anew, for its owner alone: it holds what was said. Throws a CliError. */
  constructor(path: string, limitBytes: number, application: string) {
    this.#path = path;
    this.#limitBytes = limitBytes;
    this.#descriptor = this.#try(() => openSync(path, 'w', 0o600));
    this.#append(sectionHeader(application));
    this.#append(interfaceDescription(LINKTYPE_RAW, 'porter'));
  }

  /** It has reached its limit, and takes nothing more. */
  get isFull() {
    return this.#full;
  }

  /** Throws a CliError where the disk takes no more; what was written before stays readable. */
  add(passed: Passed) {
    const at = this.#waiting.findLastIndex(({ atMs }) => atMs <= passed.atMs);
    this.#waiting.splice(at + 1, 0, passed);
    const newestMs = this.#waiting.at(-1)!.atMs;
    while (this.#waiting.length > WAITING || newestMs - this.#waiting[0]!.atMs > SORTED_WITHIN_MS) {
      this.#write(this.#waiting.shift()!);
    }
  }

  /** Writes what waits, and lets go. */
  close() {
    try {
      for (const passed of this.#waiting.splice(0)) this.#write(passed);
    } finally {
      closeSync(this.#descriptor);
    }
  }

  #write({ atMs, way, transport, local, remote, bytes, comment }: Passed) {
    if (this.#full) return;
    const path = way === 'out' ? { from: local, to: remote } : { from: remote, to: local };
    const told = comment === undefined ? {} : { comment };
    const blocks = this.#framed(path, transport, bytes).map(({ link, frame }) =>
      enhancedPacket({ interface: link, atMs, bytes: frame, way, ...told }),
    );
    if (this.#length + blocks.reduce((sum, { length }) => sum + length, 0) > this.#limitBytes) {
      this.#full = true;
      return;
    }
    for (const block of blocks) this.#append(block);
    this.packets++;
  }

  #framed(path: Path, transport: Passed['transport'], bytes: Uint8Array): { link: number; frame: Buffer }[] {
    if (transport === 'udp') return [{ link: 0, frame: udpPacket(path, bytes) }];
    if (transport === 'tcp') return this.#tcp.packets(path, bytes).map(frame => ({ link: 0, frame }));
    // What was inside TLS would be taken for broken TLS at its port: it goes as what it is, without a packet round it.
    if (this.#interfaces === 1) {
      this.#append(interfaceDescription(LINKTYPE_UPPER_PDU, 'porter, inside TLS'));
      this.#interfaces++;
    }
    return [{ link: 1, frame: exportedSip(path, bytes) }];
  }

  #append(block: Buffer) {
    try {
      for (let at = 0; at < block.length; ) at += writeSync(this.#descriptor, block, at, block.length - at);
    } catch (error) {
      this.#full = true;
      try {
        // Half a block would make Wireshark complain of the whole.
        ftruncateSync(this.#descriptor, this.#length);
      } catch {
        // No file that can be cut: a pipe.
      }
      throw this.#explain(error);
    }
    this.#length += block.length;
  }

  #try<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      throw this.#explain(error);
    }
  }

  #explain(error: unknown): CliError {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === 'ENOSPC' || code === 'EDQUOT'
        ? 'the disk is full; what was written before can be read'
        : code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
          ? 'it may not be written here; name another place'
          : code === 'ENOENT'
            ? 'there is no such folder'
            : code === 'EISDIR'
              ? 'it is a folder'
              : message;
    return new CliError(EXIT_FAILED, `${this.#path}: ${why}`);
  }
}
