/** The name of this very device among all others, made once and kept (RFC 5626 §4.1, RFC 4122 §4.4). */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Random } from './random.ts';

const shape = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** `urn:uuid:…` from the file, or a new one that is written there. Undefined where it cannot be kept. */
export function instanceId(file: string, random: Random): string | undefined {
  try {
    const kept = readFileSync(file, 'latin1').trim();
    if (shape.test(kept)) return kept;
  } catch {
    // The first start, or a file that is gone.
  }
  const made = newInstanceId(random);
  try {
    writeFileSync(file, `${made}\n`);
    return made;
  } catch {
    // One that is another after each start would leave a dead binding behind each time.
    return undefined;
  }
}

function newInstanceId(random: Random): string {
  const digits = random.token(16);
  const variant = '89ab'[Number.parseInt(digits[16]!, 16) % 4];
  const parts = [digits.slice(0, 8), digits.slice(8, 12), `4${digits.slice(13, 16)}`];
  return `urn:uuid:${[...parts, `${variant}${digits.slice(17, 20)}`, digits.slice(20)].join('-')}`;
}
