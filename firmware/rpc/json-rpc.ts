/** JSON-RPC 2.0 (https://www.jsonrpc.org/specification): reading a request, writing what goes back. Pure. */

export type RequestId = string | number | null;

export interface Request {
  /** Absent: a notification, which is carried out and never answered (§4.1). */
  id: RequestId | undefined;
  method: string;
  params: unknown;
}

export interface RpcError {
  code: number;
  message: string;
}

export type Response =
  | { jsonrpc: '2.0'; id: RequestId; result: unknown }
  | { jsonrpc: '2.0'; id: RequestId; error: RpcError };

/** §5.1. From -32000 on down to -32099 the numbers are ours. */
export const ErrorCode = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  /** A limit was met; the message says which. */
  limit: -32000,
} as const;

/** Characters of a string used as an id: it comes back in the answer. */
const ID_LIMIT = 128;

export const result = (id: RequestId, value: unknown): Response => ({ jsonrpc: '2.0', id, result: value });

export const failure = (id: RequestId, code: number, message: string): Response => ({
  jsonrpc: '2.0',
  id,
  error: { code, message },
});

export const notification = (method: string, params: unknown) => ({ jsonrpc: '2.0', method, params }) as const;

/** Reads one request. What is wrong with it comes back as the answer to send. */
export function readRequest(text: string): Request | { refused: Response } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refused(null, ErrorCode.parse, 'this is not JSON');
  }
  if (Array.isArray(value))
    return refused(null, ErrorCode.invalidRequest, 'batches are not taken; send one request at a time');
  if (typeof value !== 'object' || value === null) {
    return refused(
      null,
      ErrorCode.invalidRequest,
      'a request is an object: {"jsonrpc":"2.0","id":1,"method":"status"}',
    );
  }
  const { jsonrpc, id, method, params } = value as Record<string, unknown>;
  if (id !== undefined && !isRequestId(id)) {
    return refused(null, ErrorCode.invalidRequest, `id is a number or a string of at most ${ID_LIMIT} characters`);
  }
  if (jsonrpc !== '2.0') return refused(id ?? null, ErrorCode.invalidRequest, 'jsonrpc is "2.0"');
  if (typeof method !== 'string') return refused(id ?? null, ErrorCode.invalidRequest, 'method is a string');
  return { id, method, params };
}

const isRequestId = (id: unknown): id is RequestId =>
  id === null || (typeof id === 'number' && Number.isFinite(id)) || (typeof id === 'string' && id.length <= ID_LIMIT);

const refused = (id: RequestId, code: number, message: string) => ({ refused: failure(id, code, message) });
