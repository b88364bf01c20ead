/** What the parts of the user agent share. */
import type { Environment, SipCounters, UserAgentSettings } from './contracts.ts';
import type { DialogTable } from './dialog/table.ts';
import type { TransactionLayer } from './transaction/layer.ts';

export interface Core extends Environment {
  readonly settings: UserAgentSettings;
  readonly transactions: TransactionLayer;
  readonly dialogs: DialogTable;
  readonly counters: SipCounters;
}
