/** Requests as three stacks hold them before they go out, and how each makes bytes of them. */
import { createRequire } from 'node:module';
import { OutgoingRequestMessage } from 'sip.js/lib/core/messages/outgoing-request-message.js';
import { Grammar } from 'sip.js/lib/grammar/grammar.js';
import type { Request } from '../../firmware/sip/message/message.ts';
import { printMessage } from '../../firmware/sip/message/print.ts';
import { type Essence, readers } from './parsers.ts';

export interface Printer {
  name: string;
  /** The request in that stack's own form; what comes back writes it out. */
  hold(request: Request): () => Uint8Array;
}

export const printers: readonly Printer[] = [
  { name: 'porter', hold: request => () => printMessage(request) },
  { name: 'jssip', hold: holdJssip },
  { name: 'sip.js', hold: holdSipJs },
];

const essence = (request: Request): Essence => readers[0].read(printMessage(request));
const uri = (user: string | undefined, host: string) =>
  Grammar.URIParse(`sip:${user === undefined ? '' : `${user}@`}${host}`)!;
const text = (request: Request) => Buffer.from(request.body).toString();

/** Those that the libraries write by themselves, from what they are told. */
const OWN = ['Via', 'Max-Forwards', 'To', 'From', 'Call-ID', 'CSeq', 'Content-Length', 'Supported', 'User-Agent'];

/** The others are handed over as lines. */
const furtherLines = (request: Request, ...own: string[]) =>
  [...request.headers].filter(([name]) => ![...OWN, ...own].includes(name)).map(([name, value]) => `${name}: ${value}`);

function holdSipJs(request: Request) {
  const told = essence(request);
  const { headers } = request;
  const contentType = headers.get('Content-Type');
  const message = new OutgoingRequestMessage(
    request.method,
    Grammar.URIParse(request.uri)!,
    uri(told.fromUser, told.fromHost),
    uri(told.toUser, told.toHost),
    {
      callId: told.callId,
      cseq: told.sequence,
      fromDisplayName: told.fromName ?? '',
      fromTag: told.fromTag ?? '',
      toTag: told.toTag ?? '',
      optionTags: [...headers.all('Supported')],
      userAgentString: headers.get('User-Agent') ?? '',
    },
    furtherLines(request, 'Content-Type'),
    contentType === undefined ? undefined : { contentType, content: text(request), contentDisposition: 'session' },
  );
  message.setHeader('via', [...headers.all('Via')]);
  return () => Buffer.from(message.toString());
}

const require = createRequire(import.meta.url);
// It has no types for these.
const { OutgoingRequest } = require('jssip/lib/SIPMessage.js');
const JssipUri = require('jssip/lib/URI.js');

function holdJssip(request: Request) {
  const told = essence(request);
  const { headers } = request;
  const message = new OutgoingRequest(
    request.method,
    JssipUri.parse(request.uri),
    { configuration: { user_agent: headers.get('User-Agent') }, contact: {} },
    {
      call_id: told.callId,
      cseq: told.sequence,
      from_uri: new JssipUri('sip', told.fromUser, told.fromHost),
      from_display_name: told.fromName,
      from_tag: told.fromTag,
      to_uri: new JssipUri('sip', told.toUser, told.toHost),
      to_tag: told.toTag,
    },
    furtherLines(request),
    request.body.length > 0 ? text(request) : undefined,
  );
  message.setHeader('via', headers.all('Via'));
  return () => Buffer.from(message.toString());
}
