/** A server transaction on the wire: one request that came in, and what it is answered. */
import assert from 'node:assert';
import type { Clock } from '../../lib/clock.ts';
import { type Hop, isReliable } from '../hop.ts';
import type { Message, Request, Response } from '../message/message.ts';
import { inviteServer } from './invite-server.ts';
import { type Failure, run, type Transaction } from './machine.ts';
import { nonInviteServer } from './non-invite-server.ts';
import { makeResponse, type Reply, replyTo } from './reply.ts';

/** What a transaction needs of its layer. */
export interface ServerWire {
  clock: Clock;
  send(message: Message, to: Hop, copy: boolean, onError: () => void): void;
  onRequest(transaction: ServerTransaction): void;
  onAck(ack: Request, source: Hop): void;
  ended(): void;
}

type ServerEvent =
  | 'INVITE'
  | 'ACK'
  | 'request'
  | 'send 1xx'
  | 'send 2xx'
  | 'send 3xx-6xx'
  | 'send 2xx-6xx'
  | 'transport error';

export class ServerTransaction {
  readonly request: Request;
  readonly source: Hop;
  /** What our responses put into To where the request brought no tag. */
  readonly localTag: string;
  /** The status of the last response; 0 before the first. */
  status = 0;
  /** Set by the user of an INVITE: the peer does not want it any more. Not called after a final response. */
  onCancel: ((cancel: Request) => void) | undefined;
  /** Set by the user: the final response may not have arrived. */
  onFailure: ((reason: Failure) => void) | undefined;
  readonly #machine: Transaction<ServerEvent, Message>;

  constructor(request: Request, source: Hop, localTag: string, wire: ServerWire) {
    this.request = request;
    this.source = source;
    this.localTag = localTag;
    const destination = replyTo(request, source);
    const surroundings = {
      clock: wire.clock,
      send: (message: Message, copy: boolean) =>
        wire.send(message, destination, copy, () => this.#machine.handle('transport error', message)),
      deliver: (message: Message) =>
        message === request ? wire.onRequest(this) : wire.onAck(message as Request, source),
      fail: (reason: Failure) => this.onFailure?.(reason),
      ended: () => wire.ended(),
    };
    const reliable = isReliable(source);
    this.#machine =
      request.method === 'INVITE'
        ? run(
            inviteServer<Message>(),
            { invite: request, trying: makeResponse(request, 100, localTag), reliable },
            surroundings,
          )
        : run(nonInviteServer<Message>(), { request, reliable }, surroundings);
  }

  start() {
    this.#machine.start();
  }

  /** A copy of the request, or the ACK to a failure response. */
  receive(request: Request) {
    if (this.request.method !== 'INVITE') this.#machine.handle('request', request);
    else if (request.method === 'ACK') this.#machine.handle('ACK', request);
    else this.#machine.handle('INVITE', request);
  }

  /** Answers. A second final response is ignored. Returns what was sent. */
  respond(status: number, reply: Reply = {}): Response {
    const response = makeResponse(this.request, status, this.localTag, reply);
    this.#send(response);
    return response;
  }

  /** Sends a 2xx to INVITE once more; the user repeats it until the ACK comes (§13.3.1.4). */
  repeat(response: Response) {
    this.#machine.handle('send 2xx', response);
  }

  /** Forgets it, without a word to anybody. */
  stop() {
    this.#machine.stop();
  }

  #send(response: Response) {
    const { status } = response;
    const isInvite = this.request.method === 'INVITE';
    assert(isInvite || status !== 408, 'no 408 to a non-INVITE request (RFC 4320 §4.1)');
    if (this.status >= 200) return;
    this.status = status;
    if (status < 200) this.#machine.handle('send 1xx', response);
    else if (!isInvite) this.#machine.handle('send 2xx-6xx', response);
    else this.#machine.handle(status < 300 ? 'send 2xx' : 'send 3xx-6xx', response);
  }
}
