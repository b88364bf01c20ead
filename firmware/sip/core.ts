/** What the parts of the user agent share. */
import { type Account, contactUri } from './account.ts';
import type { Environment } from './contracts.ts';
import type { SipCounters } from './counters.ts';
import type { DialogTable } from './dialog/table.ts';
import type { StunEndpoint } from './flow/stun-endpoint.ts';
import type { Hop } from './hop.ts';
import type { Locator } from './locate/locator.ts';
import type { Request } from './message/message.ts';
import type { UserAgentSettings } from './settings.ts';
import type { TransactionLayer } from './transaction/layer.ts';

export interface Core extends Environment {
  readonly settings: UserAgentSettings;
  readonly transactions: TransactionLayer;
  readonly dialogs: DialogTable;
  readonly locator: Locator;
  readonly stun: StunEndpoint;
  readonly counters: SipCounters;
  /** The methods we serve: the value of Allow. */
  readonly allow: string;
  /** The value of Allow-Events. */
  readonly allowEvents: string;
  /** A call has begun, ended, or come to another state. */
  callsChanged(): void;
}

/** Our Contact value for a peer at an address of ours; `request`: the one that asks for SIPS or not (§8.1.1.8, §12.1.1). */
export function contactAt(account: Account | undefined, local: Hop, request?: Request): string {
  const secure = request !== undefined && isSecure(request);
  return `<${account?.dialogContact(local, secure) ?? contactUri(undefined, local, secure)}>`;
}

function isSecure({ uri, headers }: Request): boolean {
  if (uri.slice(0, 'sips:'.length).toLowerCase() === 'sips:') return true;
  const route = headers.get('Route') ?? headers.get('Record-Route');
  return route !== undefined && /^[^<]*<\s*sips:/i.test(route);
}

/** Writes Contact into a request once it is known which of our addresses it leaves from. */
export const addContact = (account: Account | undefined) => (request: Request, local: Hop) =>
  request.headers.set('Contact', contactAt(account, local, request));
