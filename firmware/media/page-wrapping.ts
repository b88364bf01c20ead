/** How a page is packed for its zone: what goes before the sound, around each packet of it, and after it. */
import { FRAME_MS } from '../audio/frame.ts';
import type { Address } from '../lib/address.ts';
import { type LinksysCommand, printLinksys } from '../paging/linksys.ts';
import { emptyPolycom, POLYCOM_HEADER_BYTES, type PolycomKind, printPolycom, stampPolycom } from '../paging/polycom.ts';
import type { PageZone } from '../paging/zones.ts';
import { RTP_HEADER_BYTES } from '../rtp/packet.ts';
import type { RtpSession } from '../rtp/session.ts';
import { groupProtection } from './group-key.ts';
import type { GroupSender } from './network.ts';
import type { Protection } from './protection.ts';

export interface Wrapping {
  /** What tells receivers of this device's own pages: their SSRC, or serial number. */
  readonly id: number;
  /** Asked at every frame, before the first sound, until it is true. */
  announced(frame: number): boolean;
  /** A packet of sound, as RTP, with room behind it. */
  sound(packet: Uint8Array, length: number): void;
  /** At every frame while there is sound. */
  tick(nowMs: number): void;
  /** Asked at every frame, after the last sound, until it is true. */
  left(frame: number, nowMs: number): boolean;
}

export interface WrappingParts {
  zone: PageZone;
  sender: GroupSender;
  session: RtpSession;
  /** How the device calls itself, and its number: Polycom telephones show the one and know it by the other. */
  caller: string;
  serial: number;
}

export function wrappingOf(parts: WrappingParts): Wrapping {
  switch (parts.zone.format) {
    case 'rtp':
      return new RtpWrapping(parts, { host: parts.zone.host, port: parts.zone.port });
    case 'linksys':
      return new LinksysWrapping(parts);
    case 'polycom':
      return new PolycomWrapping(parts);
  }
}

class RtpWrapping implements Wrapping {
  readonly #session: RtpSession;
  readonly #sender: GroupSender;
  readonly #to: Address;
  /** Where reports go; undefined: none are sent. */
  readonly #reportTo: Address | undefined;
  readonly #protection: Protection | undefined;
  #spoke = false;

  constructor({ zone, session, sender }: WrappingParts, to: Address) {
    this.#session = session;
    this.#sender = sender;
    this.#to = to;
    this.#protection = groupProtection(zone.key);
    // RFC 3550 §11: RTP has an even port, its RTCP the next. Elsewhere the next port is that of another page.
    if (zone.reports && to.port % 2 === 0) this.#reportTo = { host: to.host, port: to.port + 1 };
  }

  get id(): number {
    return this.#session.ssrc;
  }

  announced(): boolean {
    return true;
  }

  sound(packet: Uint8Array, length: number) {
    this.#spoke = true;
    this.#sender.send(packet, this.#protection?.protect(packet, length) ?? length, this.#to);
  }

  tick(nowMs: number) {
    if (this.#spoke && this.#reportTo !== undefined) this.#report(this.#session.rtcp(nowMs), this.#reportTo);
  }

  left(_frame: number, nowMs: number): boolean {
    if (this.#reportTo !== undefined) this.#report(this.#session.bye(nowMs), this.#reportTo);
    return true;
  }

  #report(report: Uint8Array | undefined, to: Address) {
    if (report === undefined) return;
    const { bytes, length } = this.#protection?.protectReport(report) ?? { bytes: report, length: report.length };
    this.#sender.send(bytes, length, to);
  }
}

/** The word is said twice, so far apart that what loses one spares the other. Milliseconds. */
const AGAIN_MS = 20;
/** From the word to the sound: telephones join the group meanwhile. Milliseconds. */
const JOINING_MS = 200;

class LinksysWrapping implements Wrapping {
  readonly #rtp: RtpWrapping;
  readonly #sender: GroupSender;
  readonly #control: Address;
  readonly #start: Uint8Array;
  readonly #stop: Uint8Array;

