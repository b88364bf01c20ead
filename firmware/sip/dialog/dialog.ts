/** A dialog: who talks to whom, by which route, with which numbers (RFC 3261 §12). */
import { parseCSeq } from '../message/cseq.ts';
import { Headers } from '../message/headers.ts';
import { isMalformed, type Request, type Response } from '../message/message.ts';
import { parseNameAddress } from '../message/name-addr.ts';
import { parseUri } from '../message/uri.ts';
import { tagOf } from '../transaction/matching.ts';
import { maxForwards } from './request.ts';

export interface DialogIdentity {
  callId: string;
  localTag: string;
  /** Empty where the peer is of RFC 2543 and gave none (RFC 3261 §12.1.1). */
  remoteTag: string;
}

interface DialogParts extends DialogIdentity {
  /** From and To values of our requests, with tags. */
  local: string;
  remote: string;
  remoteTarget: string;
  /** Route values, ours first. */
  routeSet: readonly string[];
  localSequence: number;
  remoteSequence: number | undefined;
}

export class Dialog implements DialogIdentity {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly #local: string;
  readonly #remote: string;
  #routeSet: readonly string[];
  #remoteTarget: string;
  #localSequence: number;
  #remoteSequence: number | undefined;

  constructor(parts: DialogParts) {
    this.callId = parts.callId;
    this.localTag = parts.localTag;
    this.remoteTag = parts.remoteTag;
    this.#local = parts.local;
    this.#remote = parts.remote;
    this.#routeSet = parts.routeSet;
    this.#remoteTarget = parts.remoteTarget;
    this.#localSequence = parts.localSequence;
    this.#remoteSequence = parts.remoteSequence;
  }

  /** The caller's side, from a 1xx or 2xx with a tag in To: §12.1.2. */
  static ofResponse(invite: Request, response: Response): Dialog {
    const { headers } = response;
    return new Dialog({
      callId: headers.get('Call-ID') ?? '',
      localTag: tagOf(headers.get('From')) ?? '',
      remoteTag: tagOf(headers.get('To')) ?? '',
      local: headers.get('From') ?? '',
      remote: headers.get('To') ?? '',
      // A response without Contact breaks §12.1.1; where the INVITE went is the best guess left.
      remoteTarget: contactOf(response) ?? invite.uri,
      routeSet: headers.all('Record-Route').toReversed(),
      localSequence: sequenceOf(invite),
      remoteSequence: undefined,
    });
  }

  /** The callee's side, from an INVITE and the tag that we answer with: §12.1.1. */
  static ofInvite(invite: Request, localTag: string): Dialog {
    const { headers } = invite;
    return new Dialog({
      callId: headers.get('Call-ID') ?? '',
      localTag,
      remoteTag: tagOf(headers.get('From')) ?? '',
      local: `${headers.get('To')};tag=${localTag}`,
      remote: headers.get('From') ?? '',
      // A caller of RFC 2543 may have no Contact: it is where its From says.
      remoteTarget: contactOf(invite) ?? uriOf(headers.get('From') ?? ''),
      routeSet: headers.all('Record-Route'),
      localSequence: 0,
      remoteSequence: sequenceOf(invite),
    });
  }

  /** The subscriber's side, from our SUBSCRIBE and the first NOTIFY: RFC 6665 §4.4.1. */
  static ofNotify(notify: Request, subscribe: Request, sequence: number): Dialog {
    const { headers } = notify;
    const local = subscribe.headers.get('From') ?? '';
    return new Dialog({
      callId: headers.get('Call-ID') ?? '',
      localTag: tagOf(local) ?? '',
      remoteTag: tagOf(headers.get('From')) ?? '',
      local,
      remote: headers.get('From') ?? '',
      remoteTarget: contactOf(notify) ?? subscribe.uri,
      routeSet: headers.all('Record-Route'),
      localSequence: sequence,
      remoteSequence: undefined,
    });
  }

  nextSequence() {
    return ++this.#localSequence;
  }

  /** §12.2.1.2, §12.2.2: INVITE and its 2xx move the peer's Contact. */
  refreshTarget(message: Request | Response) {
    this.#remoteTarget = contactOf(message) ?? this.#remoteTarget;
  }

  /** §13.2.2.4: the 2xx says anew where an early dialog goes, and by which route; its numbers go on. */
  confirm(response: Response) {
    this.refreshTarget(response);
    this.#routeSet = response.headers.all('Record-Route').toReversed();
  }

  /** §12.2.2: false for a request that is out of order. Takes note of its number. */
  accepts(request: Request): boolean {
    const sequence = sequenceOf(request);
    if (this.#remoteSequence !== undefined && sequence <= this.#remoteSequence) return false;
    this.#remoteSequence = sequence;
    return true;
  }

  /** Where requests of this dialog are sent: the URI of the first hop. For a strict router that is the Request-URI. */
  get nextHop(): string {
    const [first] = this.#routeSet;
    return first === undefined ? this.#remoteTarget : uriOf(first);
  }

  /** A request inside the dialog: §12.2.1.1. `sequence` is given only for ACK, which repeats that of its INVITE. */
  request(method: string, sequence = this.nextSequence()): Request {
    const { uri, routes } = this.#routing();
    const headers = new Headers();
    for (const route of routes) headers.add('Route', route);
    headers.add('Max-Forwards', maxForwards);
    headers.add('From', this.#local);
    headers.add('To', this.#remote);
    headers.add('Call-ID', this.callId);
    headers.add('CSeq', `${sequence} ${method}`);
    return { kind: 'request', method, uri, headers, body: new Uint8Array() };
  }

  /** §12.2.1.1; §16.12.1.1 shows both kinds of router. */
  #routing(): { uri: string; routes: readonly string[] } {
    const [first, ...rest] = this.#routeSet;
    if (first === undefined) return { uri: this.#remoteTarget, routes: [] };
    const uri = parseUri(uriOf(first));
    if (isMalformed(uri) || uri.parameters.lr !== undefined) {
      return { uri: this.#remoteTarget, routes: this.#routeSet };
    }
    // A strict router takes the Request-URI for itself and finds the target at the end.
    return { uri: uriOf(first), routes: [...rest, `<${this.#remoteTarget}>`] };
  }
}

export const sameDialog = (a: DialogIdentity, b: DialogIdentity) =>
  a.callId === b.callId && a.localTag === b.localTag && a.remoteTag === b.remoteTag;

export function sequenceOf(message: Request | Response): number {
  const cseq = parseCSeq(message.headers.get('CSeq') ?? '');
  return isMalformed(cseq) ? 0 : cseq.sequence;
}

/** The URI of the first Contact, where there is one that can be read. */
export function contactOf(message: Request | Response): string | undefined {
  const contact = message.headers.get('Contact');
  const parsed = contact === undefined ? undefined : parseNameAddress(contact);
  return parsed === undefined || isMalformed(parsed) ? undefined : parsed.uri;
}

function uriOf(route: string): string {
  const parsed = parseNameAddress(route);
  return isMalformed(parsed) ? route : parsed.uri;
}
