/** How the device's process is started wherever it is: the flags of V8, as `scripts/porter` reads them too. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** No thread waits for another one's garbage (docs/decisions/two-threads.md); what runs often is optimised after 300 calls and not 3,000 (docs/decisions/how-soon-it-rings.md). */
export const V8_FLAGS: readonly string[] = readFileSync(join(import.meta.dirname, 'v8-flags'), 'utf8')
  .trim()
  .split(' ');
