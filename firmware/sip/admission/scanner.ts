/** Whether a request is one of those that go through the whole Internet in search of telephones to abuse. Pure. */
import { isMalformed, type Request } from '../message/message.ts';
import { parseNameAddress } from '../message/name-addr.ts';
import { parseUri } from '../message/uri.ts';

/** What such tools call themselves; none of them is of use to somebody who calls a door. */
const tools =
  /friendly-scanner|friendly-request|sipvicious|sip-?scan|sipcli|sundayddr|vaxsipuseragent|vaxipuseragent|\biwar\b|sipbruteforcer|siparmyknife|\bsivus\b|\bsmap\b|\bpplsip\b|\bgulp\b/i;

/** svmap of SIPVicious signs From and To, whatever it is told to call itself. */
const signatures = /sipvicious|[@:]1\.1\.1\.1(?![\d.])/i;

export interface Ours {
  /** Users of our accounts. Without accounts: whoever is asked for. */
  users: readonly string[];
  /** Hosts that our accounts and we ourselves are called by, as that source may see us; asked for only when needed. */
  isOurHost(host: string): boolean;
}

/** Why it gets no answer; undefined where it deserves one. */
export function whyIgnored({ method, uri, headers }: Request, ours: Ours): string | undefined {
  const tool = tools.exec(headers.get('User-Agent') ?? '');
  if (tool !== null) return `a scanner: ${tool[0].toLowerCase()}`;
  for (const name of ['From', 'To']) if (signatures.test(headers.get(name) ?? '')) return 'a scanner: sipvicious';
  const target = parseUri(uri);
  // Told so, at the pace of strangers.
  if (isMalformed(target)) return undefined;
  // A REGISTER names whom it is about in To only (RFC 3261 §10.2).
  const user = method === 'REGISTER' ? userOf(headers.get('To')) : target.user;
  if (user !== undefined && ours.users.length > 0 && !ours.users.includes(user)) return `no user ${shown(user)} here`;
  return ours.isOurHost(target.host) ? undefined : `${shown(target.host)} is not us`;
}

function userOf(value: string | undefined): string | undefined {
  const party = parseNameAddress(value ?? '');
  const uri = isMalformed(party) ? party : parseUri(party.uri);
  return isMalformed(uri) ? undefined : uri.user;
}

/** Longest text of a stranger that an event quotes, characters. */
const shownLimit = 40;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not pass
const shown = (text: string) => `"${text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?').slice(0, shownLimit)}"`;
