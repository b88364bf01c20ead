/** Linksys and Cisco: a word on the group's address says on which other address the page is, and from there it comes. */
import type { Address } from '../lib/address.ts';
import { parseLinksys } from '../paging/linksys.ts';
import type { Membership, MulticastNetwork } from './network.ts';
import type { Page } from './page.ts';

/** A start that no sound follows is forgotten after so long. */
const NOTHING_CAME_MS = 5_000;

export class Summoned {
  readonly #page: Page;
  readonly #network: MulticastNetwork;
  readonly #now: () => number;
  #id = 0;
  #sinceMs = 0;
  #membership: Membership | undefined;
  #joining = false;

  constructor(page: Page, network: MulticastNetwork, now: () => number) {
    this.#page = page;
    this.#network = network;
    this.#now = now;
  }

  onCommand(bytes: Uint8Array, from: Address) {
    if (!this.#page.allows(from)) return;
    const said = parseLinksys(bytes);
    if (said === undefined) {
      this.#page.counters.malformed++;
      return;
    }
    const isOpen = this.#joining || this.#membership !== undefined;
    if (said.command === 'stop') {
      if (isOpen && said.id === this.#id) this.#page.end(this.#now());
      return;
    }
    // It is said twice, and by another while one talks.
    if (isOpen) {
      if (said.id !== this.#id) this.#page.counters.otherTalker++;
      return;
    }
    this.#join(said.id, { host: said.host, port: said.port });
  }

  #join(id: number, at: Address) {
    this.#id = id;
    this.#sinceMs = this.#now();
    this.#joining = true;
    const onPacket = (bytes: Uint8Array, from: Address) => this.#page.onRtp(bytes, from, this.#now());
    this.#network.join(at, onPacket, joined => {
      const wanted = this.#joining;
      this.#joining = false;
      if ('why' in joined) this.#page.counters.malformed++;
      else if (wanted) this.#membership = joined;
      else joined.close();
    });
  }

  /** At every frame: leaves once the page is over, or never came. */
  tick(nowMs: number) {
    if (this.#membership === undefined || this.#page.on) return;
    const hasEnded = this.#page.beganAtMs >= this.#sinceMs && this.#page.counters.pages > 0;
    if (hasEnded || nowMs - this.#sinceMs >= NOTHING_CAME_MS) this.close();
  }

  close() {
    this.#joining = false;
    this.#membership?.close();
    this.#membership = undefined;
  }
}
