/** Serial number arithmetic (RFC 1982) for RTP: 16-bit sequence numbers and 32-bit timestamps that wrap. */

/** How far `a` is ahead of `b`, −32768 … 32767. A distance of exactly half the circle counts as behind (§3.2 leaves it open). */
export const distance16 = (a: number, b: number): number => ((a - b) << 16) >> 16;

/** How far `a` is ahead of `b`, −2³¹ … 2³¹−1. */
export const distance32 = (a: number, b: number): number => (a - b) | 0;

export const add16 = (a: number, n: number): number => (a + n) & 0xffff;

export const add32 = (a: number, n: number): number => (a + n) >>> 0;
