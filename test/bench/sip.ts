/** The user agent: how fast it reads and writes, beside the two SIP stacks that JavaScript has. */
import type { Benchmark } from './benchmark.ts';
import { messages } from './sip-messages.ts';

export const sip: Benchmark = {
  name: 'sip',
  title: 'the user agent: messages parsed and printed',
  how:
    'Whole messages as PBXs send them. Parsed: from bytes (the libraries: from text, as a browser has it) to the ' +
    'parts of Via, From, To, Contact and CSeq, in a loop on one thread, all three in turn in 7 rounds; what they read ' +
    'is compared first, and must be the same. Ours includes the checks of RFC 3261 §8. Printed: to bytes, requests ' +
    'only. Heap: what calls in a row add to it, rounds without a garbage collection only.',
  async run(sheet, _bench, { seconds }) {
    await messages(sheet, seconds);
  },
};
