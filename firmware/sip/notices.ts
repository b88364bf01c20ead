/**
 * What is told to the device outside any call: NOTIFY `check-sync` (look at your configuration now) and MESSAGE
 * (RFC 3428). Both are taken from an account's own server, or from who knows the account's password; from nobody else.
 */
import type { Account } from './account.ts';
import type { NoticeHandler } from './contracts.ts';
import type { Core } from './core.ts';
import { bodyOf } from './dialog/request.ts';
import { Gate } from './digest/gate.ts';
import { allowEvents, checkSyncEvents, eventOf } from './event/event.ts';
import { partyOf } from './session/party.ts';
import type { ServerTransaction } from './transaction/server.ts';

/** Longest text that is handed on, characters. */
const textLimit = 1_000;

export class Notices {
  readonly #core: Core;
  readonly #handler: NoticeHandler;
  /** One for each account that has passwords. */
  readonly #gates = new Map<Account, Gate>();

  constructor(core: Core, handler: NoticeHandler) {
    this.#core = core;
    this.#handler = handler;
  }

  serveNotify(transaction: ServerTransaction, account: Account | undefined) {
    const { request, source } = transaction;
    const { name, parameters } = eventOf(request);
    // RFC 6665 §7.2.2.
    if (!checkSyncEvents.includes(name)) {
      return void transaction.respond(489, { headers: [['Allow-Events', allowEvents]] });
    }
    if (!this.#isBelieved(transaction, account)) return;
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
    if (!this.#isBelieved(transaction, account)) return;
    transaction.respond(200);
    this.#handler.onMessage({
      remote: partyOf(request.headers.get('From') ?? ''),
      source,
      account: account?.settings.id,
      text: printable(body?.bytes ?? new Uint8Array()),
    });
  }

  /** False where the request has been answered 401 or 403. */
  #isBelieved(transaction: ServerTransaction, account: Account | undefined): boolean {
    if (this.#handler.trusts(transaction.source, account?.settings.id)) return true;
    const gate = account === undefined ? undefined : this.#gateOf(account);
    if (gate !== undefined) return gate.admit(transaction) !== undefined;
    transaction.respond(403);
    return false;
  }

  /** Who knows the account's own password, or is one of its callers. */
  #gateOf(account: Account): Gate | undefined {
    const { password, username = account.uri.user, callers = [] } = account.settings;
    const passwords = new Map(callers.map(caller => [caller.username, caller.password]));
    if (password !== undefined && username !== undefined) passwords.set(username, password);
    if (passwords.size === 0) return undefined;
    let gate = this.#gates.get(account);
    if (gate === undefined) {
      gate = new Gate(account.uri.host, passwords, this.#core);
      this.#gates.set(account, gate);
    }
    return gate;
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
