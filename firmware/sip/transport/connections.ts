/**
 * The TCP and TLS connections of the user agent (RFC 3261 §18, RFC 5923): opened when a request needs one, used again
 * for the next, bounded in number. No I/O of its own.
 */
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Random } from '../../lib/random.ts';
import type { ConnectionKeepAlive } from '../contracts.ts';
import { type Hop, printHop, sameHop } from '../hop.ts';
import { Connection } from './connection.ts';
import { Doorkeeper } from './doorkeeper.ts';
import type { ByteStream, Connect, StreamEvents } from './stream.ts';

/** Connections at once, both ways together. */
export const connectionLimit = 64;
/** Of these, opened by one remote address: an attacker there leaves room for the PBX. */
export const perHostLimit = 16;
/** Opened by others and still without a message: half open, or slow in greeting. The oldest makes room. */
export const silentLimit = 32;

export interface ConnectionsParts {
  clock: Clock;
  random: Random;
  log: Log;
  connect: Connect;
}

export interface ConnectionsUser {
  onMessage(bytes: Uint8Array, from: Hop): void;
  /** A connection that peers reach us by is gone, not by `stop`. */
  onLost(to: Hop): void;
}

export class Connections {
  readonly #parts: ConnectionsParts;
  readonly #user: ConnectionsUser;
  readonly #all = new Map<number, Connection>();
  readonly #doorkeeper: Doorkeeper;
  #lastNumber = 0;

  constructor(parts: ConnectionsParts, user: ConnectionsUser) {
    this.#parts = parts;
    this.#user = user;
    this.#doorkeeper = new Doorkeeper(parts.clock);
  }

  get size() {
    return this.#all.size;
  }

  /** For whoever looks after the device. */
  get open(): { with: string; openedBy: 'us' | 'them'; kept: boolean }[] {
    return [...this.#all.values()].map(({ remote, isOurs, isKept }) => ({
      with: printHop(remote),
      openedBy: isOurs ? 'us' : 'them',
      kept: isKept,
    }));
  }

  /** Takes a connection that a peer has opened. Undefined where there are too many: it must be closed. */
  accept(remote: Hop, stream: ByteStream): StreamEvents | undefined {
    const others = [...this.#all.values()].filter(({ isOurs }) => !isOurs);
    const ofHost = others.filter(other => other.remote.host === remote.host);
    const silent = others.filter(({ hasSpoken }) => !hasSpoken);
    // In the order of opening, and nothing has happened to them since.
    if (silent.length >= silentLimit) silent[0]!.fail('room for another');
    if (ofHost.length >= perHostLimit || !this.#doorkeeper.admits(remote.host) || !this.#makeRoom()) {
      this.#parts.log.debug('connection refused: too many', { from: printHop(remote) });
      return undefined;
    }
    const connection = this.#add(remote, false);
    connection.start(stream);
    return connection;
  }

  /** A message to a hop: over the connection that it names, over one that goes there already, or over a new one. */
  send(bytes: Uint8Array, to: Hop, onError: (error: Error) => void) {
    const named = to.connection === undefined ? undefined : this.#all.get(to.connection);
    const connection = named ?? this.#find(to) ?? this.#open(to);
    if (connection === undefined) {
      this.#parts.clock.after(0, () => onError(new Error('too many connections')), 'message not sent');
      return;
    }
    if (to.keep) connection.keep();
    // What goes back on the connection of a request is an answer: nothing comes for it.
    connection.send(bytes, named === undefined ? onError : undefined);
  }

  /** Of the connection that goes there, if one does. */
  keepAlive(to: Hop, how: ConnectionKeepAlive) {
    this.#find(to)?.keepAlive(how);
  }

  /** These addresses of ours are no more: nothing comes by their connections, and the kernel would find out in minutes. */
  addressesGone(gone: readonly string[]) {
    for (const connection of [...this.#all.values()]) {
      const { localHost } = connection;
      if (localHost !== undefined && gone.includes(localHost)) connection.fail('our address is gone');
    }
  }

  /** Closes all without a word to anybody. */
  stop() {
    for (const connection of this.#all.values()) connection.close();
    this.#all.clear();
  }

  #find(to: Hop): Connection | undefined {
    // RFC 5923 §4: requests of both sides go over one connection. One that a peer opened serves only its answers, for
    // what it says of its own address in Via has not been proved.
    let theirs: Connection | undefined;
    for (const connection of this.#all.values()) {
      if (!sameHop(connection.remote, to)) continue;
      if (connection.isOurs) return connection;
      // But the very end of a connection of theirs is proved: who names that as its address (linphone does, in Contact)
      // listens nowhere else. Never so over TLS, where nobody has shown a certificate.
      if (to.transport === 'tcp') theirs = connection;
    }
    return theirs;
  }

  #open(to: Hop): Connection | undefined {
    if (!this.#makeRoom()) return undefined;
    const { host, port, transport, domain } = to;
    const remote: Hop = { host, port, ...(transport && { transport }), ...(domain !== undefined && { domain }) };
    const connection = this.#add(remote, true);
    connection.start(this.#parts.connect(remote, connection));
    return connection;
  }

  #add(remote: Hop, isOurs: boolean): Connection {
    const number = ++this.#lastNumber;
    const connection: Connection = new Connection(this.#parts, { ...remote, connection: number }, isOurs, {
      onMessage: (bytes, from) => this.#user.onMessage(bytes, from),
      onGone: why => {
        this.#all.delete(number);
        this.#parts.log.debug('connection ended', { with: printHop(remote), why });
        if (connection.isKept) this.#user.onLost(remote);
      },
    });
    this.#all.set(number, connection);
    return connection;
  }

  /**
   * Where all places are taken, one makes room, unless peers reach us by it: first who never said anything, then whom we
   * did not call; of those the one that has been silent for longest.
   */
  #makeRoom(): boolean {
    if (this.#all.size < connectionLimit) return true;
    const [oldest] = [...this.#all.values()]
      .filter(({ isKept }) => !isKept)
      .toSorted((a, b) => worthOf(a) - worthOf(b) || a.usedAtMs - b.usedAtMs);
    oldest?.fail('room for another');
    return oldest !== undefined;
  }
}

const worthOf = ({ isOurs, hasSpoken }: Connection) => (isOurs ? 2 : hasSpoken ? 1 : 0);
