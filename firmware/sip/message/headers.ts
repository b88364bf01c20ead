/** The header fields of one message: ordered, compared without case, split and read only when asked (RFC 3261 §7.3). */
import assert from 'node:assert/strict';
import { type Field, fieldOf } from './fields.ts';
import { splitList } from './grammar.ts';

const LF = 0x0a;
const CR = 0x0d;
const none: readonly string[] = [];

export class Headers {
  /** Two columns of one table: field and raw value of each header line, in order. */
  #fields: Field[] = [];
  #values: string[] = [];

  /** The first value; of a field that may be a list, its first element. */
  get(name: string): string | undefined {
    const { key } = fieldOf(name);
    const at = this.#find(key);
    if (at < 0) return undefined;
    const value = this.#values[at]!;
    return this.#fields[at]!.list && value.includes(',') ? splitList(value)[0]! : value;
  }

  /** Every value in order; fields that may be lists are split into their elements, empty elements left out. */
  all(name: string): readonly string[] {
    const { key, list } = fieldOf(name);
    const first = this.#find(key);
    if (first < 0) return none;
    const values: string[] = [];
    for (let at = first; at < this.#fields.length; at++) {
      if (this.#fields[at]!.key !== key) continue;
      const value = this.#values[at]!;
      if (!list) values.push(value);
      else for (const element of splitList(value)) if (element !== '') values.push(element);
    }
    return values;
  }

  has(name: string): boolean {
    return this.#find(fieldOf(name).key) >= 0;
  }

  /** How many lines bear this name, however many elements each of them has. */
  lines(name: string): number {
    const { key } = fieldOf(name);
    let count = 0;
    for (const field of this.#fields) if (field.key === key) count++;
    return count;
  }

  /** The name of a field that is there more than once and must not be; the first of them. */
  repeated(): string | undefined {
    const fields = this.#fields;
    for (let at = 0; at < fields.length; at++) {
      const field = fields[at]!;
      if (field.once && fields.indexOf(field, at + 1) >= 0) return field.name;
    }
    return undefined;
  }

  /** One line with this value in place of every line of that name; at the place of the first, else at the end. */
  set(name: string, value: string): void {
    const { key } = fieldOf(name);
    const at = this.#find(key);
    if (at < 0) {
      this.add(name, value);
      return;
    }
    this.#values[at] = checked(value);
    for (let other = this.#fields.length - 1; other > at; other--) {
      if (this.#fields[other]!.key === key) this.#delete(other);
    }
  }

  /** One more line at the end. */
  add(name: string, value: string): void {
    this.#values.push(checked(value));
    this.#fields.push(fieldOf(name));
  }

  /** One more line at the end, as it was read: its value has no line end. */
  addRead(field: Field, value: string): void {
    this.#values.push(value);
    this.#fields.push(field);
  }

  /** One more line in front of all others: a Via or Record-Route of ours. */
  prepend(name: string, value: string): void {
    this.#values.unshift(checked(value));
    this.#fields.unshift(fieldOf(name));
  }

  remove(name: string): void {
    const { key } = fieldOf(name);
    for (let at = this.#fields.length - 1; at >= 0; at--) if (this.#fields[at]!.key === key) this.#delete(at);
  }

  /** Writes another value in place of what `get` returns: of the topmost Via, and only that one where a line holds several. */
  replaceFirst(name: string, value: string): void {
    const at = this.#find(fieldOf(name).key);
    assert(at >= 0, 'there is nothing to replace');
    const old = this.#values[at]!;
    const isOne = !this.#fields[at]!.list || !old.includes(',');
    this.#values[at] = checked(isOne ? value : [value, ...splitList(old).slice(1)].join(', '));
  }

  /** Adds every line of that name of `other` at the end, as it is written there. */
  copyFrom(other: Headers, name: string): void {
    const { key } = fieldOf(name);
    for (let at = 0; at < other.#fields.length; at++) {
      if (other.#fields[at]!.key !== key) continue;
      this.#fields.push(other.#fields[at]!);
      this.#values.push(other.#values[at]!);
    }
  }

  clone(): Headers {
    const copy = new Headers();
    copy.#fields = this.#fields.slice();
    copy.#values = this.#values.slice();
    return copy;
  }

  get size(): number {
    return this.#fields.length;
  }

  /** The lines as they are sent, each with its end, without that of Content-Length. */
  print(): string {
    let text = '';
    for (let at = 0; at < this.#fields.length; at++) {
      const { name } = this.#fields[at]!;
      if (name !== 'Content-Length') text += `${name}: ${this.#values[at]}\r\n`;
    }
    return text;
  }

  /** Each line as [canonical name, raw value], in order. */
  *[Symbol.iterator](): IterableIterator<[name: string, value: string]> {
    for (let at = 0; at < this.#fields.length; at++) yield [this.#fields[at]!.name, this.#values[at]!];
  }

  #find(key: string): number {
    for (let at = 0; at < this.#fields.length; at++) if (this.#fields[at]!.key === key) return at;
    return -1;
  }

  #delete(at: number) {
    this.#fields.splice(at, 1);
    this.#values.splice(at, 1);
  }
}

/** What a peer sent has no line ends left in it, so one here is ours: it would forge a header field. */
function checked(value: string): string {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code === LF || code === CR) assert.fail('a header field value has a line end');
  }
  return value;
}
