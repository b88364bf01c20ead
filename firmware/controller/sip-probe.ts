/** What `porter sip probe` asks for: a contact, an account, a SIP URI or a host becomes a URI to ask, and the findings advice. Pure. */
import { isIPv6 } from 'node:net';
import type { Config } from '../config/schema.ts';
import type { TransportName } from '../sip/hop.ts';
import { isMalformed } from '../sip/message/message.ts';
import type { Probed } from '../sip/probe.ts';
import { parseTarget } from '../sip/target.ts';
import { adviceOn } from './sip-advice.ts';

export interface ProbeRequest {
  /** A contact, an account, a SIP URI, or a host with or without a port. */
  target: string;
  /** Whose password answers a challenge. */
  account?: string | undefined;
  transport?: TransportName | undefined;
}

export interface ProbeTarget {
  uri: string;
  account: string | undefined;
  transport: TransportName | undefined;
}

export interface ProbeResult extends Probed {
  /** The URI that was asked. */
  uri: string;
  account?: string;
  /** What the step that it stopped at means, and what to do. */
  meaning?: string;
  advice?: string;
}

/** `why`: a sentence for a person. */
export function probeTarget(
  { target, account, transport }: ProbeRequest,
  { contacts, sip }: Pick<Config, 'contacts' | 'sip'>,
): ProbeTarget | { why: string } {
  if (account !== undefined && !Object.hasOwn(sip.accounts, account)) {
    const known = Object.keys(sip.accounts).join(', ');
    return { why: `there is no account "${account}"; ${known === '' ? 'there are none' : `there are: ${known}`}` };
  }
  const contact = Object.hasOwn(contacts, target) ? contacts[target] : undefined;
  if (contact !== undefined) return { uri: contact.uri, account: account ?? contact.account, transport };
  const own = Object.hasOwn(sip.accounts, target) ? sip.accounts[target] : undefined;
  if (own !== undefined) {
    // Where its REGISTER goes first.
    const server = own.outboundProxy ?? own.registrar ?? own.uri.replace(/^(sips?:)[^@]*@/i, '$1');
    return { uri: server, account: account ?? target, transport };
  }
  const uri = /^sips?:/i.test(target) ? target : `sip:${isIPv6(target) ? `[${target}]` : target}`;
  const parsed = parseTarget(uri);
  if (isMalformed(parsed)) {
    return { why: `"${target}" is no contact, no account, no SIP URI and no host: ${parsed.why}` };
  }
  return { uri, account, transport };
}

/** The last thing that went wrong decides what to do. */
export function withAdvice({ uri, account }: ProbeTarget, probed: Probed, hasPassword: boolean): ProbeResult {
  const named = { ...probed, uri, ...(account !== undefined && { account }) };
  if (probed.reached) return named;
  const stopped = probed.steps.findLast(({ done }) => !done);
  if (stopped === undefined) return named;
  const { found: why, status } = stopped;
  return { ...named, ...adviceOn({ why, hasPassword, ...(status !== undefined && { status }) }) };
}
