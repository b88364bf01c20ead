/** What the parts of the user agent share. */
import type { Address } from '../lib/address.ts';
import { type Account, contactUri } from './account.ts';
import type { Environment, SipCounters, UserAgentSettings } from './contracts.ts';
import type { DialogTable } from './dialog/table.ts';
import type { Request } from './message/message.ts';
import type { TransactionLayer } from './transaction/layer.ts';

export interface Core extends Environment {
  readonly settings: UserAgentSettings;
  readonly transactions: TransactionLayer;
  readonly dialogs: DialogTable;
  readonly counters: SipCounters;
  /** The methods we serve: the value of Allow. */
  readonly allow: string;
}

/** Our Contact value for a peer at an address of ours. */
export const contactAt = (account: Account | undefined, local: Address) =>
  `<${account?.contact(local) ?? contactUri(undefined, local)}>`;

/** Writes Contact into a request once it is known which of our addresses it leaves from. */
export const addContact = (account: Account | undefined) => (request: Request, local: Address) =>
  request.headers.set('Contact', contactAt(account, local));
