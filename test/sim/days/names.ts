/** The DNS of a bad day: right, gone, silent or lying, as the day says. Names are `pbx.example` and nothing else. */
import type { Address } from '../../../firmware/lib/address.ts';
import type { Clock } from '../../../firmware/lib/clock.ts';
import type { Random } from '../../../firmware/lib/random.ts';
import type { Resolve } from '../../../firmware/sip/contracts.ts';
import type { Found, Services } from '../../../firmware/sip/locate/services.ts';

export const dnsMoods = ['gone', 'silent', 'wrong', 'empty', 'many', 'in a circle', 'other'] as const;
/** `wrong`: hosts that are not there. `other`: a machine that is, but is no registrar. */
export type DnsMood = 'right' | (typeof dnsMoods)[number];

export const DOMAIN = 'pbx.example';
const ANSWER_MS = 20;
/** More than anybody could use. */
const MANY = 1_000;

export class Names {
  mood: DnsMood = 'right';
  /** Where the domain's servers are, in order. */
  servers: readonly Address[];
  /** An existing machine that is not the PBX. */
  readonly #other: Address;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #ttlMs: number;

  constructor(
    clock: Clock,
    random: Random,
    { servers, other, ttlMs }: { servers: readonly Address[]; other: Address; ttlMs: number },
  ) {
    this.#clock = clock;
    this.#random = random;
    this.servers = servers;
    this.#other = other;
    this.#ttlMs = ttlMs;
  }

  readonly resolve: Resolve = (host, port = 5060, done) => {
    if (/^[\d.]+$/.test(host)) return done([{ host, port }]);
    const hosts = this.#hostsOf(host).map(address => ({ host: address, port }));
    this.#answer(hosts, found =>
      'why' in found
        ? done([], found.why)
        : done(found.records, found.records.length > 0 ? undefined : `no such host: ${host}`, found.ttlMs),
    );
  };

  /** SRV for both transports; no NAPTR, as in most sites. */
  readonly services: Services = {
    naptr: (_name, done) => this.#answer([], done),
    srv: (name, done) => {
      if (!name.endsWith(`.${DOMAIN}`) || name.startsWith('_sips')) return this.#answer([], done);
      const count = this.mood === 'many' ? MANY : this.mood === 'empty' ? 0 : this.servers.length;
      const records = Array.from({ length: count }, (_, index) => ({
        priority: index,
        weight: this.mood === 'many' ? -index : 1,
        port: this.mood === 'many' ? index * 100 : 5060,
        target: this.mood === 'in a circle' ? name : `host-${index}.${DOMAIN}`,
      }));
      this.#answer(records, done);
    },
  };

  #hostsOf(host: string): readonly string[] {
    const index = Number(/^host-(\d+)\./.exec(host)?.[1] ?? -1);
    const right = this.servers.map(server => server.host);
    if (host !== DOMAIN && index < 0) return [];
    switch (this.mood) {
      case 'empty':
        return [];
      case 'wrong':
        return ['192.0.2.98', '192.0.2.99'];
      case 'many':
        return Array.from({ length: MANY }, (_, at) => `198.51.100.${at % 250}`);
      case 'other':
        return [this.#other.host];
      case 'in a circle':
        return ['', host, 'not an address'];
      default:
        return index < 0 ? right : right.slice(index, index + 1);
    }
  }

  #answer<Record>(records: readonly Record[], done: (found: Found<Record>) => void) {
    const { mood } = this;
    if (mood === 'silent') return;
    const found: Found<Record> = mood === 'gone' ? { why: 'DNS: ESERVFAIL' } : { records, ttlMs: this.#ttlMs };
    this.#clock.after(ANSWER_MS * this.#random.next(), () => done(found), 'dns');
  }
}
