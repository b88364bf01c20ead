/** Whom a certificate is for, and whether that is the SIP domain that was asked for (RFC 5922 §7). */
import { isIP } from 'node:net';

/** What node:tls tells of a certificate. */
export interface Certificate {
  /** `DNS:pbx.example.org, URI:sip:example.org, IP Address:192.0.2.1`; values with odd characters as JSON strings. */
  subjectaltname?: string | undefined;
  subject?: { CN?: string | string[] } | undefined;
}

/** Lower-case names. CN counts only where the certificate has no subjectAltName at all (§7.1). */
export function namesOf({ subjectaltname, subject }: Certificate): string[] {
  if (subjectaltname === undefined || subjectaltname === '') {
    const names = subject?.CN;
    // A CN that is a sentence or a mask is no host name: then it names nobody.
    return (Array.isArray(names) ? names : names === undefined ? [] : [names]).map(name => name.toLowerCase());
  }
  const names: string[] = [];
  for (const entry of subjectaltname.matchAll(/(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)) {
    const kind = entry[1];
    const value = (entry[2]!.startsWith('"') ? unquoted(entry[2]!) : entry[2]!).toLowerCase();
    if (kind === 'DNS' || kind === 'IP Address') names.push(value);
    // §7.1: a SIP URI without a user names a domain; any other URI names nothing here.
    const domain = kind === 'URI' ? /^sip:([^@;?:/]+)$/.exec(value)?.[1] : undefined;
    if (domain !== undefined) names.push(domain);
  }
  return names;
}

/** Why the certificate is not for this domain, in words; undefined where it is. No wildcard matches (§7.2). */
export function whyNotFor(domain: string, certificate: Certificate): string | undefined {
  const wanted = domain.toLowerCase().replace(/\.$/, '');
  const names = namesOf(certificate);
  if (names.some(name => sameName(name.replace(/\.$/, ''), wanted))) return undefined;
  const others = names.length === 0 ? 'names no SIP domain' : `is for ${names.slice(0, 4).join(', ')}`;
  const hint = names.some(name => name.startsWith('*.')) ? '; a wildcard does not count (RFC 5922 §7.2)' : '';
  return `the certificate of ${domain} ${others}${hint}`;
}

/** IPv6 literals have many spellings; the URL parser knows one. */
const sameName = (a: string, b: string) => a === b || (isIP(a) === 6 && isIP(b) === 6 && canonical(a) === canonical(b));
const canonical = (literal: string) => new URL(`http://[${literal}]`).hostname;

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return '';
  }
}

/** Why a TLS connection to `domain` failed, in words for whoever must put it right. */
export function explainTls(error: NodeJS.ErrnoException, domain: string): string | undefined {
  switch (error.code) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return `the certificate of ${domain} is signed by nobody this device knows: name the CA in sip.tls.ca`;
    case 'CERT_HAS_EXPIRED':
      return `the certificate of ${domain} has expired, or the clock of this device is wrong`;
    case 'CERT_NOT_YET_VALID':
      return `the certificate of ${domain} is not valid yet, or the clock of this device is wrong`;
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return `${domain} does not speak TLS there`;
    default:
      if (!/^ERR_SSL_/.test(error.code ?? '')) return undefined;
      return /ALERT/.test(error.code!)
        ? `${domain} refused our TLS (${alertOf(error)}): it may want a client certificate, sip.tls.certificate`
        : `TLS with ${domain} failed: ${error.code}`;
  }
}

const alertOf = ({ code }: NodeJS.ErrnoException) =>
  code!
    .replace(/^ERR_SSL_(?:SSLV3|TLSV1|TLSV13|TLSV1_3)?_?ALERT_?/, '')
    .toLowerCase()
    .replaceAll('_', ' ');
