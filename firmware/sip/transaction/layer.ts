/** The transaction layer: every message comes in here and finds, or makes, its transaction (RFC 3261 §17, §18). */
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Random } from '../../lib/random.ts';
import type { Admission } from '../admission/admission.ts';
import { isKeepAlive } from '../admission/peek.ts';
import type { Transport } from '../contracts.ts';
import type { SipCounters } from '../counters.ts';
import { type Hop, printHop } from '../hop.ts';
import type { Malformed, Message, Request, Response } from '../message/message.ts';
import { parseMessage } from '../message/parse.ts';
import { printMessage } from '../message/print.ts';
import { MAGIC_COOKIE } from '../message/via.ts';
import { Answered } from './answered.ts';
import { ClientTransaction, type ClientUser, viaOf } from './client.ts';
import { clientKeyOf, mergeKey, serverKey, tagOf } from './matching.ts';
import { makeResponse, markReceived, type Reply, replyTo } from './reply.ts';
import { ServerTransaction } from './server.ts';
import type { ServerRecord, ServerWire } from './server-record.ts';

/** Requests that wait for their final answer. A device has a handful; a thousand is an attack or a broken proxy. */
export const serverTransactionLimit = 1_000;
/** What a request above the limit is told to wait. Seconds. */
const overloadRetryAfterS = 10;

export interface TransactionUser {
  /** A new request; ACK and CANCEL never come this way. */
  onRequest(transaction: ServerTransaction): void;
  /** An ACK that is not for a failure response: it belongs to a dialog. */
  onAck(ack: Request, source: Hop): void;
}

export interface LayerEnvironment {
  clock: Clock;
  random: Random;
  log: Log;
  transport: Transport;
  counters: SipCounters;
  /** User-Agent and Server. */
  product: string;
  /** Absent: everybody is let in. */
  admission?: Admission | undefined;
}

export class TransactionLayer {
  readonly #environment: LayerEnvironment;
  readonly #user: TransactionUser;
  readonly #clients = new Map<string, ClientTransaction>();
  readonly #servers = new Map<string, ServerRecord>();
  /** Those of `#servers` that only wait for copies. */
  readonly #answered = new Answered();
  /** Merge key → key of the transaction that came first (§8.2.2.2). */
  readonly #firstWays = new Map<string, string>();
  #stopped = false;
  /** §8.2.7: a stateless answer must have the same tag in every copy. */
  readonly #statelessTag: string;

  constructor(environment: LayerEnvironment, user: TransactionUser) {
    this.#environment = environment;
    this.#user = user;
    this.#statelessTag = environment.random.token(8);
  }

  get size() {
    return this.#clients.size + this.#servers.size;
  }

  /** Those of `size` that have had their answer and only wait for copies of the request. */
  get answered() {
    return this.#answered.size;
  }

  /** Sends a request (without Via) in a new transaction. `user` hears nothing before this returns. */
  request(request: Request, to: Hop, user: ClientUser): ClientTransaction {
    return this.#client(this.#withVia(request, to), to, user);
  }

