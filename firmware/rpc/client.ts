/** Talks to a running device over its unix socket. For the command line and for tests. */
import { connect, type Socket } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import type { Response } from './json-rpc.ts';
import { Lines } from './lines.ts';

/** Bytes in one answer: a device with many doors and accounts says a lot. */
const ANSWER_LIMIT_BYTES = 4 * 1024 * 1024;

export type ClientErrorCode =
  /** Nothing listens there. */
  | 'no device'
  | 'denied'
  /** The device took the connection and then said nothing, or went away. */
  | 'no answer'
  /** The device answered with a JSON-RPC error. */
  | 'refused';

export class ClientError extends Error {
  readonly code: ClientErrorCode;
  constructor(code: ClientErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ClientError';
    this.code = code;
  }
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: ClientError): void;
  cancel(): void;
}

/** One connection. `call` asks, `onNotification` hears, `close` ends it. */
export class RpcClient {
  onNotification: (method: string, params: unknown) => void = () => {};
  /** The device went away (or was told to, by `close`). */
  onClose: () => void = () => {};
  readonly #path: string;
  readonly #clock: Clock;
  readonly #lines = new Lines(ANSWER_LIMIT_BYTES);
  readonly #waiting = new Map<number, Waiting>();
  #socket: Socket | undefined;
  #lastId = 0;

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** Rejects with a ClientError that says what to do. */
  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#path);
      socket.once('connect', () => {
        socket.removeAllListeners('error');
        this.#socket = socket;
        socket.on('data', chunk => this.#read(chunk));
        socket.on('error', () => {});
        socket.on('close', () => this.#gone(`the device at ${this.#path} closed the connection`));
        resolve();
      });
      socket.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, this.#path)));
    });
  }

  /** The result of one request. Rejects with a ClientError: `refused`, or `no answer` after `withinMs`. */
  call(method: string, params?: unknown, withinMs = 5_000): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (!this.#socket) return reject(new ClientError('no answer', `not connected to ${this.#path}`));
      const late = () =>
        this.#take(id)?.reject(
          new ClientError('no answer', `the device at ${this.#path} has not answered within ${withinMs / 1000} s`),
        );
      this.#waiting.set(id, { resolve, reject, cancel: this.#clock.after(withinMs, late, 'rpc answer') });
      this.#socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    });
  }

  close() {
    this.#socket?.destroy();
  }

  #read(chunk: Buffer) {
    const { lines, tooLong } = this.#lines.push(chunk);
    for (const line of lines) this.#hear(line);
    if (tooLong) this.close();
  }

  #hear(line: string) {
    let message: Response | { method: string; params: unknown };
    try {
      message = JSON.parse(line);
    } catch {
      // Whoever speaks there is no device of ours.
      return this.close();
    }
    if ('method' in message) return this.onNotification(message.method, message.params);
    if (message.id === null && 'error' in message) return this.#gone(message.error.message);
    const waiting = this.#take(Number(message.id));
    if (!waiting) return;
    if ('error' in message) waiting.reject(new ClientError('refused', message.error.message));
    else waiting.resolve(message.result);
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.cancel();
    return waiting;
  }

  #gone(why: string) {
    if (!this.#socket) return;
    this.#socket.destroy();
    this.#socket = undefined;
    for (const id of [...this.#waiting.keys()]) this.#take(id)?.reject(new ClientError('no answer', why));
    this.onClose();
  }
}

function explain(error: NodeJS.ErrnoException, path: string): ClientError {
  switch (error.code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
    case 'ENOTSOCK':
      return new ClientError(
        'no device',
        `no device is running here: nothing listens at ${path}; start one with \`porter run --config FILE\`, or name its socket with --socket`,
        { cause: error },
      );
    case 'EACCES':
    case 'EPERM':
      return new ClientError(
        'denied',
        `the device at ${path} listens to its own user only; try again as that user or with sudo`,
        {
          cause: error,
        },
      );
    default:
      return new ClientError('no device', `the device at ${path} cannot be reached: ${error.message}`, {
        cause: error,
      });
  }
}
