/** Chance as the firmware sees it. Nothing outside this file asks the machine for random numbers. */
import { randomBytes, randomInt } from 'node:crypto';

export interface Random {
  /** [0, 1) */
  next(): number;
  /** An unsigned 32-bit integer. */
  uint32(): number;
  /** Lower-case hexadecimal, `bytes` × 2 characters, fit for tags, branches and nonces. */
  token(bytes: number): string;
}

export const systemRandom: Random = {
  next: () => randomInt(2 ** 32) / 2 ** 32,
  uint32: () => randomBytes(4).readUInt32BE(),
  token: bytes => randomBytes(bytes).toString('hex'),
};
