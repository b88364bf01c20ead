/** REFER inside a call: the peer wants us to call somebody else, and to be told how that went (RFC 3515). */
import type { Account } from '../account.ts';
import type { CallHandler, HeaderFields, Transfer } from '../contracts.ts';
import { addContact, type Core, contactAt } from '../core.ts';
import type { Dialog } from '../dialog/dialog.ts';
import { sequenceOf } from '../dialog/dialog.ts';
import { setBody } from '../dialog/request.ts';
import { Exchange } from '../exchange.ts';
import { isMalformed, type Malformed, malformed, type Request } from '../message/message.ts';
import { parseNameAddress } from '../message/name-addr.ts';
import { reasonPhrase } from '../message/status.ts';
import { parseUri, printUri } from '../message/uri.ts';
import type { ServerTransaction } from '../transaction/server.ts';
import { partyOf } from './party.ts';
import { parseReplaces, printReplaces } from './replaces.ts';

/** How long the peer may wait for the next word. Seconds (§2.4.4: we choose). */
const subscriptionS = 180;
/** How long a BYE of ours waits for the answer to the last word. A transferor that is gone must not keep the call. */
const lastWordMs = 1_000;

/** Whom we are to call, and what that INVITE says besides. */
function readTransfer({ headers }: Request): Transfer | Malformed {
  // §2.4.2
  if (headers.lines('Refer-To') !== 1) return malformed(400, 'Not exactly one Refer-To');
  const party = parseNameAddress(headers.get('Refer-To') ?? '');
  if (isMalformed(party)) return malformed(400, 'Bad Refer-To');
  const uri = parseUri(party.uri);
  if (isMalformed(uri)) return malformed(uri.status === 416 ? 416 : 400, 'Refer-To is no SIP URI');
  const { method, ...parameters } = uri.parameters;
  if (method !== undefined && method !== 'INVITE') return malformed(403, 'Only calls can be asked for');
  const extra: (readonly [string, string])[] = [];
  let replaces = false;
  for (const field of uri.headers?.split('&') ?? []) {
    const [name = '', value = ''] = field.split('=', 2);
    // All others are left out: a stranger could write into our INVITE (RFC 3261 §19.1.5).
    if (name.toLowerCase() !== 'replaces') continue;
    const parsed = parseReplaces(decode(value));
    if (isMalformed(parsed)) return parsed;
    extra.push(['Replaces', printReplaces(parsed)]);
    replaces = true;
  }
  const referredBy = headers.get('Referred-By');
  // RFC 3892 §2.2: handed on as it is.
  if (referredBy !== undefined) extra.push(['Referred-By', referredBy]);
  return {
    target: printUri({ ...uri, parameters: { ...parameters }, headers: undefined }),
    headers: extra as HeaderFields,
    replaces,
    ...(referredBy !== undefined && { referredBy: partyOf(referredBy) }),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

export interface ReferralParts {
  core: Core;
  dialog: Dialog;
  account: Account | undefined;
  handler: CallHandler;
  transaction: ServerTransaction;
  /** Told to the end, or refused. */
  onDone(): void;
}

/** One REFER and the NOTIFYs that follow it. */
export class Referral {
  readonly #parts: ReferralParts;
  /** Event, with the id that tells several REFERs of a dialog apart (§2.4.6). */
  readonly #event: string;
  readonly #isSilent: boolean;
  #busy = false;
  #waiting: number | undefined;
  #stopped = false;
  /** The last word is on its way. */
  #lastWord = false;
  #farewell: (() => void) | undefined;
  #cancelTimer = () => {};

  constructor(parts: ReferralParts) {
    this.#parts = parts;
    const { request } = parts.transaction;
    this.#event = `refer;id=${sequenceOf(request)}`;
    // RFC 4488 §4: the peer does not want to hear of it.
    this.#isSilent = request.headers.get('Refer-Sub')?.trim().toLowerCase() === 'false';
  }

  start() {
    const { core, account, handler, transaction, onDone } = this.#parts;
    const transfer = readTransfer(transaction.request);
    const refuse = (status: number, reason?: string) => {
      if (transaction.status >= 200) return;
      transaction.respond(status, reason === undefined ? {} : { reason });
      onDone();
    };
    if (isMalformed(transfer)) return refuse(transfer.status, transfer.why);
    if (handler.onTransfer === undefined) return refuse(403, 'Transfers are not taken');
    handler.onTransfer(transfer, {
      accept: () => {
        const local = core.transport.localFor(transaction.source);
        const silent = this.#isSilent ? ([['Refer-Sub', 'false']] as const) : [];
        transaction.respond(202, { headers: [['Contact', contactAt(account, local, transaction.request)], ...silent] });
        // §2.4.4: at once, whatever there is to say.
        this.#tell(100);
        return status => this.#tell(status);
      },
      refuse,
    });
    if (transaction.status < 200) refuse(500);
  }

  /** The peer has hung up: it waits for nothing. */
  stop() {
    this.#stopped = true;
    this.#cancelTimer();
    this.#farewell = undefined;
  }

  /**
   * We hang up. The peer hears the last word first, and `farewell` is called when it has answered that or is silent: a
   * BYE that comes together with the NOTIFY finds some of them busy with it, and ends the transfer for others.
   */
  finish(farewell: () => void) {
    if ((this.#waiting ?? 0) >= 200) this.#next();
    this.#stopped = true;
    if (!this.#lastWord) return farewell();
    this.#cancelTimer = this.#parts.core.clock.after(
      lastWordMs,
      () => this.#bidFarewell(),
      'BYE after the last NOTIFY',
    );
    this.#farewell = farewell;
  }

  #bidFarewell() {
    this.#cancelTimer();
    const farewell = this.#farewell;
    this.#farewell = undefined;
    farewell?.();
  }

  #tell(status: number) {
    if (this.#isSilent || this.#stopped) {
      if (status >= 200) this.#parts.onDone();
      return;
    }
    // One at a time, or they might overtake each other; of several that wait the newest counts.
    this.#waiting = status;
    if (!this.#busy) this.#next();
  }

  #next() {
    const status = this.#waiting;
    this.#waiting = undefined;
    this.#busy = status !== undefined && !this.#stopped;
    if (status === undefined || this.#stopped) return;
    const { core, dialog, account } = this.#parts;
    const isLast = status >= 200;
    this.#lastWord = isLast;
    const request = dialog.request('NOTIFY');
    request.headers.add('Event', this.#event);
    const state = isLast ? 'terminated;reason=noresource' : `active;expires=${subscriptionS}`;
    request.headers.add('Subscription-State', state);
    const fragment = `SIP/2.0 ${status} ${reasonPhrase(status)}\r\n`;
    setBody(request, { contentType: 'message/sipfrag;version=2.0', bytes: new TextEncoder().encode(fragment) });
    const over = () => {
      this.#stopped = true;
      this.#lastWord = false;
      this.#parts.onDone();
      this.#bidFarewell();
    };
    new Exchange(core, {
      request,
      nextHop: dialog.nextHop,
      account,
      nextSequence: () => dialog.nextSequence(),
      prepare: addContact(account),
      onResponse: ({ status: answer }) => {
        if (answer < 200) return;
        // RFC 6665 §4.2.2: who does not take it does not listen any more.
        if (isLast || answer >= 300) over();
        else this.#next();
      },
      onFailure: over,
    }).start();
  }
}