  /** Sends a request outside any transaction: the ACK to a 2xx (§13.2.2.4). */
  sendAck(ack: Request, to: Hop, copy: boolean) {
    if (this.#stopped) return;
    if (copy) this.#environment.counters.retransmissions++;
    this.#send(this.#withVia(ack, to), to);
  }

  receive(bytes: Uint8Array, source: Hop) {
    const { counters, log, admission } = this.#environment;
    if (isKeepAlive(bytes)) return;
    counters.receivedMessages++;
    const verdict = admission?.admit(bytes, source) ?? 'admit';
    if (verdict === 'drop') return;
    const message = parseMessage(bytes);
    if (message.kind === 'malformed') this.#refuseMalformed(message, source);
    else if (verdict === 'refuse') this.#refuseForNow(message, source);
    else {
      log.debug('received', () => ({ from: printHop(source), what: summary(message) }));
      if (message.kind === 'response') this.#receiveResponse(message, source);
      else {
        markReceived(message, source);
        this.#receiveRequest(message, source);
      }
    }
  }

  /** Forgets every transaction, without a word to anybody, and begins none any more. */
  stop() {
    this.#stopped = true;
    for (const transaction of [...this.#clients.values(), ...this.#servers.values()]) transaction.stop();
    this.#clients.clear();
    this.#servers.clear();
    this.#answered.clear();
    this.#firstWays.clear();
  }

  #receiveResponse(response: Response, source: Hop) {
    const key = clientKeyOf(response);
    const transaction = key === undefined ? undefined : this.#clients.get(key);
    if (transaction === undefined) this.#stray(`response ${response.status}`, source);
    else transaction.receive(response);
  }

  #receiveRequest(request: Request, source: Hop) {
    const key = serverKey(request, request.method === 'ACK' ? 'INVITE' : request.method);
    const known = this.#servers.get(key);
    if (known !== undefined) known.receive(request);
    else if (request.method === 'ACK') this.#user.onAck(request, source);
    else if (this.#environment.admission?.ignores(request, source)) return;
    else if (this.#servers.size - this.#answered.size >= serverTransactionLimit) {
      this.#refuseForNow(request, source);
    } else this.#serve(request, source, key);
  }

  #serve(request: Request, source: Hop, key: string) {
    const cancelled = request.method === 'CANCEL' ? this.#servers.get(serverKey(request, 'INVITE')) : undefined;
    const merge = tagOf(request.headers.get('To')) === undefined ? mergeKey(request) : undefined;
    const isMerged = merge !== undefined && this.#firstWays.has(merge);
    // §9.2: the answer to a CANCEL has the tag that the answers to its INVITE have.
    const localTag = cancelled?.localTag ?? this.#environment.random.token(8);
    const { record } = new ServerTransaction(request, source, localTag, this.#serverWire(key, merge, isMerged));
    this.#servers.set(key, record);
    if (merge !== undefined && !isMerged) this.#firstWays.set(merge, key);
    record.start();
  }

  /** Apart from `#serve`, whose scope holds the request: this lives for 32 s more. */
  #serverWire(key: string, merge: string | undefined, isMerged: boolean): ServerWire {
    const forget = (old: string) => {
      this.#servers.delete(old);
      this.#answered.delete(old);
    };
    return {
      clock: this.#environment.clock,
      send: (message, to, onError) => this.#send(message, to, onError),
      sendAgain: (bytes, to, onError) => this.#sendAgain(bytes, to, onError),
      onRequest: served => {
        if (served.request.method === 'CANCEL') this.#cancel(served);
        else if (isMerged) served.respond(482);
        else this.#user.onRequest(served);
      },
      onAck: (ack, from) => this.#user.onAck(ack, from),
      answered: () => {
        const record = this.#servers.get(key);
        if (record === undefined) return;
        this.#answered.add(key, record.answerBytes + key.length + (merge?.length ?? 0));
        this.#makeRoom();
      },
      ended: () => {
        forget(key);
        if (merge !== undefined && this.#firstWays.get(merge) === key) this.#firstWays.delete(merge);
      },
    };
  }

  #makeRoom() {
    for (let key = this.#answered.excess; key !== undefined; key = this.#answered.excess) {
      // Its end is told to `ended`, which forgets it.
      this.#servers.get(key)!.end();
    }
  }

  /** §9.2. */
  #cancel(transaction: ServerTransaction) {
    const cancelled = this.#servers.get(serverKey(transaction.request, 'INVITE'));
    if (cancelled === undefined) {
      this.#environment.counters.strayMessages++;
      transaction.respond(481);
      return;
    }
    transaction.respond(200);
    cancelled.user?.onCancel?.(transaction.request);
  }

