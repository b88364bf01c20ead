/** One group: whose packets count, when a page of it begins and ends, and what has come of it. */
import type { Address } from '../lib/address.ts';
import { distance16 } from '../lib/serial.ts';
import type { Claim } from '../paging/arbiter.ts';
import type { PageGroup } from '../paging/groups.ts';
import type { PolycomPacket } from '../paging/polycom.ts';
import { PolycomFrames } from '../paging/polycom-frames.ts';
import { Sources } from '../paging/sources.ts';
import { Talker } from '../paging/talker.ts';
import { unixMsOf } from '../rtp/ntp.ts';
import { emptyPacket, parseRtp } from '../rtp/packet.ts';
import { parseRtcp } from '../rtp/rtcp.ts';
import { groupProtection } from './group-key.ts';
import { nothingCounted } from './page-counters.ts';
import type { PageSound } from './page-sound.ts';
import type { Protection } from './protection.ts';

/** A step in the sequence numbers beyond this is another beginning, not a loss. Packets. */
const LARGEST_LOSS = 100;
/** What comes so soon after the group was joined has begun before. Milliseconds. */
const JUST_JOINED_MS = 1_000;

export interface PageParts {
  silenceMs: number;
  /** A packet of a page that this device sends itself. */
  isOurs(port: number, id: number): boolean;
  /** Told at the beginning and at the end of each page. */
  onTurn(page: Page): void;
}

export class Page implements Claim {
  readonly group: PageGroup;
  readonly sound: PageSound;
  readonly talker: Talker;
  /** Counts up, from one page to the next of all groups. */
  began = 0;
  joinedAtMs = Number.NEGATIVE_INFINITY;
  beganAtMs = 0;
  endedAtMs = 0;
  /** What has been told of the page that is on. */
  told: 'nothing' | 'ignored' | 'started' = 'nothing';
  /** As the sender calls himself, where its format says so. */
  caller = '';
  readonly counters = nothingCounted();
  /** Undefined: pages are plain. */
  readonly protection: Protection | undefined;
  readonly #sources: Sources;
  readonly #packet = emptyPacket();
  readonly #framePacket = emptyPacket();
  readonly #frames: PolycomFrames;
  readonly #parts: PageParts;
  #sequence = 0;
  #nowMs = 0;

  constructor(group: PageGroup, sound: PageSound, parts: PageParts) {
    this.group = group;
    this.sound = sound;
    this.talker = new Talker(parts.silenceMs);
    this.protection = groupProtection(group.key);
    this.#sources = new Sources(group.sources);
    this.#frames = new PolycomFrames((sequence, frame) => this.#frame(sequence, frame));
    this.#parts = parts;
  }

  get level() {
    return this.group.level;
  }

  get on(): boolean {
    return this.talker.talks;
  }

  allows({ host }: Address): boolean {
    if (this.#sources.allow(host)) return true;
    this.counters.otherSource++;
    return false;
  }

  onRtp(bytes: Uint8Array, from: Address, nowMs: number) {
    if (!this.allows(from)) return;
    const plain = this.protection === undefined ? bytes : this.protection.open(bytes);
    if (plain === undefined) {
      this.counters.notAuthentic++;
      return;
    }
    const packet = parseRtp(plain, this.#packet);
    if (packet === undefined) {
      this.counters.malformed++;
      return;
    }
    const { ssrc, sequence } = packet;
    if (!this.sound.takes(packet.payloadType)) {
      this.counters.otherCodec++;
      return;
    }
    const began = this.#heard(from, ssrc, nowMs);
    if (began === undefined) return;
    const ahead = distance16(sequence, this.#sequence);
    if (began || ahead > 0 || ahead < -LARGEST_LOSS) {
      if (!began && ahead > 1 && ahead <= LARGEST_LOSS) this.counters.lost += ahead - 1;
      this.#sequence = sequence;
    }
    this.sound.push(packet, nowMs);
  }

  /** Only reports of the talker's own count. `toClock`: the time here at which our wall clock shows this. */
  onRtcp(bytes: Uint8Array, { host }: Address, toClock: (unixMs: number) => number | undefined) {
    if (!this.on || host !== this.talker.host) return;
    const plain = this.protection === undefined ? bytes : this.protection.openReport(bytes);
    if (plain === undefined) {
      this.counters.notAuthentic++;
      return;
    }
    for (const packet of parseRtcp(plain) ?? []) {
      if (packet.type !== 'SR' || !this.talker.isHolder(host, packet.ssrc)) continue;
      const sentMs = toClock(unixMsOf(packet.ntpSeconds, packet.ntpFraction));
      this.sound.reported(packet.ssrc, packet.rtpTimestamp, sentMs);
    }
  }

  onPolycom({ kind, serial, caller, codec, samples, payload }: PolycomPacket, from: Address, nowMs: number) {
    if (!this.allows(from)) return;
    if (kind === 'end') {
      if (this.talker.isHolder(from.host, serial)) this.end(nowMs);
      return;
    }
    const began = this.#heard(from, serial, nowMs);
    if (began === undefined) return;
    if (kind === 'alert') {
      this.caller = caller;
      return;
    }
    this.#framePacket.payloadType = codec;
    this.#framePacket.ssrc = serial;
    this.#nowMs = nowMs;
    if (!this.#frames.take(samples, payload)) this.counters.malformed++;
  }

  #frame(sequence: number, frame: Uint8Array) {
    const packet = this.#framePacket;
    packet.sequence = sequence;
    // The wrap of the sequence number must not be one of the timestamp, which goes on.
    packet.timestamp = (packet.timestamp + distance16(sequence, this.#sequence) * frame.length) >>> 0;
    packet.payload = frame;
    this.#sequence = sequence;
    this.sound.push(packet, this.#nowMs);
  }

  /** True where a page begins with it; undefined where it is not the holder's. */
  #heard(from: Address, id: number, nowMs: number): boolean | undefined {
    if (this.#parts.isOurs(from.port, id)) return undefined;
    const turn = this.talker.heard(from, id, nowMs);
    if (turn === 'refused') {
      this.counters.otherTalker++;
      return undefined;
    }
    this.counters.packets++;
    if (turn !== 'begins') return false;
    this.counters.pages++;
    this.beganAtMs = nowMs;
    this.told = 'nothing';
    this.caller = '';
    this.#frames.reset();
    this.sound.begin(nowMs - this.joinedAtMs < JUST_JOINED_MS);
    this.#parts.onTurn(this);
    return true;
  }

  /** The talker is done. */
  end(nowMs: number) {
    if (!this.on) return;
    this.endedAtMs = nowMs;
    this.talker.release();
    this.sound.end(nowMs);
    this.#parts.onTurn(this);
  }
}
