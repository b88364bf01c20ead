/**
 * Whether what is sent to a group arrives here: packets that no router and no cable carries (TTL 0), and that nobody takes
 * for a page, sent to each group and heard again.
 */
import { isIPv6 } from 'node:net';
import type { Address } from '../lib/address.ts';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import type { GroupSender, MulticastNetwork } from './network.ts';

/** So often to each group, this far apart: one that the machine loses is no finding. Milliseconds. */
const TRIES = 3;
const APART_MS = 100;
/** From the last try to the end. Milliseconds. */
const WAIT_MS = 300;

export interface GroupTestParts {
  clock: Clock;
  random: Random;
  network: MulticastNetwork;
  /** `host port` of those that were heard. */
  done(arrived: ReadonlySet<string>): void;
}

export const keyOf = ({ host, port }: Address) => `${host} ${port}`;

export class GroupTest {
  readonly #parts: GroupTestParts;
  readonly #groups: readonly Address[];
  /** Says that it is ours. Begins as no packet of any format of pages does. */
  readonly #token: Uint8Array;
  readonly #arrived = new Set<string>();
  readonly #senders = new Map<4 | 6, GroupSender>();
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(groups: readonly Address[], parts: GroupTestParts) {
    this.#groups = groups;
    this.#parts = parts;
    this.#token = Buffer.from(`porter test ${parts.random.token(8)}`);
  }

  start() {
    const { network } = this.#parts;
    for (const family of [4, 6] as const) {
      if (!this.#groups.some(({ host }) => isIPv6(host) === (family === 6))) continue;
      network.openSender({ family, ttl: 0, dscp: 0 }, sender => {
        if ('why' in sender) return;
        if (this.#stopped) sender.close();
        else this.#senders.set(family, sender);
      });
    }
    this.#next(0);
  }

  #next(tries: number) {
    const { clock } = this.#parts;
    const isOver = tries >= TRIES;
    this.#cancel = clock.after(
      isOver ? WAIT_MS : APART_MS,
      () => (isOver ? this.#end() : this.#try(tries)),
      'group test',
    );
  }

  #try(tries: number) {
    for (const { host, port } of this.#groups)
      this.#senders.get(isIPv6(host) ? 6 : 4)?.send(this.#token, this.#token.length, { host, port });
    this.#next(tries + 1);
  }

  /** True for a packet of this test, which is no page. */
  takes(group: string, bytes: Uint8Array): boolean {
    if (bytes.length !== this.#token.length || Buffer.compare(bytes, this.#token) !== 0) return false;
    this.#arrived.add(group);
    return true;
  }

  #end() {
    this.stop();
    this.#parts.done(this.#arrived);
  }

  stop() {
    this.#stopped = true;
    this.#cancel?.();
    for (const sender of this.#senders.values()) sender.close();
    this.#senders.clear();
  }
}
