/** One conditional GET of this device's document: everything that a server may answer becomes one of three outcomes. */

import { documentLimitBytes, type JsonObject, readDocument } from '../../firmware/config/document.ts';
import type { Clock, WallClock } from '../../firmware/lib/clock.ts';
import { parseRetryAfter } from './retry-after.ts';

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface Question {
  /** Absolute, http or https. */
  url: string;
  userAgent: string;
  token?: string;
  /** As the server wrote it. */
  etag?: string;
  /** What the device runs, for the server's inventory. */
  revision?: string;
  /** The server's present revision, if the device had to refuse it. */
  refused?: string;
  /** For the whole exchange, redirections included. */
  timeoutMs: number;
}

export type Outcome =
  | { is: 'document'; document: JsonObject; etag?: string }
  | { is: 'unchanged' }
  /** `why` is a sentence without a full stop. */
  | { is: 'failed'; why: string; retryAfterMs?: number };

export interface Environment {
  fetch: Fetch;
  clock: Clock;
  wallClock: WallClock;
}

const redirectLimit = 3;
const etagLimitCharacters = 256;

/** Never rejects. `stop` aborts: the outcome is then a failure that nobody needs. */
export async function fetchDocument(question: Question, environment: Environment, stop: AbortSignal): Promise<Outcome> {
  const timeout = new AbortController();
  const cancel = environment.clock.after(question.timeoutMs, () => timeout.abort(), 'provisioning timeout');
  try {
    return await exchange(question, environment, AbortSignal.any([timeout.signal, stop]));
  } catch (error) {
    return failed(timeout.signal.aborted ? `no answer within ${question.timeoutMs} ms` : reason(error));
  } finally {
    cancel();
  }
}

const failed = (why: string, retryAfterMs?: number): Outcome => ({
  is: 'failed',
  why,
  ...(retryAfterMs !== undefined && { retryAfterMs }),
});

async function exchange(question: Question, { fetch, wallClock }: Environment, signal: AbortSignal): Promise<Outcome> {
  const first = new URL(question.url);
  let url = first;
  for (let redirects = 0; ; redirects++) {
    const headers = headersOf(question, url.origin === first.origin);
    const response = await fetch(url.href, { headers, signal, redirect: 'manual', credentials: 'omit' });
    if (![301, 302, 303, 307, 308].includes(response.status)) return await judge(question, response, wallClock());
    await response.body?.cancel();
    const next = redirectTarget(url, response.headers.get('location'));
    if (typeof next === 'string') return failed(next);
    if (redirects === redirectLimit) return failed(`more than ${redirectLimit} redirections`);
    url = next;
  }
}

/** The token goes to the server that it was given for and to no other, wherever that one sends us. */
function headersOf(
  { userAgent, token, etag, revision, refused }: Question,
  sameOrigin: boolean,
): Record<string, string> {
  return {
    accept: 'application/json',
    'user-agent': userAgent,
    ...(etag !== undefined && { 'if-none-match': etag }),
    ...(revision !== undefined && { 'porter-revision': revision }),
    ...(refused !== undefined && { 'porter-refused': refused }),
    ...(token !== undefined && sameOrigin && { authorization: `Bearer ${token}` }),
  };
}

function redirectTarget(from: URL, location: string | null): URL | string {
  if (location === null || !URL.canParse(location, from.href)) return 'a redirection that leads nowhere';
  const to = new URL(location, from);
  if (to.protocol !== from.protocol) return `a redirection from ${from.protocol}// to ${to.protocol}// is not followed`;
  return to;
}

async function judge(question: Question, response: Response, nowMs: number): Promise<Outcome> {
  const { status, headers } = response;
  if (status === 200) return await documentOf(response);
  await response.body?.cancel();
  if (status === 304)
    return question.etag === undefined ? failed('304 to an unconditional request') : { is: 'unchanged' };
  const meaning: Record<number, string> = {
    401: 'the server wants another token',
    403: 'the server does not allow it',
    404: 'the server does not know this device',
    429: 'the server asks for patience',
    500: 'the server has a fault; see its log',
    503: 'the server is not available',
  };
  const why = meaning[status];
  return failed(
    why ? `${why} (${status})` : `unexpected status ${status}`,
    parseRetryAfter(headers.get('retry-after'), nowMs),
  );
}

async function documentOf(response: Response): Promise<Outcome> {
  const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() || 'none';
  if (!/^application\/([\w.-]+\+)?json$/.test(type)) {
    await response.body?.cancel();
    return failed(`the answer is no JSON, its content type is ${type.slice(0, 64)}`);
  }
  const bytes = await readLimited(response);
  if (bytes === undefined) return failed(`the document is longer than ${documentLimitBytes} bytes`);
  const read = readDocument(bytes);
  if ('why' in read) return failed(`the document ${read.why}`);
  const etag = response.headers.get('etag');
  const usable = etag !== null && etag.length <= etagLimitCharacters;
  return { is: 'document', document: read.document, ...(usable && { etag }) };
}

/** The body, or undefined as soon as it exceeds the limit; the rest is not read. */
async function readLimited(response: Response): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    // Leaving the loop cancels the body.
    if (length > documentLimitBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** undici hides what went wrong in `cause`. */
function reason(error: unknown): string {
  const { cause } = error as { cause?: { code?: unknown; message?: unknown } };
  const text = cause?.message || cause?.code || (error instanceof Error ? error.message : error);
  return String(text).slice(0, 200);
}
