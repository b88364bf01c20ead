/** The extensions of SIP that we know, by option tag (RFC 3261 §19.2). */
import type { Message, Request } from './message/message.ts';

/** RFC 3262, RFC 3891, RFC 4028. */
const known = ['100rel', 'replaces', 'timer'];

/** The value of Supported. */
export const supported = known.join(', ');

/** Whether the peer says that it knows an extension, or insists on it. */
export const supports = ({ headers }: Message, tag: string) =>
  [...headers.all('Supported'), ...headers.all('Require')].some(other => other.toLowerCase() === tag);

/**
 * RFC 5373, and `supported`: told in the answer to OPTIONS, and not in each message, where it would say nothing to
 * anybody.
 */
export const supportedAtAll = `${supported}, answermode`;

/** What a request requires and we do not have (§8.2.2.3). */
export const unknownExtensions = ({ headers }: Request) =>
  headers.all('Require').filter(tag => !known.includes(tag.toLowerCase()) && tag.toLowerCase() !== 'answermode');

/** Whether the peer serves a method, as far as it told; without Allow nothing is known (§20.5). */
export const allows = ({ headers }: Message, method: string) => headers.all('Allow').includes(method);
