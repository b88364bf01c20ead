/** How many SIP messages are read and written in a second, and what each leaves on the heap. */
import { isMalformed, type Message } from '../../firmware/sip/message/message.ts';
import { parseMessage } from '../../firmware/sip/message/parse.ts';
import { printMessage } from '../../firmware/sip/message/print.ts';
import type { Benchmark } from './benchmark.ts';
import { MESSAGES } from './fixtures.ts';
import { allocated, speed } from './speed.ts';

const CALLS = 100;

export const messages: Benchmark = {
  name: 'messages',
  title: 'SIP messages parsed and printed per second',
  how:
    'Whole messages as PBXs send them, parsed from bytes and printed to bytes in a loop on one thread, in 7 parts ' +
    'of the time. Parsed includes the checks of RFC 3261 §8 and reading Via, From, To and CSeq out. Heap: what 100 ' +
    'calls in a row add to it, rounds without a garbage collection only.',
  async run(sheet, _bench, { seconds }) {
    for (const [name, text] of Object.entries(MESSAGES)) {
      const bytes = Buffer.from(text);
      const message = parsed(bytes);
      const read = () => {
        const { headers, body } = parsed(bytes);
        return headers.get('Via')!.length + headers.get('From')!.length + headers.get('CSeq')!.length + body.length;
      };
      const write = () => printMessage(message).length;
      const size = `${bytes.length} bytes`;
      sheet.add(`parse ${name}, ${size}`, 'messages/s', await speed(read, seconds));
      sheet.add(`print ${name}`, 'messages/s', await speed(write, seconds));
      const heap = allocated(read, CALLS);
      if (heap.length > 0) sheet.add(`heap for parsing ${name}`, 'bytes', heap);
      else sheet.unavailable(`heap for parsing ${name}`, 'the collector ran in every round');
    }
  },
};

function parsed(bytes: Uint8Array): Message {
  const message = parseMessage(bytes);
  if (isMalformed(message)) throw new Error(`a message of the bench is malformed: ${message.why}`);
  return message;
}
