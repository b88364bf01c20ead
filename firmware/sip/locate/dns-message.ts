/**
 * Questions to a name server and its answers as bytes (RFC 1035 §4), for the records that name SIP servers. `node:dns`
 * asks for them as well, but does not tell how long an answer is good. Whatever comes in, nothing here throws.
 */
import type { Naptr, Srv } from './services.ts';

const recordTypes = { CNAME: 5, SOA: 6, SRV: 33, NAPTR: 35 } as const;
export type Question = 'SRV' | 'NAPTR';

/** Records of one answer that are read; labels of one name; names that one name may be sent on to (CNAME). */
const recordLimit = 128;
const labelLimit = 128;
const aliasLimit = 8;
/** RFC 2308 §5: how long "there is none" is believed at most. */
const nothingLimitMs = 300_000;
/** Where the server does not say for how long there is none. */
const nothingMs = 30_000;

export interface Answer {
  /** It did not fit into a datagram: to be asked again over TCP (RFC 7766 §5). */
  isTruncated: boolean;
  /** 0: no error; 3: no such name; else the server has failed. */
  code: number;
  records: readonly (Srv | Naptr)[];
  ttlMs: number;
}

/** Undefined for a name that cannot be asked for. */
export function printQuestion(id: number, type: Question, name: string): Uint8Array | undefined {
  const labels = name.replace(/\.$/, '').split('.');
  const bytes = labels.map(label => Buffer.from(label, 'latin1'));
  if (bytes.some(({ length }) => length === 0 || length > 63) || name.length > 253) return undefined;
  // Recursion desired, one question, class IN.
  const head = [id >> 8, id & 0xff, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
  return Uint8Array.from([
    ...head,
    ...bytes.flatMap(label => [label.length, ...label]),
    ...[0, 0, recordTypes[type], 0, 1],
  ]);
}

/** Undefined where these bytes are no answer to that question: somebody else's, a forgery, or nonsense. */
export function parseAnswer(bytes: Uint8Array, id: number, type: Question, asked: string): Answer | undefined {
  const reader = new Reader(bytes);
  try {
    return read(reader, id, type, asked.toLowerCase().replace(/\.$/, ''));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function read(reader: Reader, id: number, type: Question, asked: string): Answer | undefined {
  const isOurs = reader.u16() === id;
  const flags = reader.u16();
  const questions = reader.u16();
  const answers = reader.u16();
  const authorities = reader.u16();
  reader.u16();
  if (!isOurs || (flags & 0x8000) === 0 || questions !== 1) return undefined;
  if (reader.name() !== asked || reader.u16() !== recordTypes[type] || reader.u16() !== 1) return undefined;
  const isTruncated = (flags & 0x0200) !== 0;
  const code = flags & 0x000f;
  const aliases = new Map<string, { to: string; ttlMs: number }>();
  const found: { owner: string; ttlMs: number; record: Srv | Naptr }[] = [];
  let nothingForMs = nothingMs;
  for (let index = 0; index < Math.min(answers + authorities, recordLimit); index++) {
    // What is missing of a truncated answer comes over TCP.
    if (isTruncated && reader.isAtEnd) break;
    const { owner, kind, ttlMs, end } = reader.head();
    if (index >= answers) {
      if (kind === recordTypes.SOA) nothingForMs = Math.min(ttlMs, reader.soaMinimumMs(), nothingLimitMs);
    } else if (kind === recordTypes.CNAME) aliases.set(owner, { to: reader.name(), ttlMs });
    else if (kind === recordTypes[type]) found.push({ owner, ttlMs, record: reader.record(type) });
    reader.skipTo(end);
  }
  let name = asked;
  let aliasMs = Number.POSITIVE_INFINITY;
  for (let step = 0; step < aliasLimit; step++) {
    const alias = aliases.get(name);
    if (alias === undefined) break;
    name = alias.to;
    aliasMs = Math.min(aliasMs, alias.ttlMs);
  }
  // What stands under any other name was not asked for.
  const own = found.filter(({ owner }) => owner === name);
  const ttlMs = own.length === 0 ? nothingForMs : Math.min(aliasMs, ...own.map(each => each.ttlMs));
  return { isTruncated, code, records: own.map(({ record }) => record), ttlMs };
}

/** Reads from the front; a RangeError where the bytes end too soon or point in circles. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd() {
    return this.#at >= this.#bytes.length;
  }

  u16(): number {
    this.#at += 2;
    return this.#bytes.readUInt16BE(this.#at - 2);
  }

  u32(): number {
    this.#at += 4;
    return this.#bytes.readUInt32BE(this.#at - 4);
  }

  /** In lower case, without the last dot (§4.1.4). */
  name(): string {
    const labels: string[] = [];
    let at = this.#at;
    let hasJumped = false;
    for (let steps = 0; ; steps++) {
      const length = this.#bytes.readUInt8(at);
      if (steps > labelLimit) throw new RangeError('name without end');
      if (length >= 0xc0) {
        const target = this.#bytes.readUInt16BE(at) & 0x3fff;
        if (!hasJumped) this.#at = at + 2;
        hasJumped = true;
        at = target;
        continue;
      }
      at += 1 + length;
      if (at > this.#bytes.length) throw new RangeError('name beyond the end');
      if (length === 0) break;
      labels.push(this.#bytes.toString('latin1', at - length, at).toLowerCase());
    }
    if (!hasJumped) this.#at = at;
    return labels.join('.');
  }

  head() {
    const owner = this.name();
    const kind = this.u16();
    this.u16();
    // RFC 2181 §8: a TTL with the first bit set is zero.
    const ttl = this.u32();
    const ttlMs = ttl >= 2 ** 31 ? 0 : 1000 * ttl;
    const length = this.u16();
    return { owner, kind, ttlMs, end: this.#at + length };
  }

  skipTo(end: number) {
    if (end < this.#at || end > this.#bytes.length) throw new RangeError('record beyond the end');
    this.#at = end;
  }

  soaMinimumMs(): number {
    this.name();
    this.name();
    this.#at += 16;
    return 1000 * this.u32();
  }

  record(type: Question): Srv | Naptr {
    if (type === 'SRV') return { priority: this.u16(), weight: this.u16(), port: this.u16(), target: this.name() };
    const order = this.u16();
    const preference = this.u16();
    const flags = this.#text();
    const service = this.#text();
    this.#text();
    return { order, preference, flags, service, replacement: this.name() };
  }

  #text(): string {
    const length = this.#bytes.readUInt8(this.#at);
    this.#at += 1 + length;
    if (this.#at > this.#bytes.length) throw new RangeError('text beyond the end');
    return this.#bytes.toString('latin1', this.#at - length, this.#at);
  }
}
