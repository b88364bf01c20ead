/** The fleet's side of provisioning: hands each device its merged document over HTTP. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { WallClock } from '../../firmware/lib/clock.ts';
import type { Log } from '../../firmware/lib/log.ts';
import type { DocumentFolder } from './folder.ts';
import { Inventory, type InventoryLine } from './inventory.ts';

export interface ServerSettings {
  folder: DocumentFolder;
  host: string;
  /** 0 takes any free one. */
  port: number;
  /** PEM; absent: plain HTTP. */
  tls?: { cert: string | Buffer; key: string | Buffer };
  /** Opens the inventory to whoever presents it. Absent: only callers on this machine may read it. */
  adminToken?: string;
}

const connectionLimit = 2048;
const requestTimeoutMs = 10_000;
const headerLimitBytes = 8192;

interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

const failure = (status: number, error: string, headers: Record<string, string> = {}): Answer => ({
  status,
  body: { error },
  headers,
});

export class ProvisioningServer {
  readonly #settings: ServerSettings;
  readonly #wallClock: WallClock;
  readonly #log: Log;
  readonly #inventory = new Inventory();
  #server: Server | undefined;

  constructor(settings: ServerSettings, wallClock: WallClock, log: Log) {
    this.#settings = settings;
    this.#wallClock = wallClock;
    this.#log = log;
  }

  /** Resolves with the base URL once requests are taken. Rejects when the port cannot be had. */
  async start(): Promise<string> {
    const { host, port, tls } = this.#settings;
    const options = {
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      maxHeaderSize: headerLimitBytes,
    };
    const listener = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    const server = tls ? createHttpsServer({ ...options, ...tls }, listener) : createHttpServer(options, listener);
    server.maxConnections = connectionLimit;
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    const { address, family, port: bound } = server.address() as AddressInfo;
    return `${tls ? 'https' : 'http'}://${family === 'IPv6' ? `[${address}]` : address}:${bound}`;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const closed = new Promise(resolve => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: Answer;
    try {
      answer = await this.#answer(request);
    } catch (error) {
      this.#log.error('request failed', { url: request.url?.slice(0, 256), why: (error as Error).message });
      answer = failure(500, 'the server failed; its log says why');
    }
    const { status, body, headers } = answer;
    const bytes = body === undefined ? undefined : Buffer.from(`${JSON.stringify(body, null, 1)}\n`);
    response.writeHead(status, {
      'cache-control': 'no-store',
      ...(bytes && { 'content-type': 'application/json', 'content-length': bytes.length }),
      ...headers,
    });
    // HEAD: node:http drops the body by itself (RFC 9110 §9.3.2).
    response.end(bytes);
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return failure(405, 'only GET and HEAD are answered', { allow: 'GET, HEAD' });
    }
    const path = (request.url ?? '').split('?')[0]!;
    if (path === '/v1/devices') return await this.#listing(request);
    const id = /^\/v1\/devices\/([^/]+)\/config$/.exec(path)?.[1];
    if (id === undefined) return failure(404, 'there is /v1/devices and /v1/devices/{id}/config');
    return await this.#document(id, request);
  }

  async #document(id: string, { headers }: IncomingMessage): Promise<Answer> {
    const found = await this.#settings.folder.find(id);
    if (found.is === 'unknown') return failure(404, `there is no device ${JSON.stringify(id.slice(0, 64))}`);
    if (found.is === 'broken') {
      this.#log.error('a layer cannot be used', { device: id, why: found.why });
      return failure(500, found.why);
    }
    if (found.token !== undefined && !sameSecret(bearer(headers.authorization), found.token)) {
      return failure(401, `device ${id} must present its token`, { 'www-authenticate': 'Bearer' });
    }
    this.#inventory.saw(id, this.#wallClock(), {
      revision: text(headers['porter-revision']),
      refused: text(headers['porter-refused']),
      userAgent: headers['user-agent'],
    });
    const { document, etag } = found;
    if (matches(headers['if-none-match'], etag)) return { status: 304, headers: { etag } };
    this.#log.info('document given', { device: id, revision: etag.slice(1, -1) });
    return { status: 200, body: document, headers: { etag } };
  }

  async #listing(request: IncomingMessage): Promise<Answer> {
    if (!this.#mayList(request)) return failure(403, 'the inventory is for the administrator');
    const { folder } = this.#settings;
    const devices: InventoryLine[] = [];
    for (const id of await folder.devices()) {
      const found = await folder.find(id);
      const offered =
        found.is === 'document' ? { offered: found.etag.slice(1, -1), ...(found.group && { group: found.group }) } : {};
      devices.push({ id, ...offered, ...this.#inventory.of(id) });
    }
    return { status: 200, body: { devices } };
  }

  #mayList({ headers, socket }: IncomingMessage): boolean {
    const { adminToken } = this.#settings;
    if (adminToken !== undefined) return sameSecret(bearer(headers.authorization), adminToken);
    // What a reverse proxy passes on comes from this machine too, but says for whom.
    const forwarded = headers.forwarded !== undefined || headers['x-forwarded-for'] !== undefined;
    return !forwarded && /^(::ffff:)?127\.|^::1$/.test(socket.remoteAddress ?? '');
  }
}

const text = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value);

const bearer = (authorization = '') => /^Bearer +([^ ]+)$/i.exec(authorization)?.[1] ?? '';

/** Compares in a time that does not depend on where they differ. */
function sameSecret(offered: string, secret: string): boolean {
  const digest = (value: string) => createHash('sha256').update(value).digest();
  return timingSafeEqual(digest(offered), digest(secret));
}

/** RFC 9110 §13.1.2: weak comparison with any member of the list. */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  const listed = ifNoneMatch?.split(',').map(entry => entry.trim().replace(/^W\//, '')) ?? [];
  return listed.includes('*') || listed.includes(etag);
}
