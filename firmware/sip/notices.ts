/**
 * What is told to the device outside any call: NOTIFY `check-sync` (look at your configuration now) and MESSAGE
 * (RFC 3428).
 */
import type { Account } from './account.ts';
import type { Authority } from './authority.ts';
import { bodyOf } from './dialog/request.ts';
import type { NoticeHandler } from './event/contracts.ts';
import { allowEvents, checkSyncEvents, eventOf } from './event/event.ts';
import { partyOf } from './session/party.ts';
import type { ServerTransaction } from './transaction/server.ts';

/** Longest text that is handed on, characters. */
const textLimit = 1_000;

export class Notices {
  readonly #authority: Authority;
  readonly #handler: NoticeHandler;

  constructor(authority: Authority, handler: NoticeHandler) {
    this.#authority = authority;
    this.#handler = handler;
  }

  serveNotify(transaction: ServerTransaction, account: Account | undefined) {
    const { request, source } = transaction;
    const { name, parameters } = eventOf(request);
    // RFC 6665 §7.2.2.
    if (!checkSyncEvents.includes(name)) {
      return void transaction.respond(489, { headers: [['Allow-Events', allowEvents]] });
    }
    if (!this.#authority.believes(transaction, account)) return;
    transaction.respond(200);
    this.#handler.onCheckSync({
      remote: partyOf(request.headers.get('From') ?? ''),
      source,
      account: account?.settings.id,
      asksForReboot: String(parameters.reboot).toLowerCase() === 'true',
    });
  }

  serveMessage(transaction: ServerTransaction, account: Account | undefined) {
    const { request, source } = transaction;
    const body = bodyOf(request);
    if (body !== undefined && body.contentType.split(';', 1)[0]!.trim().toLowerCase() !== 'text/plain') {
      return void transaction.respond(415, { headers: [['Accept', 'text/plain']] });
    }
    if (!this.#authority.believes(transaction, account)) return;
    transaction.respond(200);
    this.#handler.onMessage({
      remote: partyOf(request.headers.get('From') ?? ''),
      source,
      account: account?.settings.id,
      text: printable(body?.bytes ?? new Uint8Array()),
    });
  }
}

/** A text for a log line: no control characters but line ends, and not without limit. */
const printable = (bytes: Uint8Array) =>
  new TextDecoder()
    .decode(bytes)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not pass
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, '')
    .trim()
    .slice(0, textLimit);