  #client(request: Request, to: Hop, user: ClientUser): ClientTransaction {
    const key = clientKeyOf(request)!;
    const wire = {
      clock: this.#environment.clock,
      send: (message: Message, address: Hop, onError: (error: Error) => void) => this.#send(message, address, onError),
      sendAgain: (bytes: Uint8Array, address: Hop, onError: (error: Error) => void) =>
        this.#sendAgain(bytes, address, onError),
      sendCancel: (cancel: Request, address: Hop) =>
        void this.#client(cancel, address, { onResponse() {}, onFailure() {} }),
    };
    const transaction = new ClientTransaction(request, to, wire, user, () => this.#clients.delete(key));
    // A name may be resolved only after the end.
    if (this.#stopped) return transaction;
    this.#clients.set(key, transaction);
    this.#environment.admission?.asks(to.host);
    transaction.start();
    return transaction;
  }

  #refuseMalformed({ status, why, request }: Malformed, source: Hop) {
    const { counters, log } = this.#environment;
    counters.malformedMessages++;
    log.debug('malformed message', () => ({ from: printHop(source), why }));
    // An ACK is never answered (§17.1.1.3).
    if (request === undefined || request.method === 'ACK') return;
    markReceived(request, source);
    this.#refuse(request, source, status, { reason: why });
  }

  /** Nothing but an ACK or a response has no answer, and those come only where the first line was a lie. */
  #refuseForNow(message: Message, source: Hop) {
    if (message.kind === 'response' || message.method === 'ACK') return;
    if (this.#environment.admission?.ignores(message, source)) return;
    markReceived(message, source);
    this.#environment.counters.overloadRefusals++;
    this.#refuse(message, source, 503, { headers: [['Retry-After', String(overloadRetryAfterS)]] });
  }

  /** Answers and forgets (§8.2.7). */
  #refuse(request: Request, source: Hop, status: number, reply: Reply) {
    this.#environment.counters.rejectedRequests++;
    this.#send(makeResponse(request, status, this.#statelessTag, reply), replyTo(request, source));
  }

  #stray(what: string, source: Hop) {
    const { counters, log } = this.#environment;
    counters.strayMessages++;
    log.debug('stray message', () => ({ what, from: printHop(source) }));
  }

  #withVia(request: Request, to: Hop): Request {
    const { random, transport } = this.#environment;
    const headers = request.headers.clone();
    headers.prepend('Via', viaOf(transport.localFor(to), to.transport ?? 'udp', MAGIC_COOKIE + random.token(12)));
    return { ...request, headers };
  }

  #send(message: Message, to: Hop, onError?: (error: Error) => void): Uint8Array {
    const { counters, product, log } = this.#environment;
    log.debug('sent', () => ({ to: printHop(to), what: summary(message) }));
    message.headers.set(message.kind === 'request' ? 'User-Agent' : 'Server', product);
    counters.sentMessages++;
    const bytes = printMessage(message);
    this.#pass(bytes, to, onError);
    return bytes;
  }

  #sendAgain(bytes: Uint8Array, to: Hop, onError: (error: Error) => void) {
    const { counters, log } = this.#environment;
    log.debug('sent again', () => ({ to: printHop(to), bytes: bytes.length }));
    counters.sentMessages++;
    counters.retransmissions++;
    this.#pass(bytes, to, onError);
  }

  #pass(bytes: Uint8Array, to: Hop, onError?: (error: Error) => void) {
    const { transport, log } = this.#environment;
    transport.send(bytes, to, error => {
      log.warn('message not sent', { to: printHop(to), why: error.message });
      onError?.(error);
    });
  }
}

/** `INVITE sip:desk@example.org (1 INVITE)`, `180 Ringing (1 INVITE)`. */
function summary(message: Message): string {
  const start = message.kind === 'request' ? `${message.method} ${message.uri}` : `${message.status} ${message.reason}`;
  return `${start} (${message.headers.get('CSeq')})`;
}