  constructor(parts: WrappingParts) {
    const { zone, sender, session } = parts;
    const sound = { host: zone.host, port: zone.soundPort };
    this.#rtp = new RtpWrapping(parts, sound);
    this.#sender = sender;
    this.#control = { host: zone.host, port: zone.port };
    const command = (command: LinksysCommand['command']) => printLinksys({ command, id: session.ssrc, ...sound });
    this.#start = command('start');
    this.#stop = command('stop');
  }

  get id(): number {
    return this.#rtp.id;
  }

  announced(frame: number): boolean {
    this.#say(this.#start, frame);
    return frame * FRAME_MS >= JOINING_MS;
  }

  sound(packet: Uint8Array, length: number) {
    this.#rtp.sound(packet, length);
  }

  tick(nowMs: number) {
    this.#rtp.tick(nowMs);
  }

  left(frame: number, nowMs: number): boolean {
    if (frame === 0) this.#rtp.left(frame, nowMs);
    this.#say(this.#stop, frame);
    return frame * FRAME_MS >= AGAIN_MS;
  }

  #say(word: Uint8Array, frame: number) {
    if (frame === 0 || frame * FRAME_MS === AGAIN_MS) this.#sender.send(word, word.length, this.#control);
  }
}

/** What Polycom telephones send (Polycom EA 70568): so many alerts, a pause after the sound, so many ends; this far apart. */
const ALERTS = 31;
const ENDS = 12;
const APART_FRAMES = 30 / FRAME_MS;
const PAUSE_FRAMES = 50 / FRAME_MS;
/** The largest frame of sound: 20 ms of 64 kbit/s. Bytes. */
const POLYCOM_FRAME_BYTES = 160;

class PolycomWrapping implements Wrapping {
  readonly id: number;
  readonly #sender: GroupSender;
  readonly #to: Address;
  readonly #alert: Uint8Array;
  readonly #end: Uint8Array;
  readonly #audio: Uint8Array;
  /** Of the frame before, which goes along once more. */
  #beforeBytes = 0;
  #samples = 0;

  constructor({ zone, sender, caller, serial }: WrappingParts) {
    this.id = serial;
    this.#sender = sender;
    this.#to = { host: zone.host, port: zone.port };
    const codec = zone.codec.payloadType;
    const print = (kind: PolycomKind, payload = new Uint8Array(0)) =>
      printPolycom({ ...emptyPolycom(), kind, channel: zone.channel ?? 1, serial, caller, codec, payload });
    this.#alert = print('alert');
    this.#end = print('end');
    this.#audio = print('audio', new Uint8Array(2 * POLYCOM_FRAME_BYTES));
  }

  announced(frame: number): boolean {
    if (frame >= ALERTS * APART_FRAMES) return true;
    if (frame % APART_FRAMES === 0) this.#send(this.#alert);
    return false;
  }

  /** The frame before, then this one; the first packet has only its own. */
  sound(packet: Uint8Array, length: number) {
    const audio = this.#audio;
    const bytes = length - RTP_HEADER_BYTES;
    const at = POLYCOM_HEADER_BYTES + this.#beforeBytes;
    for (let index = 0; index < bytes; index++) audio[at + index] = packet[RTP_HEADER_BYTES + index]!;
    stampPolycom(audio, this.#samples);
    this.#samples = (this.#samples + bytes) >>> 0;
    this.#send(audio, at + bytes);
    audio.copyWithin(POLYCOM_HEADER_BYTES, at, at + bytes);
    this.#beforeBytes = bytes;
  }

  tick() {}

  left(frame: number): boolean {
    const since = frame - PAUSE_FRAMES;
    if (since >= 0 && since % APART_FRAMES === 0) this.#send(this.#end);
    return since >= (ENDS - 1) * APART_FRAMES;
  }

  #send(bytes: Uint8Array, length = bytes.length) {
    this.#sender.send(bytes, length, this.#to);
  }
}
