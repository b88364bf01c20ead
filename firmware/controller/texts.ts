/** `message`: a text to a contact; what became of it is told as an event. */
import type { Config } from '../config/schema.ts';
import { isDialable } from '../io/actions.ts';
import type { SipUserAgent } from '../sip/contracts.ts';
import { printUri } from '../sip/message/uri.ts';
import { badRequest, done, unknownName } from './action-results.ts';
import type { ActionResult } from './contracts.ts';
import type { EventLog } from './event-log.ts';

export interface TextParts {
  userAgent: SipUserAgent;
  events: EventLog;
  config: () => Config;
}

export function sendText(target: string, text: string, { userAgent, events, config }: TextParts): ActionResult {
  const { contacts, sip } = config();
  const contact = contacts[target];
  if (contact === undefined && !isDialable(target)) return unknownName('contact', target, Object.keys(contacts));
  const account = contact?.account;
  if (account !== undefined && !(account in sip.accounts))
    return unknownName('account', account, Object.keys(sip.accounts));
  const written = contact?.uri ?? target;
  const parsed = userAgent.targetUri(written, account);
  if ('kind' in parsed) return badRequest(`${written} cannot be written to: ${parsed.why}`);
  const uri = printUri(parsed);
  userAgent.sendText({ target: uri, text, ...(account !== undefined && { account }) }, result => {
    if (result.sent) events.tell('sip', 'message sent', { remote: uri, status: result.status });
    else events.tell('sip', 'message refused', { remote: uri, status: result.status, why: result.why });
  });
  return done;
}
