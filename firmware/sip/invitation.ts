/** An INVITE outside any dialog: refused for what it lacks or for want of room, or handed over as a call (RFC 3261 §13.3.1). */
import type { Account } from './account.ts';
import type { CallerGate } from './caller-gate.ts';
import type { Calls } from './calls.ts';
import type { CallHandler, IncomingInvite } from './contracts.ts';
import type { Core } from './core.ts';
import { contactOf } from './dialog/dialog.ts';
import { bodyOf } from './dialog/request.ts';
import { noParameters } from './message/grammar.ts';
import { isMalformed } from './message/message.ts';
import { parseUri } from './message/uri.ts';
import { IncomingCall } from './session/incoming.ts';
import { assertedIdentity } from './session/party.ts';
import { tooBrief } from './session/session-timer.ts';
import { tagOf } from './transaction/matching.ts';
import type { Reply } from './transaction/reply.ts';
import type { ServerTransaction } from './transaction/server.ts';

export interface InvitationParts {
  core: Core;
  calls: Calls;
  gate: CallerGate;
  /** The account that is called. */
  called: Account | undefined;
  /** The same by the way that the INVITE came. */
  way: Account | undefined;
  onInvite(invite: IncomingInvite): CallHandler;
  reject(status: number, reply?: Reply): void;
}

export function serveInvite(transaction: ServerTransaction, parts: InvitationParts) {
  const { core, calls, reject } = parts;
  const { request, source } = transaction;
  // §8.1.1.8; RFC 2543, whose callers have no tag, did not ask for one.
  if (contactOf(request) === undefined && tagOf(request.headers.get('From')) !== undefined) {
    return reject(400, { reason: 'Missing Contact' });
  }
  const admitted = parts.gate.admit(transaction, parts.called);
  if (admitted === undefined) {
    core.counters.rejectedRequests++;
    return;
  }
  const replaced = calls.replacedBy(request);
  if (typeof replaced === 'number') return reject(replaced);
  // It takes the place of another, and needs none of its own.
  if (replaced === undefined && calls.isFull(core.settings.spareCalls)) return reject(486);
  const brief = tooBrief(request);
  if (brief !== undefined) return reject(422, { headers: brief });
  const call: IncomingCall = new IncomingCall(core, parts.way, transaction, () => calls.remove(call));
  calls.add(call);
  call.start();
  const uri = parseUri(request.uri);
  const known = isMalformed(uri) ? undefined : uri;
  const invite: IncomingInvite = {
    call,
    source,
    body: bodyOf(request),
    replaces: replaced,
    authenticated: admitted.caller,
    asserted: assertedIdentity(request),
    header: name => request.headers.all(name),
    uriParameters: known?.parameters ?? noParameters(),
    toUser: known?.user,
  };
  try {
    call.attach(parts.onInvite(invite));
  } catch (error) {
    // Nobody will ever answer it, and it would hold a line for ever.
    if (call.state !== 'ended') call.refuse(500);
    throw error;
  }
}
