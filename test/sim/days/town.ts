/**
 * Where agent days happen: the device's user agent, a PBX of two machines with registrar and DNS, two telephones that
 * are called directly, and a far end that behaves oddly. No sound: many calls for little time.
 */

import type { Address } from '../../../firmware/lib/address.ts';
import { printAddress } from '../../../firmware/lib/address.ts';
import type { RequestHandler } from '../../../firmware/sip/requests.ts';
import { Registrar } from '../../desk/registrar.ts';
import { LossyNetwork } from '../lossy-network.ts';
import { seeded } from '../seeded.ts';
import { StreamNetwork } from '../stream-network.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { DOMAIN, Names } from './names.ts';
import { OddPeer } from './odd-peer.ts';
import { type Day, dayPresets } from './plan.ts';
import { Speaker } from './speaker.ts';

export const PBX: Address = { host: '192.0.2.1', port: 5060 };
export const SECOND_PBX: Address = { host: '192.0.2.2', port: 5060 };
export const FRONT: Address = { host: '192.0.2.10', port: 5060 };
const STRANGER: Address = { host: '192.0.2.66', port: 5060 };
const addresses = {
  front: FRONT,
  desk: { host: '192.0.2.20', port: 5060 },
  carol: { host: '192.0.2.30', port: 5060 },
  odd: { host: '192.0.2.40', port: 5060 },
};

export type RegistrarMood = 'well' | 'stale' | { status: number; retryAfterS: number };

interface Server {
  phone: Speaker;
  registrar: Registrar;
}

export class Town {
  readonly clock = new VirtualClock();
  readonly network: LossyNetwork;
  readonly streams: StreamNetwork;
  readonly names: Names;
  readonly odd: OddPeer;
  readonly servers: Server[];
  /** Everybody who ever was, the dead too. */
  readonly speakers: Speaker[] = [];
  registrarMood: RegistrarMood = 'well';
  wallJumpMs = 0;
  registrations = 0;
  front: Speaker;
  desk: Speaker;
  carol: Speaker;
  readonly #day: Day;

  constructor(day: Day) {
    const { seed, preset, ttlMs } = day;
    this.#day = day;
    this.network = new LossyNetwork(this.clock, seeded(seed ^ 0x5e9a), dayPresets[preset]);
    this.streams = new StreamNetwork(this.clock, seeded(seed ^ 0x1d3b));
    this.streams.tap = (bytes, from, to) => {
      const [firstLine] = Buffer.from(bytes).toString('latin1').split('\r\n', 1);
      this.note(`${printAddress(from)} => ${to.transport} ${printAddress(to)} ${firstLine}`);
    };
    const odd = addresses.odd;
    this.names = new Names(this.clock, seeded(seed ^ 0x77aa), { servers: [PBX, SECOND_PBX], other: odd, ttlMs });
    this.odd = new OddPeer(this.clock, this.network, seeded(seed ^ 0x3c51), odd, 'sip:desk@192.0.2.20');
    this.network.attach(STRANGER, () => {});
    this.servers = [PBX, SECOND_PBX].map(address => this.#server(address));
    this.front = this.speaker('front');
    this.desk = this.speaker('desk');
    this.carol = this.speaker('carol');
  }

  get trace() {
    return this.network.trace;
  }

  note(what: string) {
    this.trace.push(`${this.clock.now().toFixed(0).padStart(6)} ${what}`);
  }

  /** A new one at its place; whoever was there before must have died. */
  speaker(name: 'front' | 'desk' | 'carol'): Speaker {
    const { expiresMs, transport, seed } = this.#day;
    const isFront = name === 'front';
    const account = isFront
      ? { aor: `sip:front@${DOMAIN}`, password: 'secret', register: true, expiresMs, ...(transport && { transport }) }
      : {};
    return this.#seat({
      name,
      address: addresses[name],
      account,
      seed: seed * 97 + name.length + 10 * this.speakers.length,
    });
  }

  /** The registrar starts anew: it knows nobody. */
  restartRegistrars() {
    for (const server of this.servers) server.registrar = this.#registrar();
  }

  /** Where the machines that DNS rightly names have the device registered. */
  get contact(): string | undefined {
    for (const { host } of this.names.servers) {
      const server = this.servers.find(({ phone }) => phone.address.host === host);
      const contact = server?.registrar.contactFor('front');
      if (contact !== undefined) return contact;
    }
    return undefined;
  }

  garbage(bytes: Uint8Array) {
    this.network.send(bytes, STRANGER, FRONT);
  }

  #server(address: Address): Server {
    const serve: RequestHandler = transaction => {
      const mood = this.registrarMood;
      if (typeof mood === 'object') {
        const headers = mood.retryAfterS > 0 ? [['Retry-After', String(mood.retryAfterS)] as const] : [];
        transaction.respond(mood.status, { headers });
      } else if (mood === 'stale') {
        const nonce = seeded(this.clock.now()).token(8);
        const challenge = `Digest realm="desk", nonce="${nonce}", stale=true, qop="auth", algorithm=MD5`;
        transaction.respond(401, { headers: [['WWW-Authenticate', challenge]] });
      } else server.registrar.serve(transaction);
    };
    const phone = this.#seat({
      name: `pbx ${address.host}`,
      address,
      account: { aor: `sip:desk@${DOMAIN}` },
      seed: this.#day.seed * 97 + address.host.length,
      settings: { maxCalls: 16 },
      methods: { REGISTER: serve },
    });
    const server: Server = { phone, registrar: this.#registrar() };
    return server;
  }

  #registrar() {
    return new Registrar(
      { clock: this.clock, random: seeded(this.#day.seed + this.clock.now()) },
      { realm: 'desk', passwords: { front: 'secret' }, onRegistered: () => this.registrations++ },
    );
  }

  #seat(options: ConstructorParameters<typeof Speaker>[1]): Speaker {
    const { clock, network, streams, names } = this;
    const wallClock = () => 1_767_225_600_000 + clock.now() + this.wallJumpMs;
    const parts = { clock, network, streams, wallClock, resolve: names.resolve, services: names.services };
    const speaker = new Speaker(parts, options);
    this.speakers.push(speaker);
    return speaker;
  }
}
