/**
 * A packet of Polycom group page and push-to-talk (Polycom EA 70568): reading, and writing. Alerts come first, then
 * sound, then ends, all to one address; the channel in each says whom it is for.
 */

export type PolycomKind = 'alert' | 'audio' | 'end';

const OPCODES: Readonly<Record<PolycomKind, number>> = { alert: 0x0f, audio: 0x10, end: 0xff };
const KINDS = new Map(Object.entries(OPCODES).map(([kind, opcode]) => [opcode, kind as PolycomKind]));

/** Payload types as in RTP (RFC 3551 table 4). PCMA is sent by one implementation only. */
const CODECS: ReadonlySet<number> = new Set([0, 8, 9]);

export const MAX_CHANNEL = 50;
/** Opcode, channel, serial number, and the length of the caller's name. */
const FIXED_BYTES = 7;
const AUDIO_BYTES = 6;
/** Of the caller's name, as everybody sends it. */
const CALLER_BYTES = 13;

export interface PolycomPacket {
  kind: PolycomKind;
  /** 1 to 50. */
  channel: number;
  /** The sender: the last four bytes of its MAC address. */
  serial: number;
  caller: string;
  /** audio: RTP payload type. */
  codec: number;
  /** audio: samples before this frame, as an RTP timestamp counts. */
  samples: number;
  /** audio: the frame before, and the frame; the first packet has only the frame. A view of the datagram. */
  payload: Uint8Array;
}

const NOTHING = new Uint8Array(0);

export const emptyPolycom = (): PolycomPacket => ({
  kind: 'alert',
  channel: 0,
  serial: 0,
  caller: '',
  codec: 0,
  samples: 0,
  payload: NOTHING,
});

/** Undefined where it is malformed. The caller's name is read only where no sound follows: once, not at each packet. */
export function parsePolycom(bytes: Uint8Array, into: PolycomPacket = emptyPolycom()): PolycomPacket | undefined {
  if (bytes.length < FIXED_BYTES) return undefined;
  const kind = KINDS.get(bytes[0]!);
  const channel = bytes[1]!;
  if (kind === undefined || channel < 1 || channel > MAX_CHANNEL) return undefined;
  const audioAt = FIXED_BYTES + bytes[6]!;
  if (audioAt > bytes.length) return undefined;
  into.kind = kind;
  into.channel = channel;
  into.serial = uint32(bytes, 2);
  if (kind !== 'audio') {
    into.caller = text(bytes, FIXED_BYTES, audioAt);
    into.payload = NOTHING;
    return into;
  }
  const start = audioAt + AUDIO_BYTES;
  if (bytes.length <= start || !CODECS.has(bytes[audioAt]!)) return undefined;
  into.codec = bytes[audioAt]!;
  into.samples = uint32(bytes, audioAt + 2);
  into.payload = bytes.subarray(start);
  return into;
}

/** Where the sound begins in a packet that is written here. */
export const POLYCOM_HEADER_BYTES = FIXED_BYTES + CALLER_BYTES + AUDIO_BYTES;

/** Of a packet of sound, made by `printPolycom`: what the frame counts. */
export function stampPolycom(bytes: Uint8Array, samples: number) {
  const at = FIXED_BYTES + CALLER_BYTES + 2;
  bytes[at] = samples >>> 24;
  bytes[at + 1] = samples >>> 16;
  bytes[at + 2] = samples >>> 8;
  bytes[at + 3] = samples;
}

export function printPolycom({ kind, channel, serial, caller, codec, samples, payload }: PolycomPacket): Uint8Array {
  const audioAt = FIXED_BYTES + CALLER_BYTES;
  const bytes = new Uint8Array(kind === 'audio' ? audioAt + AUDIO_BYTES + payload.length : audioAt);
  const view = new DataView(bytes.buffer);
  bytes[0] = OPCODES[kind];
  bytes[1] = channel;
  view.setUint32(2, serial);
  bytes[6] = CALLER_BYTES;
  for (let at = 0; at < Math.min(CALLER_BYTES, caller.length); at++)
    bytes[FIXED_BYTES + at] = caller.charCodeAt(at) & 0x7f;
  if (kind !== 'audio') return bytes;
  bytes[audioAt] = codec;
  view.setUint32(audioAt + 2, samples);
  bytes.set(payload, audioAt + AUDIO_BYTES);
  return bytes;
}

const uint32 = (bytes: Uint8Array, at: number) =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;

/** Printable ASCII up to the first NUL. */
function text(bytes: Uint8Array, from: number, to: number): string {
  let result = '';
  for (let at = from; at < to && bytes[at] !== 0; at++) {
    const code = bytes[at]!;
    result += code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '?';
  }
  return result;
}
