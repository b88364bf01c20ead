/** A client transaction on the wire: one request to one address, its responses, and its CANCEL. */
import { type Address, printAddress } from '../../lib/address.ts';
import type { Clock } from '../../lib/clock.ts';
import { type Hop, isReliable, type TransportName } from '../hop.ts';
import { Headers } from '../message/headers.ts';
import type { Message, Request, Response } from '../message/message.ts';
import { inviteClient } from './invite-client.ts';
import { type Failure, run, type Transaction } from './machine.ts';
import { nonInviteClient } from './non-invite-client.ts';
import { giveUpMs } from './timers.ts';

export interface ClientUser {
  /** Every response that the machine passes up: 1xx and the final one; for INVITE each copy of a 2xx as well. */
  onResponse(response: Response): void;
  /** `why`: what the transport said, in words. */
  onFailure(reason: Failure, why?: string): void;
}

/** What a transaction needs of its layer. */
export interface Wire {
  clock: Clock;
  /** Returns the bytes, for copies. */
  send(message: Message, to: Hop, onError: (error: Error) => void): Uint8Array;
  sendAgain(bytes: Uint8Array, to: Hop, onError: (error: Error) => void): void;
  /** Sends a request in a transaction of its own whose outcome interests nobody, with the Via that it has. */
  sendCancel(cancel: Request, to: Hop): void;
}

// Tables without memory: one of each serves all.
const inviteMachine = inviteClient<Message>();
const nonInviteMachine = nonInviteClient<Message>();

export class ClientTransaction {
  /** As it went out, with its Via. */
  readonly request: Request;
  readonly to: Hop;
  readonly #wire: Wire;
  readonly #user: ClientUser;
  readonly #ended: () => void;
  readonly #machine: Transaction<'1xx' | '2xx' | '3xx-6xx' | '2xx-6xx' | 'transport error' | 'abandoned', Message>;
  #cancel: 'no' | 'wanted' | 'sent' = 'no';
  #reason: string | undefined;
  #stopWaiting = () => {};
  #why: string | undefined;

  constructor(request: Request, to: Hop, wire: Wire, user: ClientUser, ended: () => void) {
    this.request = request;
    this.to = to;
    this.#wire = wire;
    this.#user = user;
    this.#ended = ended;
    let sent: Uint8Array | undefined;
    const failed = (error: Error) => {
      this.#why = error.message;
      this.#machine.handle('transport error');
    };
    const surroundings = {
      clock: wire.clock,
      send: (message: Message) => {
        sent = wire.send(message, to, failed);
      },
      repeat: () => wire.sendAgain(sent!, to, failed),
      deliver: (message: Message) => user.onResponse(message as Response),
      fail: (reason: Failure) => user.onFailure(reason, reason === 'timeout' ? undefined : this.#why),
      ended: () => this.#end(),
    };
    const reliable = isReliable(to);
    this.#machine =
      request.method === 'INVITE'
        ? run(
            inviteMachine,
            { invite: request, ack: response => ackOf(request, response as Response), reliable },
            surroundings,
          )
        : run(nonInviteMachine, { request, reliable }, surroundings);
  }

  start() {
    this.#machine.start();
  }

  receive(response: Response) {
    if (response.status >= 200) this.#stopWaiting();
    this.#machine.handle(this.#eventOf(response.status), response);
    if (this.#cancel === 'wanted') this.#sendCancel();
  }

  /**
   * RFC 3261 §9.1: asks the server to give up an INVITE; as soon as a provisional response shows that it has it.
   * `reason`: the value of Reason (RFC 3326).
   */
  cancel(reason?: string) {
    if (this.#cancel !== 'no') return;
    this.#reason = reason;
    this.#cancel = 'wanted';
    this.#sendCancel();
  }

  /**
   * The request goes elsewhere now. An INVITE that arrived all the same is cancelled as soon as its server says so, and
   * a 2xx that comes first is still told; of any other request nothing more is heard.
   */
  abandon() {
    if (this.request.method !== 'INVITE') {
      this.#machine.stop();
      this.#end();
      return;
    }
    this.#machine.handle('abandoned', this.request);
    this.cancel();
  }

  /** Forgets it, without a word to anybody. */
  stop() {
    this.#machine.stop();
    this.#stopWaiting();
  }

  #sendCancel() {
    if (this.#machine.state !== 'proceeding') return;
    this.#cancel = 'sent';
    this.#wire.sendCancel(cancelOf(this.request, this.#reason), this.to);
    // §9.1: a server of RFC 2543 may never send the final response.
    this.#stopWaiting = this.#wire.clock.after(
      giveUpMs,
      () => {
        this.#machine.stop();
        this.#user.onFailure('timeout');
        this.#end();
      },
      'cancelled INVITE',
    );
  }

  #end() {
    this.#stopWaiting();
    this.#ended();
  }

  #eventOf(status: number) {
    if (status < 200) return '1xx';
    if (this.request.method !== 'INVITE') return '2xx-6xx';
    return status < 300 ? '2xx' : '3xx-6xx';
  }
}

/**
 * The Via of a request of ours, with room for the source port (RFC 3581 §3). Over TLS the peer may send its own requests
 * to us over the same connection (RFC 5923 §5).
 */
export const viaOf = (local: Address, transport: TransportName, branch: string) =>
  `SIP/2.0/${transport.toUpperCase()} ${printAddress(local)};branch=${branch};rport${transport === 'tls' ? ';alias' : ''}`;

/** §17.1.1.3: the ACK to a failure response. */
function ackOf(invite: Request, response: Response): Request {
  const ack = sibling(invite, 'ACK');
  ack.headers.set('To', response.headers.get('To') ?? '');
  return ack;
}

/** §9.1. */
function cancelOf(invite: Request, reason: string | undefined): Request {
  const cancel = sibling(invite, 'CANCEL');
  if (reason !== undefined) cancel.headers.add('Reason', reason);
  return cancel;
}

/** A request of the same transaction: everything that routes and identifies it as in the INVITE. */
function sibling(invite: Request, method: string): Request {
  const headers = new Headers();
  headers.add('Via', invite.headers.get('Via') ?? '');
  for (const name of ['Route', 'Max-Forwards', 'From', 'To', 'Call-ID']) headers.copyFrom(invite.headers, name);
  headers.add('CSeq', `${invite.headers.get('CSeq')?.split(' ', 1)[0]} ${method}`);
  return { kind: 'request', method, uri: invite.uri, headers, body: new Uint8Array() };
}
