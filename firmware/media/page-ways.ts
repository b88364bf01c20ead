/** On which ways pages come: the addresses that are joined, what each packet there is, and whether any come at all. */
import { isIPv4 } from 'node:net';
import type { Address } from '../lib/address.ts';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import { byAddress } from '../paging/groups.ts';
import { emptyPolycom, parsePolycom } from '../paging/polycom.ts';
import { looksLikeRtcp } from '../rtp/packet.ts';
import { GroupPort } from './group-port.ts';
import { GroupTest, keyOf } from './group-test.ts';
import type { MulticastNetwork } from './network.ts';
import type { Page } from './page.ts';
import type { MediaEvent } from './protocol.ts';
import { QuerierWatch } from './querier-watch.ts';
import { Summoned } from './summoned.ts';
import type { TimeHere } from './time-here.ts';

export interface PageWaysParts {
  clock: Clock;
  random: Random;
  network: MulticastNetwork;
  timeHere: TimeHere;
  /** All speakers play a page so long after it was sent. 0: each as soon as it can. */
  delayMs: number;
  emit(event: MediaEvent): void;
}

export class PageWays {
  readonly #parts: PageWaysParts;
  #pages: readonly Page[] = [];
  readonly #ports: GroupPort[] = [];
  readonly #summoned: Summoned[] = [];
  #test: GroupTest | undefined;
  readonly #querier: QuerierWatch;
  /** Group → why it is not joined. */
  readonly #faults = new Map<string, string | undefined>();

  constructor(parts: PageWaysParts) {
    this.#parts = parts;
    const { clock, network } = parts;
    this.#querier = new QuerierWatch(clock, () => network.openIgmp?.() ?? { why: 'nobody listens to IGMP' });
  }

  start(pages: readonly Page[]) {
    this.#pages = pages;
    for (const shared of byAddress(pages.map(page => ({ page, host: page.group.host, port: page.group.port })))) {
      this.#listenAt(
        shared[0]!,
        shared.map(({ page }) => page),
      );
    }
    if (pages.some(({ group }) => isIPv4(group.host))) this.#querier.start();
  }

  #listenAt({ host, port }: Address, pages: Page[]) {
    const { clock, random, network, emit } = this.#parts;
    const read = this.#reader(pages);
    const key = keyOf({ host, port });
    const groupPort = new GroupPort(
      { host, port },
      {
        clock,
        random,
        network,
        onPacket: (bytes, from) => {
          if (this.#test === undefined || !this.#test.takes(key, bytes)) read(bytes, from);
        },
        isBusy: () => pages.some(({ on }) => on),
        onChange: why => {
          for (const page of pages) {
            const { group } = page;
            page.joinedAtMs = clock.now();
            this.#faults.set(group.name, why);
            emit({ is: 'group', group: group.name, why });
          }
        },
      },
    );
    this.#ports.push(groupPort);
    groupPort.start();
    const { delayMs } = this.#parts;
    if (delayMs > 0 && pages[0]!.group.format === 'rtp' && port % 2 === 0) {
      this.#listenToReports({ host, port: port + 1 }, pages);
    }
  }

  /** Sender reports come to the port after an even one (RFC 3550 §11). Who sends none is not missed, nor is a port that cannot be had. */
  #listenToReports(address: Address, pages: Page[]) {
    const { clock, random, network } = this.#parts;
    const reports = new GroupPort(address, {
      clock,
      random,
      network,
      onPacket: (bytes, from) => {
        for (const page of pages) page.onRtcp(bytes, from, this.#parts.timeHere.of);
      },
      isBusy: () => pages.some(({ on }) => on),
      onChange: () => {},
    });
    this.#ports.push(reports);
    reports.start();
  }

  /** What is done with a packet to the address of these groups. */
  #reader(pages: Page[]): (bytes: Uint8Array, from: Address) => void {
    const { clock, network } = this.#parts;
    const page = pages[0]!;
    switch (page.group.format) {
      case 'rtp':
        return (bytes, from) =>
          looksLikeRtcp(bytes)
            ? page.onRtcp(bytes, from, this.#parts.timeHere.of)
            : page.onRtp(bytes, from, clock.now());
      case 'linksys': {
        const summoned = new Summoned(page, network, () => clock.now());
        this.#summoned.push(summoned);
        return (bytes, from) => summoned.onCommand(bytes, from);
      }
      case 'polycom': {
        const packet = emptyPolycom();
        return (bytes, from) => {
          if (parsePolycom(bytes, packet) === undefined) {
            page.counters.malformed++;
            return;
          }
          for (const each of pages)
            if (each.group.channel === packet.channel) each.onPolycom(packet, from, clock.now());
        };
      }
    }
  }

  whyNotJoined({ group }: Page): string | undefined {
    return this.#faults.get(group.name);
  }

  /** At every frame. */
  tick(nowMs: number) {
    for (const summoned of this.#summoned) summoned.tick(nowMs);
  }

  /** Whether what is sent to the groups arrives. One test at a time, whose answer is for all who ask. */
  test() {
    if (this.#test !== undefined) return;
    const { clock, random, network, emit } = this.#parts;
    const groups = byAddress(this.#pages.map(({ group: { host, port } }) => ({ host, port }))).map(([first]) => first!);
    this.#test = new GroupTest(groups, {
      clock,
      random,
      network,
      done: arrived => {
        this.#test = undefined;
        const names = this.#pages.filter(({ group }) => arrived.has(keyOf(group))).map(({ group }) => group.name);
        emit({ is: 'groups tested', arrived: names, querier: this.#querier.report() });
      },
    });
    this.#test.start();
  }

  stop() {
    this.#test?.stop();
    this.#querier.stop();
    for (const port of this.#ports) port.stop();
    for (const summoned of this.#summoned) summoned.close();
  }
}
