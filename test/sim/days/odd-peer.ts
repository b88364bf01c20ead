/**
 * A far end that does what ours never would: answers in two places, answers what was cancelled, redirects in circles,
 * challenges for ever, meets an offer with an offer, says nothing.
 */
import type { Address } from '../../../firmware/lib/address.ts';
import type { Clock } from '../../../firmware/lib/clock.ts';
import type { Random } from '../../../firmware/lib/random.ts';
import type { Request } from '../../../firmware/sip/message/message.ts';
import { printMessage } from '../../../firmware/sip/message/print.ts';
import { makeResponse, type Reply } from '../../../firmware/sip/transaction/reply.ts';
import type { LossyNetwork } from '../lossy-network.ts';
import { ScriptedPeer } from '../scripted-peer.ts';
import { sdp } from '../sip-phone.ts';
import { between, pick } from './chance.ts';

export const oddities = ['fork', 'late', 'circle', 'away', 'challenge', 'silent', 'refuse', 'glare', 'drop'] as const;
type Oddity = (typeof oddities)[number];

/** Requests whose copies are known. */
const MEMORY = 256;

export class OddPeer {
  /** What it did, for the statistics. */
  readonly done: Oddity[] = [];
  readonly #peer: ScriptedPeer;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #address: Address;
  /** Where it sends callers away to. */
  readonly #elsewhere: string;
  /** Top Via and method of what has been seen → the last answer to it. */
  readonly #seen = new Map<string, (() => void) | undefined>();
  readonly #mood = new Map<string, Oddity>();
  /** The Call-ID of every INVITE that came here, by whatever name: a DNS that lies leads here too. */
  readonly called = new Set<string>();
  #sequence = 100;

  constructor(clock: Clock, network: LossyNetwork, random: Random, address: Address, elsewhere: string) {
    this.#clock = clock;
    this.#random = random;
    this.#address = address;
    this.#elsewhere = elsewhere;
    this.#peer = new ScriptedPeer(network, address);
    this.#peer.onRequest = request => this.#onRequest(request);
  }

  #onRequest(request: Request) {
    const { method, headers } = request;
    if (method === 'ACK') return;
    const key = `${method} ${headers.get('Via')}`;
    if (this.#seen.has(key)) return this.#seen.get(key)?.();
    this.#remember(key, undefined);
    const inDialog = /;tag=/.test(headers.get('To')!);
    if (method === 'INVITE' && !inDialog) return this.#invited(request, key);
    if (method === 'CANCEL') return this.#cancelled(request);
    if (method === 'REGISTER') return this.#reply(request, key, 404);
    const mood = this.#random.next();
    if (method === 'BYE' || mood < 0.7) this.#reply(request, key, 200, this.#body(request));
    else if (mood < 0.8) this.#reply(request, key, 481);
    else if (mood < 0.9) this.#reply(request, key, method === 'INVITE' ? 491 : 500);
  }

