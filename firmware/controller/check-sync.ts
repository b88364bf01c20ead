/** `check-sync` where the PBX tells it only to who has subscribed (`sip.accounts.*.events`). */
import type { Config } from '../config/schema.ts';
import type { SipUserAgent } from '../sip/contracts.ts';

/** How long a subscription is asked to last. Milliseconds. */
const expiresMs = 3_600_000;

/** Hears of it until the user agent stops. `onCheckSync` is told the account's address and name. */
export function subscribeToCheckSync(
  userAgent: SipUserAgent,
  accounts: Config['sip']['accounts'],
  onCheckSync: (remote: string, account: string) => void,
) {
  for (const [account, { uri, events }] of Object.entries(accounts)) {
    if (!events.includes('check-sync')) continue;
    userAgent.subscribe(
      { target: uri, account, event: 'check-sync', accept: [], expiresMs },
      {
        // The log of the user agent tells what goes wrong; a PBX that does not know the event may learn it.
        onState() {},
        onNotify: (_, isFirst) => {
          if (!isFirst) onCheckSync(uri, account);
        },
      },
    );
  }
}
