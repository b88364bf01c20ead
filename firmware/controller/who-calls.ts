/** Who calls, as far as it may be believed: what allow lists compare and events show. */
import type { IncomingInvite, Party } from '../sip/contracts.ts';

export interface Caller {
  remote: Party;
  /** The name has been proven: by the network's server, or by a password. */
  isTrusted: boolean;
}

/** RFC 3323 §4.1.1.3: what stands for a caller who does not tell. */
const anonymous: Party = { uri: 'sip:anonymous@anonymous.invalid', displayName: 'Anonymous' };

/** Ways to ask that nobody be told who calls (RFC 3323 §4.2, RFC 3325 §9.3). `session` and `critical` hide no name. */
const hiding = ['id', 'user', 'header'];

export function whoCalls({ call, authenticated, asserted, header }: IncomingInvite, isTrustedSource: boolean): Caller {
  const isTrusted = isTrustedSource || authenticated !== undefined;
  const privacy = header('Privacy');
  if (privacy.length > 0 && wantsPrivacy(privacy)) return { remote: anonymous, isTrusted };
  // RFC 3325 §5: the network's word counts, where it comes from the network.
  if (isTrustedSource) return { remote: asserted ?? call.remote, isTrusted };
  if (authenticated === undefined) return { remote: call.remote, isTrusted };
  // A password proves a user, not the From that is written beside it: one caller could borrow another's name.
  const { displayName } = call.remote;
  return { remote: { ...authenticated, ...(displayName !== undefined && { displayName }) }, isTrusted };
}

export const isAnonymous = (uri: string) => /@anonymous\.invalid(?:[:;?>]|$)/i.test(uri);

// Privacy-hdr = "Privacy" HCOLON priv-value *(";" priv-value); some write commas.
const wantsPrivacy = (values: readonly string[]) =>
  values.flatMap(value => value.split(/[;,]/)).some(value => hiding.includes(value.trim().toLowerCase()));