  #invited(request: Request, key: string) {
    const oddity = pick(this.#random, oddities);
    this.done.push(oddity);
    this.#mood.set(request.headers.get('Call-ID')!, oddity);
    this.called.add(request.headers.get('Call-ID')!);
    if (this.#mood.size > MEMORY) this.#mood.delete(this.#mood.keys().next().value!);
    const later = (task: () => void) => void this.#clock.after(between(this.#random, 0, 3_000), task, 'odd peer');
    switch (oddity) {
      case 'fork':
        for (const tag of ['one', 'two', 'three']) {
          later(() => this.#reply(request, key, 180, {}, tag));
          later(() => this.#answer(request, key, tag));
        }
        break;
      case 'late':
        this.#reply(request, key, 180);
        break;
      case 'circle':
        this.#reply(request, key, 302, { headers: [['Contact', `<sip:${this.#word()}@${this.#address.host}>`]] });
        break;
      case 'away':
        this.#reply(request, key, 302, { headers: [['Contact', `<${this.#elsewhere}>`]] });
        break;
      case 'challenge':
        this.#reply(request, key, 407, {
          headers: [['Proxy-Authenticate', `Digest realm="odd", nonce="${this.#word()}", qop="auth"`]],
        });
        break;
      case 'silent':
        break;
      case 'refuse':
        later(() => this.#reply(request, key, pick(this.#random, [400, 420, 484, 486, 500, 503, 580, 606, 699])));
        break;
      case 'glare':
        later(() => {
          this.#answer(request, key, 'odd');
          this.#clock.after(
            200,
            () => this.#say(request, 'INVITE', 'Content-Type: application/sdp', 'their offer'),
            'odd peer',
          );
        });
        break;
      case 'drop':
        later(() => {
          this.#answer(request, key, 'odd');
          const method = pick(this.#random, ['BYE', 'REFER', 'INFO', 'UPDATE', 'NOTIFY', 'OPTIONS', 'MESSAGE', 'FOO']);
          const more = method === 'REFER' ? `Refer-To: <${this.#elsewhere}>` : 'Event: talk';
          this.#clock.after(1_000, () => this.#say(request, method, more, ''), 'odd peer');
        });
        break;
    }
  }

  /** §9.2 is for others: half of the time what was cancelled is answered all the same. */
  #cancelled(request: Request) {
    const invite = this.#peer
      .requests('INVITE')
      .findLast(({ headers }) => headers.get('Via') === request.headers.get('Via'));
    this.#reply(request, `CANCEL ${request.headers.get('Via')}`, invite === undefined ? 481 : 200);
    if (invite === undefined || this.#mood.get(request.headers.get('Call-ID')!) === 'silent') return;
    const key = `INVITE ${invite.headers.get('Via')}`;
    if (this.#random.next() < 0.5) this.#answer(invite, key, 'odd');
    else this.#reply(invite, key, 487);
  }

  #answer(request: Request, key: string, tag: string) {
    this.#reply(request, key, 200, this.#body(request), tag);
  }

  #body({ method }: Request) {
    const headers = [['Contact', `<sip:odd@${this.#address.host}>`]] as const;
    return method === 'INVITE' ? { headers, body: sdp('odd answer') } : { headers };
  }

  #reply(request: Request, key: string, status: number, reply: Reply = {}, tag = 'odd') {
    const via = /UDP ([\d.]+):(\d+)/.exec(request.headers.get('Via') ?? '');
    if (via === null) return;
    const bytes = printMessage(makeResponse(request, status, tag, reply));
    const send = () => this.#peer.send(bytes, { host: via[1]!, port: Number(via[2]) });
    this.#remember(key, send);
    send();
  }

  /** A request of its own in the dialog of an INVITE that it has answered. Where it comes back is its own affair. */
  #say({ headers, uri }: Request, method: string, more: string, body: string) {
    const contact = /<([^>]*)>/.exec(headers.get('Contact') ?? '')?.[1] ?? uri;
    const to = /@([\d.]+):(\d+)/.exec(contact);
    if (to === null) return;
    this.#peer.say(
      `${method} ${contact} SIP/2.0
Via: SIP/2.0/UDP ${this.#address.host}:${this.#address.port};branch=z9hG4bK${this.#word()}
Max-Forwards: 70
From: ${headers.get('To')};tag=odd
To: ${headers.get('From')}
Call-ID: ${headers.get('Call-ID')}
CSeq: ${++this.#sequence} ${method}
Contact: <sip:odd@${this.#address.host}>
${more}
Content-Length: ${body.length}

${body}`,
      { host: to[1]!, port: Number(to[2]) },
    );
  }

  #word() {
    return this.#random.token(4);
  }

  #remember(key: string, again: (() => void) | undefined) {
    this.#seen.set(key, again);
    if (this.#seen.size > MEMORY) this.#seen.delete(this.#seen.keys().next().value!);
  }
}
