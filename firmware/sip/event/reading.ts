/**
 * Reads what others tell of themselves: presence documents (RFC 3863, RFC 4480) and lists of calls (RFC 4235). Only the
 * few elements that say whether somebody can be called; whatever else a server writes is passed over.
 */
import type { Body } from '../contracts.ts';
import { parseNumber } from '../message/grammar.ts';

/** Whether somebody is there to be called. */
export type Availability = 'available' | 'busy' | 'away' | 'unknown';

/** Calls of one telephone that are remembered from one document to the next. */
const dialogLimit = 32;

export const presenceTypes = ['application/pidf+xml'] as const;
export const dialogTypes = ['application/dialog-info+xml'] as const;

/** RPID activities and notes of PBXs that mean "there, but do not disturb", and "not there". */
const busyWords = /^(?:on-?the-?phone|busy|meeting|in-?transit|presentation|performance|ringing)$/;
const awayWords = /^(?:away|vacation|holiday|sleeping|permanent-?absence|appointment|meal|travel|offline)$/;

/** From a PIDF document. One tuple that is open is enough: some telephone of that person is there. */
export function availabilityIn({ bytes }: Body): Availability {
  let isOpen: boolean | undefined;
  let isBusy = false;
  let isAway = false;
  let inActivities = false;
  for (const { name, isEnd, text } of tagsOf(bytes)) {
    if (name === 'activities') inActivities = !isEnd;
    if (isEnd) continue;
    const word = text.trim().toLowerCase();
    if (name === 'basic' && (word === 'open' || word === 'closed')) isOpen = isOpen === true || word === 'open';
    // Asterisk says it in a note for people, others by an element for machines.
    const said = name === 'note' ? word.replaceAll(' ', '-') : inActivities ? name : '';
    isBusy ||= busyWords.test(said);
    isAway ||= awayWords.test(said);
  }
  if (isOpen === undefined) return 'unknown';
  if (!isOpen || isAway) return 'away';
  return isBusy ? 'busy' : 'available';
}

/** Follows the calls of one telephone through documents of full and of partial state. */
export class DialogReader {
  /** Ids of dialogs that go on. */
  readonly #calls = new Set<string>();
  #version = -1;

  /** For a new subscription, whose versions begin anew (RFC 4235 §4.1). */
  reset() {
    this.#calls.clear();
    this.#version = -1;
  }

  read({ bytes }: Body): Availability {
    let id: string | undefined;
    let isDocument = false;
    for (const { name, isEnd, attributes, text } of tagsOf(bytes)) {
      if (isEnd) continue;
      if (name === 'dialog-info') {
        const version = parseNumber(attribute(attributes, 'version') ?? '', 2 ** 32) ?? 0;
        // §4.3: an old one has been overtaken.
        if (version <= this.#version) return this.#availability;
        this.#version = version;
        isDocument = true;
        if (attribute(attributes, 'state') !== 'partial') this.#calls.clear();
      } else if (name === 'dialog') id = attribute(attributes, 'id');
      else if (name === 'state' && id !== undefined) this.#note(id, text.trim().toLowerCase());
    }
    return isDocument ? this.#availability : 'unknown';
  }

  #note(id: string, state: string) {
    if (state === 'terminated') this.#calls.delete(id);
    else if (this.#calls.size < dialogLimit) this.#calls.add(id);
  }

  get #availability(): Availability {
    return this.#calls.size > 0 ? 'busy' : 'available';
  }
}

interface Tag {
  /** Without its prefix. */
  name: string;
  isEnd: boolean;
  attributes: string;
  /** What follows, to the next tag. */
  text: string;
}

/** Every tag in order, in one pass. No XML parser: entities stay as they are, and a `>` in an attribute ends the tag. */
function* tagsOf(bytes: Uint8Array): Generator<Tag> {
  const xml = new TextDecoder().decode(bytes);
  for (let at = xml.indexOf('<'); at >= 0; ) {
    const isComment = xml.startsWith('<!--', at);
    const end = isComment ? xml.indexOf('-->', at) : xml.indexOf('>', at);
    if (end < 0) return;
    const next = xml.indexOf('<', end);
    const inside = xml.slice(at + 1, end);
    const found = isComment ? null : /^(\/?)(?:[\w.-]+:)?([\w.-]+)(.*)$/s.exec(inside);
    if (found !== null) {
      const [, slash = '', name = '', attributes = ''] = found;
      yield { name, isEnd: slash !== '', attributes, text: xml.slice(end + 1, next < 0 ? undefined : next) };
      if (attributes.endsWith('/')) yield { name, isEnd: true, attributes: '', text: '' };
    }
    at = next;
  }
}

function attribute(attributes: string, name: string): string | undefined {
  const found = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(attributes);
  return found === null ? undefined : (found[1] ?? found[2]);
}
