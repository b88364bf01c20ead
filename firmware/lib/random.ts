/** Chance as the firmware sees it. Nothing outside this file asks the machine for random numbers. */
import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';

export interface Random {
  /** [0, 1) */
  next(): number;
  /** An unsigned 32-bit integer. */
  uint32(): number;
  /** Lower-case hexadecimal, `bytes` × 2 characters, fit for tags, branches and nonces. */
  token(bytes: number): string;
}

/** Asked of the machine at once and used up piece by piece: a call needs a dozen small numbers, and each question costs. Bytes. */
const POOL_BYTES = 1_024;

const pool = Buffer.alloc(POOL_BYTES);
/** The same in hexadecimal: a token is a piece of it. */
let digits = '';
let used = POOL_BYTES;

/** Where the next `bytes` of the pool begin; nobody is given them twice. */
function taken(bytes: number): number {
  if (used + bytes > POOL_BYTES) {
    randomFillSync(pool);
    digits = pool.toString('hex');
    used = 0;
  }
  const from = used;
  used += bytes;
  return from;
}

export const systemRandom: Random = {
  next: () => pool.readUInt32BE(taken(4)) / 2 ** 32,
  uint32: () => pool.readUInt32BE(taken(4)),
  token: bytes => {
    assert(bytes <= POOL_BYTES, 'no token is so long');
    const from = taken(bytes);
    return digits.slice(2 * from, 2 * (from + bytes));
  },
};
