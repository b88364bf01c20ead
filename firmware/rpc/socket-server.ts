/** The device's unix socket: JSON-RPC, one JSON text a line. Only the device's own user may open it. */
import { lstatSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { makeFolder } from '../lib/folder.ts';
import type { Log } from '../lib/log.ts';
import { ErrorCode, failure, notification } from './json-rpc.ts';
import { Lines } from './lines.ts';
import { type Caller, handle, type Offered } from './methods.ts';

/** Clients at one time; one more is told so and closed. */
export const CONNECTION_LIMIT = 16;
/** Bytes in one request. */
export const LINE_LIMIT_BYTES = 64 * 1024;
/** Requests that wait in one connection; its socket is not read meanwhile. */
const WAITING_LIMIT = 32;
/** Bytes that a client has not read yet; with more, the next message drops it. One message may be longer. */
export const UNREAD_LIMIT_BYTES = 256 * 1024;
/** Bytes in a unix socket's path, with the final zero (unix(7), sun_path). */
const PATH_LIMIT_BYTES = 108;

export type SocketErrorCode =
  /** Somebody answers there: another device runs. */
  'in use' | 'bad path' | 'denied' | 'io';

export class SocketError extends Error {
  readonly code: SocketErrorCode;
  constructor(code: SocketErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SocketError';
    this.code = code;
  }
}

export interface SocketServerOptions {
  path: string;
  clock: Clock;
  log: Log;
  offered: Offered;
}

/** Serves until `stop`. A client can be slow, silly or many; the device does not feel it. */
export class SocketServer {
  readonly #options: SocketServerOptions;
  readonly #connections = new Set<Connection>();
  #server: Server | undefined;
  #serving = false;

  constructor(options: SocketServerOptions) {
    this.#options = options;
  }

  /**
   * Takes the path; clients may connect and have to wait. Rejects with a SocketError: `in use` means that another device
   * runs. A socket file that nobody listens at is a dead device's, and is replaced.
   */
  async claim(): Promise<void> {
    const { path, log } = this.#options;
    if (Buffer.byteLength(path) >= PATH_LIMIT_BYTES) {
      throw new SocketError('bad path', `a socket's path has fewer than ${PATH_LIMIT_BYTES} bytes: ${path}`);
    }
    try {
      makeFolder(dirname(path));
      if (await answers(path)) {
        throw new SocketError(
          'in use',
          `another device is running: it answers at ${path}; stop it, or give this one its own --state`,
        );
      }
      removeStale(path);
      this.#server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, socket => this.#accept(socket));
      await listen(this.#server, path);
      this.#server.on('error', error => log.error('socket failed', { path, error: error.message }));
    } catch (error) {
      this.#server = undefined;
      throw error instanceof SocketError ? error : asSocketError(error, path);
    }
    log.info('socket open', { path });
  }

  /** Serves those who wait and those who come; claims the path first where that has not been done. */
  async start(): Promise<void> {
    if (!this.#server) await this.claim();
    this.#serving = true;
    for (const connection of this.#connections) connection.start();
  }

  /** Resolves when the socket file is gone and every client closed. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    this.#serving = false;
    const closed = new Promise<void>(resolve => server.close(() => resolve()));
    for (const connection of this.#connections) connection.close();
    await closed;
  }

  get connections() {
    return this.#connections.size;
  }

  #accept(socket: Socket) {
    if (this.#connections.size >= CONNECTION_LIMIT) {
      socket.on('error', () => {});
      socket.end(
        `${JSON.stringify(failure(null, ErrorCode.limit, `${CONNECTION_LIMIT} clients are connected already`))}\n`,
      );
      socket.resume();
      return;
    }
    const connection = new Connection(socket, this.#options, () => this.#connections.delete(connection));
    this.#connections.add(connection);
    if (this.#serving) connection.start();
  }
}

/** One client. Its requests are carried out one at a time, in order, each in a turn of its own. */
class Connection {
  readonly #socket: Socket;
  readonly #options: SocketServerOptions;
  readonly #gone: () => void;
  readonly #lines = new Lines(LINE_LIMIT_BYTES);
  readonly #waiting: string[] = [];
  #busy = false;
  #ended = false;
  #readEnded = false;
  #cancelTurn: (() => void) | undefined;
  #unfollow: (() => void) | undefined;

  constructor(socket: Socket, options: SocketServerOptions, gone: () => void) {
    this.#socket = socket;
    this.#options = options;
    this.#gone = gone;
  }

  start() {
    this.#socket.on('data', chunk => this.#read(chunk));
    this.#socket.on('end', () => {
      this.#readEnded = true;
      this.#endIfDone();
    });
    this.#socket.on('drain', () => this.#turn());
    this.#socket.on('error', () => this.close());
    this.#socket.on('close', () => this.close());
    this.#socket.resume();
  }

  close() {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelTurn?.();
    this.#socket.destroy();
    this.#unfollow?.();
    this.#gone();
  }

  #read(chunk: Buffer) {
    const { lines, tooLong } = this.#lines.push(chunk);
    for (const line of lines) if (line.trim() !== '') this.#waiting.push(line);
    if (tooLong) {
      this.#write(failure(null, ErrorCode.limit, `a request has at most ${LINE_LIMIT_BYTES} bytes`));
      this.#socket.pause();
      this.#socket.destroySoon();
      return;
    }
    if (this.#waiting.length > WAITING_LIMIT) this.#socket.pause();
    this.#turn();
  }

  /**
   * A flood of requests must not hold the control thread: the device's own work comes between any two. Nor does it pile
   * up answers: the next request waits until the last answer has been read.
   */
  #turn() {
    if (this.#socket.writableNeedDrain) return;
    if (this.#busy || this.#ended || this.#cancelTurn || this.#waiting.length === 0) return;
    this.#cancelTurn = this.#options.clock.after(
      0,
      () => {
        this.#cancelTurn = undefined;
        this.#next();
      },
      'socket request',
    );
  }

  #next() {
    const line = this.#waiting.shift();
    if (line === undefined) return;
    if (this.#waiting.length <= WAITING_LIMIT) this.#socket.resume();
    this.#busy = true;
    handle(line, this.#options.offered, this.#caller, answer => {
      if (answer) this.#write(answer);
      this.#busy = false;
      this.#turn();
      this.#endIfDone();
    });
  }

  /** `echo … | nc -U …` closes its side at once and still wants its answers; whoever follows keeps it open. */
  #endIfDone() {
    if (this.#readEnded && !this.#busy && this.#waiting.length === 0) this.#socket.destroySoon();
  }

  readonly #caller: Caller = {
    origin: 'cli',
    follow: begin => {
      this.#unfollow?.();
      this.#unfollow = begin(
        (method, params) => this.#write(notification(method, params)),
        () => this.#socket.writableLength < UNREAD_LIMIT_BYTES / 2,
      );
    },
  };

  #write(message: object) {
    if (this.#ended) return;
    if (this.#socket.writableLength > UNREAD_LIMIT_BYTES) {
      this.#options.log.warn('socket client dropped', {
        why: 'it does not read',
        unreadBytes: this.#socket.writableLength,
      });
      this.close();
      return;
    }
    this.#socket.write(`${JSON.stringify(message)}\n`);
  }
}

/** Whether somebody listens at the path. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(false);
      else reject(error);
    });
  });
}

/** Somebody's file in the socket's place is not ours to delete. */
function removeStale(path: string) {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (!there) return;
  if (!there.isSocket()) throw new SocketError('bad path', `${path} is there and is no socket; choose another path`);
  rmSync(path);
}

/** The file is there with mode 0600 from its first moment: bind happens within `listen`, under our umask. */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const before = process.umask(0o177);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
    process.umask(before);
  });
}

function asSocketError(error: unknown, path: string): SocketError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new SocketError(
      'denied',
      `the socket ${path} may not be made here (${code}); choose another with control.socket`,
      { cause: error },
    );
  }
  return new SocketError('io', `the socket ${path} cannot be opened: ${message}`, { cause: error });
}
