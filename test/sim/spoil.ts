/** Bytes as a bad link, a bad implementation or a bad neighbour would send them: flipped, cut, doubled, filled in. */
import type { Random } from '../../firmware/lib/random.ts';

const MAX_SPOILS = 4;

/** A copy with one to four faults. */
export function spoil(bytes: Uint8Array, random: Random): Uint8Array {
  let spoiled = Uint8Array.from(bytes);
  for (let faults = 1 + Math.floor(random.next() * MAX_SPOILS); faults > 0; faults--) {
    spoiled = spoilOnce(spoiled, random);
  }
  return spoiled;
}

function spoilOnce(bytes: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0) return Uint8Array.of(random.uint32() & 0xff);
  const at = Math.floor(random.next() * bytes.length);
  const run = Math.floor(random.next() * Math.min(16, bytes.length - at));
  switch (Math.floor(random.next() * 6)) {
    case 0:
      bytes[at]! ^= 1 << Math.floor(random.next() * 8);
      return bytes;
    case 1:
      bytes[at] = random.uint32() & 0xff;
      return bytes;
    case 2:
      return bytes.slice(0, at);
    case 3:
      // A run is missing.
      return Uint8Array.of(...bytes.subarray(0, at), ...bytes.subarray(at + run));
    case 4:
      // A run comes twice.
      return Uint8Array.of(...bytes.subarray(0, at + run), ...bytes.subarray(at));
    default:
      return bytes.fill([0x00, 0xff, 0x20, 0x3d][random.uint32() & 3]!, at, at + run);
  }
}
