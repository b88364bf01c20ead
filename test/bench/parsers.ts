/** Three parsers behind one question: what stands in the header fields that every SIP stack acts on. */
import { createRequire } from 'node:module';
import { Parser } from 'sip.js/lib/core/messages/parser.js';
import { parseCSeq } from '../../firmware/sip/message/cseq.ts';
import { isMalformed, type Malformed, type Message } from '../../firmware/sip/message/message.ts';
import { parseNameAddress } from '../../firmware/sip/message/name-addr.ts';
import { parseMessage } from '../../firmware/sip/message/parse.ts';
import { parseUri } from '../../firmware/sip/message/uri.ts';
import { parseVia } from '../../firmware/sip/message/via.ts';

/** Read out of a message down to the parts of its URIs, so that no parser leaves for later what another has done. */
export interface Essence {
  method: string;
  status: number | undefined;
  transport: string;
  viaHost: string;
  viaPort: number | undefined;
  branch: string;
  fromName: string | undefined;
  fromUser: string | undefined;
  fromHost: string;
  fromTag: string | undefined;
  toUser: string | undefined;
  toHost: string;
  toTag: string | undefined;
  callId: string;
  sequence: number;
  contactUser: string | undefined;
  contactHost: string | undefined;
  contentLength: number;
  body: number;
}

export interface Reader {
  name: string;
  /** What it is given: the libraries are made for browsers, where a message comes as text already. */
  takes: 'bytes' | 'text';
  read(message: never): Essence;
}

/** Each is given its message in the form that it takes. */
export const readers = [
  { name: 'porter', takes: 'bytes', read: readPorter },
  { name: 'jssip', takes: 'text', read: readJssip },
  { name: 'sip.js', takes: 'text', read: readSipJs },
] as const satisfies readonly Reader[];

function sound<T extends object>(value: T | Malformed): T {
  if (isMalformed(value)) throw new Error(`a message of the bench is malformed: ${value.why}`);
  return value;
}

export const parsed = (bytes: Uint8Array): Message => sound(parseMessage(bytes));

function readPorter(bytes: Uint8Array): Essence {
  const message = parsed(bytes);
  const { headers, body } = message;
  const via = sound(parseVia(headers.get('Via')!));
  const from = sound(parseNameAddress(headers.get('From')!));
  const fromUri = sound(parseUri(from.uri));
  const to = sound(parseNameAddress(headers.get('To')!));
  const toUri = sound(parseUri(to.uri));
  const cseq = sound(parseCSeq(headers.get('CSeq')!));
  const contact = headers.get('Contact');
  const contactUri = contact === undefined ? undefined : sound(parseUri(sound(parseNameAddress(contact)).uri));
  return {
    method: cseq.method,
    status: message.kind === 'response' ? message.status : undefined,
    transport: via.transport,
    viaHost: via.host,
    viaPort: via.port,
    branch: via.parameters.branch as string,
    fromName: from.displayName,
    fromUser: fromUri.user,
    fromHost: fromUri.host,
    fromTag: from.parameters.tag as string | undefined,
    toUser: toUri.user,
    toHost: toUri.host,
    toTag: to.parameters.tag as string | undefined,
    callId: headers.get('Call-ID')!,
    sequence: cseq.sequence,
    contactUser: contactUri?.user,
    contactHost: contactUri?.host,
    contentLength: Number(headers.get('Content-Length')),
    body: body.length,
  };
}

// It has no types for its parser.
const jssip = createRequire(import.meta.url)('jssip/lib/Parser.js');

function readJssip(text: string): Essence {
  const message = jssip.parseMessage(text, undefined);
  const { via, from, to } = message;
  const contact = message.headers.Contact?.[0].parsed;
  return {
    method: message.method,
    status: message.status_code ?? undefined,
    transport: via.transport,
    viaHost: via.host,
    viaPort: via.port,
    branch: message.via_branch,
    fromName: from.display_name,
    fromUser: from.uri.user,
    fromHost: from.uri.host,
    fromTag: message.from_tag,
    toUser: to.uri.user,
    toHost: to.uri.host,
    toTag: message.to_tag,
    callId: message.call_id,
    sequence: message.cseq,
    contactUser: contact?.uri.user,
    contactHost: contact?.uri.host,
    contentLength: message.parseHeader('content-length'),
    body: message.body.length,
  };
}

const quiet = { warn() {}, error() {} };

function readSipJs(text: string): Essence {
  const message = Parser.parseMessage(text, quiet as never)!;
  const { via, from, to } = message;
  const contact = message.headers.Contact?.[0]?.parsed;
  return {
    method: message.method,
    status: 'statusCode' in message ? message.statusCode : undefined,
    transport: (via as unknown as { transport: string }).transport,
    viaHost: via.host,
    viaPort: via.port,
    branch: message.viaBranch,
    fromName: from.displayName,
    fromUser: from.uri.user,
    fromHost: from.uri.host,
    fromTag: message.fromTag,
    toUser: to.uri.user,
    toHost: to.uri.host,
    toTag: message.toTag,
    callId: message.callId,
    sequence: message.cseq,
    contactUser: contact?.uri.user,
    contactHost: contact?.uri.host,
    contentLength: message.parseHeader('content-length'),
    body: message.body.length,
  };
}
