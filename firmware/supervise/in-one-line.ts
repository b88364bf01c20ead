/** What the device does, in one line: for `systemctl status`. */
import type { Status } from '../controller/contracts.ts';

export function inOneLine({ call, accounts, audio }: Status): string {
  const lines = Object.entries(accounts).map(([name, { state }]) => `${name} ${state}`);
  return [`call ${call.state}`, ...lines, `sound ${audio.state}`].join(', ');
}
