/** By which accounts a call is tried, the best first. */
import type { Account } from './account.ts';
import { targetAt } from './target.ts';

/**
 * The account that is named; else those that can call now, in the order of the configuration. One whose call would go
 * the same way as that of another is left out: what could not be had there cannot be had twice.
 */
export function accountsFor(accounts: readonly Account[], named: string | undefined, target: string): Account[] {
  if (named !== undefined) return accounts.filter(({ settings }) => settings.id === named);
  const usable = accounts.filter(({ isUsable }) => isUsable);
  // Where none can, the first is tried all the same: it may have come back.
  const tried = usable.length > 0 ? usable : accounts.slice(0, 1);
  const ways = tried.map(account => wayOf(account, target));
  return tried.filter((_, index) => ways.indexOf(ways[index]!) === index);
}

function wayOf(account: Account, target: string): string {
  const uri = targetAt(target, account.uri);
  return account.routes[0] ?? (typeof uri === 'string' ? uri : target);
}
