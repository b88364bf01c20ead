/**
 * What the layer keeps of a server transaction: its machine, and the bytes that answer a copy of the request. From the
 * final response on it holds neither the request nor its user: it lives for 32 s more, and there may be thousands.
 */
import type { Clock } from '../../lib/clock.ts';
import { type Hop, isReliable } from '../hop.ts';
import type { Message, Request, Response } from '../message/message.ts';
import { inviteServer } from './invite-server.ts';
import { type Failure, run, type Transaction } from './machine.ts';
import { nonInviteServer } from './non-invite-server.ts';
import { makeResponse, replyTo } from './reply.ts';
import type { ServerTransaction } from './server.ts';

/** What a transaction needs of its layer. */
export interface ServerWire {
  clock: Clock;
  /** Returns the bytes, for copies. */
  send(message: Message, to: Hop, onError: () => void): Uint8Array;
  sendAgain(bytes: Uint8Array, to: Hop, onError: () => void): void;
  onRequest(transaction: ServerTransaction): void;
  onAck(ack: Request, source: Hop): void;
  /** The final response is on its way: what still comes are copies. */
  answered(): void;
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

// Tables without memory: one of each serves all.
const inviteMachine = inviteServer<Message>();
const nonInviteMachine = nonInviteServer<Message>();

export class ServerRecord {
  readonly localTag: string;
  /** Until the final response. */
  user: ServerTransaction | undefined;
  readonly #isInvite: boolean;
  readonly #wire: ServerWire;
  readonly #machine: Transaction<ServerEvent, Message>;
  #answer: Uint8Array | undefined;

  constructor(user: ServerTransaction, localTag: string, wire: ServerWire) {
    const { request, source } = user;
    this.user = user;
    this.localTag = localTag;
    this.#isInvite = request.method === 'INVITE';
    this.#wire = wire;
    this.#machine = this.#makeMachine(source, replyTo(request, source));
  }

  /** A function of its own: what runs the machine must not hold the request by the scope that it was made in. */
  #makeMachine(source: Hop, to: Hop): Transaction<ServerEvent, Message> {
    const wire = this.#wire;
    const failed = () => this.#machine.handle('transport error');
    const surroundings = {
      clock: wire.clock,
      send: (message: Message) => {
        this.#answer = wire.send(message, to, failed);
      },
      repeat: () => wire.sendAgain(this.#answer!, to, failed),
      deliver: (message: Message) => {
        if (message === this.user?.request) wire.onRequest(this.user);
        else wire.onAck(message as Request, source);
      },
      fail: (reason: Failure) => this.user?.onFailure?.(reason),
      ended: () => wire.ended(),
    };
    const reliable = isReliable(source);
    return this.#isInvite
      ? run(inviteMachine, { reliable }, surroundings)
      : run(nonInviteMachine, { reliable }, surroundings);
  }

  start() {
    const user = this.user!;
    try {
      this.#machine.start(user.request);
    } finally {
      // §17.2.1: 100, unless the user has answered already. At once and not after 200 ms: who hears it stops resending.
      if (this.#isInvite && user.status === 0)
        this.#machine.handle('send 1xx', makeResponse(user.request, 100, this.localTag));
    }
  }

  /** Bytes of the answer that it keeps. */
  get answerBytes() {
    return this.#answer?.length ?? 0;
  }

  /** A copy of the request, or the ACK to a failure response. */
  receive(request: Request) {
    if (!this.#isInvite) this.#machine.handle('request', request);
    else if (request.method === 'ACK') this.#machine.handle('ACK', request);
    else this.#machine.handle('INVITE', request);
  }

  respond(response: Response) {
    const { status } = response;
    if (status < 200) return this.#machine.handle('send 1xx', response);
    const isFirst = this.user !== undefined;
    this.user = undefined;
    if (!this.#isInvite) this.#machine.handle('send 2xx-6xx', response);
    else this.#machine.handle(status < 300 ? 'send 2xx' : 'send 3xx-6xx', response);
    if (!isFirst) return;
    // Memory of its own: a small buffer is a piece of a larger one, which it would keep alive.
    if (this.#answer !== undefined) this.#answer = Uint8Array.from(this.#answer);
    this.#wire.answered();
  }

  /** Forgets it, without a word to anybody. */
  stop() {
    this.#machine.stop();
  }

  /** Ends it early, to make room. */
  end() {
    this.stop();
    this.#wire.ended();
  }
}
