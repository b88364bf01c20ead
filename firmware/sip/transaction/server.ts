/** A server transaction as its user sees it: one request that came in, and what it is answered. */
import assert from 'node:assert';
import type { Hop } from '../hop.ts';
import type { Request, Response } from '../message/message.ts';
import type { Failure } from './machine.ts';
import { makeResponse, type Reply } from './reply.ts';
import { ServerRecord, type ServerWire } from './server-record.ts';

export class ServerTransaction {
  readonly request: Request;
  readonly source: Hop;
  /** What the layer keeps of it. */
  readonly record: ServerRecord;
  /** The status of the last response; 0 before the first. */
  status = 0;
  /** Set by the user of an INVITE: the peer does not want it any more. Not called after a final response. */
  onCancel: ((cancel: Request) => void) | undefined;
  /** Set by the user of an INVITE: the peer cannot be told anything. Not called after a final response. */
  onFailure: ((reason: Failure) => void) | undefined;

  constructor(request: Request, source: Hop, localTag: string, wire: ServerWire) {
    this.request = request;
    this.source = source;
    this.record = new ServerRecord(this, localTag, wire);
  }

  /** What our responses put into To where the request brought no tag. */
  get localTag() {
    return this.record.localTag;
  }

  /** Answers. A second final response is ignored. Returns what was sent. */
  respond(status: number, reply: Reply = {}): Response {
    const response = makeResponse(this.request, status, this.localTag, reply);
    assert(this.request.method === 'INVITE' || status !== 408, 'no 408 to a non-INVITE request (RFC 4320 §4.1)');
    if (this.status < 200) {
      this.status = status;
      this.record.respond(response);
    }
    return response;
  }

  /** Sends a 2xx to INVITE once more; the user repeats it until the ACK comes (§13.3.1.4). */
  repeat(response: Response) {
    this.record.respond(response);
  }
}
