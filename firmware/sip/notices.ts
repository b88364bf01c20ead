/**
 * What is told to the device outside any call: NOTIFY `check-sync` (look at your configuration now) and MESSAGE
 * (RFC 3428). Both are taken from an account's own server, or from who knows the account's password; from nobody else.
 */
import type { Account } from './account.ts';
import type { NoticeHandler } from './contracts.ts';
import type { Core } from './core.ts';
import { bodyOf } from './dialog/request.ts';
import { DigestServer } from './digest/server.ts';
import { allowEvents, checkSyncEvents, eventOf } from './event/event.ts';
import { partyOf } from './session/party.ts';
import type { ServerTransaction } from './transaction/server.ts';

/** Longest text that is handed on, characters. */
const textLimit = 1_000;
/** Who sends a notice answers a challenge at once. */
const nonceLifetimeMs = 60_000;

export class Notices {
  readonly #core: Core;
  readonly #handler: NoticeHandler;
  /** One for each account that has a password. */
  readonly #digests = new Map<Account, DigestServer>();

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
    const { request, source } = transaction;
    if (this.#handler.trusts(source, account?.settings.id)) return true;
    const digest = account === undefined ? undefined : this.#digestOf(account);
    if (digest === undefined) {
      transaction.respond(403);
      return false;
    }
    const verdict = digest.verify(request.headers.all('Authorization'), request.method, request.body);
    if (verdict.is === 'ok') return true;
    if (verdict.is === 'malformed') transaction.respond(400, { reason: verdict.why });
    else {
      const challenges = digest.challenges(verdict.is === 'stale');
      transaction.respond(401, { headers: challenges.map(value => ['WWW-Authenticate', value] as const) });
    }
    return false;
  }

  #digestOf(account: Account): DigestServer | undefined {
    const { password, username = account.uri.user } = account.settings;
    if (password === undefined) return undefined;
    let digest = this.#digests.get(account);
    if (digest === undefined) {
      const secretOf = (name: string) => (name === username ? { password } : undefined);
      const algorithms = ['SHA-256', 'MD5'] as const;
      const settings = { realm: account.uri.host, algorithms, nonceLifetimeMs, secretOf };
      digest = new DigestServer(settings, this.#core.clock, this.#core.random);
      this.#digests.set(account, digest);
    }
    return digest;
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
