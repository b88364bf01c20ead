/** Parsing and printing, beside the two SIP stacks that JavaScript has. */
import assert from 'node:assert/strict';
import type { Benchmark } from './benchmark.ts';
import { MESSAGES } from './fixtures.ts';
import { parsed, readers } from './parsers.ts';
import { printers } from './printers.ts';
import type { Sheet } from './sheet.ts';
import { allocated, speeds } from './speed.ts';

/** Messages that follow each other: ours remembers what it has just read of one, which no real traffic would repeat. */
const VARIANTS = 16;

const [, ...peers] = readers.map(({ name }) => name);

export const sipMessages: Benchmark = {
  name: 'sip-messages',
  title: 'SIP messages parsed and printed per second',
  how:
    'Whole messages as PBXs send them. Parsed: from bytes (the libraries: from text, as a browser has it) to the ' +
    'parts of Via, From, To, Contact and CSeq, in a loop on one thread, all three in turn in 7 rounds; what they read ' +
    'is compared first, and must be the same. Ours includes the checks of RFC 3261 §8. Printed: to bytes, requests ' +
    'only. Heap: what calls in a row add to it, rounds without a garbage collection only.',
  run: (sheet, _bench, { seconds }) => messages(sheet, seconds),
};

async function messages(sheet: Sheet, seconds: number) {
  for (const [name, text] of Object.entries(MESSAGES)) {
    const texts = Array.from({ length: VARIANTS }, (_, variant) => varied(text, variant));
    const bytes = texts.map(one => Buffer.from(one));
    const read = readers.map(({ takes, read }) => {
      let turn = 0;
      return () => read((takes === 'bytes' ? bytes : texts)[turn++ % VARIANTS] as never);
    });
    agree(read);
    const works = read.map(one => () => {
      const { sequence, body } = one();
      return sequence + body;
    });
    beside(sheet, `parse ${name}, ${text.length} bytes`, 'messages/s', await speeds(works, seconds / 2));
    beside(sheet, `heap for parsing ${name}`, 'bytes', works.map(allocated));
  }
  for (const [name, text] of Object.entries(MESSAGES)) {
    const message = parsed(Buffer.from(text));
    // The libraries glue their responses together from the request, for which there is nothing alike here.
    if (message.kind === 'response') continue;
    const print = printers.map(({ hold }) => hold(message));
    agree(print.map(one => () => readers[0].read(one())));
    const works = print.map(one => () => one().length);
    beside(sheet, `print ${name}`, 'messages/s', await speeds(works, seconds / 2));
  }
}

/** Another call, of another caller. */
const varied = (text: string, variant: number) =>
  text
    .replaceAll('z9hG4bK', `z9hG4bK${variant}`)
    .replaceAll('tag=', `tag=${variant}`)
    .replaceAll(/<sip:(\w+)@/g, `<sip:$1${variant}@`)
    .replace(/^(\w+ sip:\w+)/, `$1${variant}`);

/** A parser that reads something else, or leaves something out, is not compared with. */
function agree(all: readonly (() => unknown)[]) {
  const [ours, ...others] = all.map(one => one());
  for (const theirs of others) assert.deepEqual(theirs, ours);
}

function beside(sheet: Sheet, name: string, unit: string, [ours, ...theirs]: readonly number[][]) {
  sheet.add(name, unit, ours!, { peers: peers.map((peer, index) => ({ name: peer, values: theirs[index]! })) });
}
