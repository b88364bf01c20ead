/** What must hold of any bytes that are read as a message: a value, never a throw, and what is accepted can be printed. */
import { parseDigest } from '../../../firmware/sip/digest/parameters.ts';
import { parseCSeq } from '../../../firmware/sip/message/cseq.ts';
import { isMalformed, type Malformed, type Message } from '../../../firmware/sip/message/message.ts';
import { parseNameAddress, printNameAddress } from '../../../firmware/sip/message/name-addr.ts';
import { parseMessage } from '../../../firmware/sip/message/parse.ts';
import { printMessage } from '../../../firmware/sip/message/print.ts';
import { parseUri, printUri, sameUri } from '../../../firmware/sip/message/uri.ts';
import { parseVia, printVia } from '../../../firmware/sip/message/via.ts';

/** Each value of a message by each reader. */
function readEverything(message: Message) {
  if (message.kind === 'request') checkUri(message.uri);
  for (const [name, value] of message.headers) {
    for (const text of new Set([value, ...message.headers.all(name)])) {
      checkStable(text, parseVia, printVia);
      checkStable(text, parseNameAddress, printNameAddress);
      checkUri(text);
      parseCSeq(text);
      parseDigest(text);
      parseDigest(`Digest ${text}`);
    }
  }
}

export function checkUri(text: string) {
  checkStable(text, parseUri, printUri);
  const uri = parseUri(text);
  if (!isMalformed(uri) && !sameUri(uri, uri)) throw new Error(`${text} is not itself`);
}

/** What is read, printed and read again prints the same. */
export function checkStable<T extends object>(
  text: string,
  parse: (text: string) => T | Malformed,
  print: (value: T) => string,
) {
  const value = parse(text);
  if (isMalformed(value)) return;
  const printed = print(value);
  const again = parse(printed);
  if (isMalformed(again) || print(again) !== printed)
    throw new Error(`${JSON.stringify(text)} became ${JSON.stringify(printed)}`);
}

export function checkMessage(bytes: Buffer): 'accepted' | 'answered' | 'dropped' {
  const result = parseMessage(bytes);
  if (isMalformed(result)) {
    if (!/^[A-Za-z0-9 \-<>]+$/.test(result.why)) throw new Error(`not a reason phrase: ${result.why}`);
    if (result.request === undefined) return 'dropped';
    if (result.status < 400 || result.request.method === 'ACK') throw new Error(`cannot be answered: ${result.status}`);
    for (const name of ['Via', 'From', 'To', 'Call-ID', 'CSeq']) {
      if (result.request.headers.get(name) === undefined) throw new Error(`answered without ${name}`);
    }
    readEverything(result.request);
    return 'answered';
  }
  readEverything(result);
  const printed = printMessage(result);
  const again = parseMessage(printed);
  if (isMalformed(again)) throw new Error(`printed message refused: ${again.why}`);
  if (!Buffer.from(printMessage(again)).equals(printed)) throw new Error('printed message changes');
  if (!Buffer.from(again.body).equals(result.body)) throw new Error('body changes');
  return 'accepted';
}
