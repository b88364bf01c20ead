/**
 * A whole user agent in the middle of its calls, to which a stranger, its server and the other side send what nobody
 * should: it never throws, answers each request once at most, and in the end nothing of it all is left.
 */
import type { Random } from '../../../firmware/lib/random.ts';
import { LossyNetwork, presets } from '../../sim/lossy-network.ts';
import { seeded } from '../../sim/seeded.ts';
import { Phone, sdp } from '../../sim/sip-phone.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { request } from '../../unit/sip/stage.ts';
import { descriptions, messages } from './corpus.ts';
import { below, mutate, mutated, pick } from './mutate.ts';
import type { Target } from './targets.ts';

const us = { host: '192.0.2.1', port: 5060 };
const them = { host: '192.0.2.2', port: 5060 };
const stranger = { host: '198.51.100.9', port: 5060 };

/** Inputs to one user agent, before it must come to rest. */
const episodeInputs = 300;
/** Messages of the running calls that are spoiled and sent again. */
const seenLimit = 64;

// biome-ignore format: a list to read across
const methods = [
  'INVITE', 'ACK', 'BYE', 'CANCEL', 'INFO', 'UPDATE', 'PRACK', 'REFER', 'NOTIFY', 'MESSAGE', 'OPTIONS', 'SUBSCRIBE',
  'PUBLISH', 'REGISTER', 'FROBNICATE',
];

const fields = [
  'Session-Expires: 90;refresher=uac',
  'Min-SE: 99999999',
  'Supported: timer, 100rel, replaces',
  'Require: 100rel',
  'Require: timer, frob',
  'RAck: 1 1 INVITE',
  'RSeq: 1',
  'Refer-To: <sip:carol@192.0.2.9>',
  'Refer-To: <sip:carol@192.0.2.9?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>',
  'Replaces: call-1;to-tag=b;from-tag=p1',
  'Event: check-sync;reboot=true',
  'Event: talk',
  'Subscription-State: terminated',
  'Authorization: Digest username="user", realm="192.0.2.1", nonce="", uri="", response=""',
  'Content-Type: application/dtmf-relay',
  'P-Asserted-Identity: <sip:x@y>',
  'Reason: SIP;cause=200;text="elsewhere"',
  'Expires: 0',
  'User-Agent: friendly-scanner',
  'Record-Route: <sip:192.0.2.3;lr>, <sip:192.0.2.4>',
];

/** A request by the grammar, in or out of the calls that there are. */
function generated(random: Random): Buffer {
  const toTag = random.next() < 0.5 ? '' : `;tag=${random.next() < 0.5 ? 'nowhere' : below(random, 4)}`;
  const text = request({
    method: pick(random, methods),
    uri: pick(random, ['sip:user@192.0.2.1', 'sip:192.0.2.1', 'sip:100@192.0.2.1', 'tel:+1', 'sips:user@[::1]']),
    branch: `z9hG4bK-${below(random, 50)}`,
    callId: `call-${below(random, 20)}`,
    to: `<sip:user@192.0.2.1>${toTag}`,
    sequence: below(random, 5),
    more: Array.from({ length: below(random, 4) }, () => pick(random, fields)).join('\n'),
    body: pick(random, ['', '', descriptions[0]!, 'Signal=5\r\nDuration=100', 'v=0']),
  });
  return Buffer.from(text.replaceAll(/\r?\n/g, '\r\n'));
}

// biome-ignore format: a list to read across
const statuses = [
  100, 180, 183, 199, 200, 200, 200, 202, 300, 302, 305, 400, 401, 403, 404, 405, 407, 408, 412, 415, 420, 421, 422, 423,
  439, 480, 481, 482, 486, 487, 488, 489, 491, 494, 500, 501, 503, 504, 580, 600, 603, 699,
];

const answerFields = [
  'Contact: <sip:peer@192.0.2.2>',
  'Contact: <sip:a@192.0.2.2>;q=0.7, <sip:b@192.0.2.9>;expires=3',
  'Contact: *',
  'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth,auth-int", algorithm=SHA-256',
  'Proxy-Authenticate: Digest realm="p", nonce="n", stale=true',
  'Require: 100rel',
  'RSeq: 1',
  'RSeq: 2',
  'Retry-After: 1 (soon)',
  'Min-Expires: 4294967295',
  'Min-SE: 100',
  'Session-Expires: 90;refresher=uas',
  'Record-Route: <sip:192.0.2.3;lr>, <sip:192.0.2.4>',
  'Service-Route: <sip:192.0.2.3;lr>',
  'Path: <sip:192.0.2.3;lr;ob>',
  'Flow-Timer: 10',
  'Expires: 0',
  'SIP-ETag: x',
];

/** Some answer to a request of ours, so that its other end is met too: forks, challenges, redirections. */
function answerTo(random: Random, asked: Buffer): Buffer {
  const lines = asked.toString('latin1').split('\r\n');
  const copied = lines.filter(line => /^(?:Via|From|To|Call-ID|CSeq): /.test(line));
  const tagged = copied.map(line =>
    line.startsWith('To: ') && !line.includes(';tag=') ? `${line};tag=fork-${below(random, 3)}` : line,
  );
  const more = Array.from({ length: below(random, 4) }, () => pick(random, answerFields));
  const body = random.next() < 0.4 ? descriptions[0]! : '';
  const type = body === '' ? [] : ['Content-Type: application/sdp'];
  const head = [
    `SIP/2.0 ${pick(random, statuses)} Words`,
    ...tagged,
    ...more,
    ...type,
    `Content-Length: ${body.length}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`, 'latin1');
}

const isRequest = (bytes: Buffer) => bytes.toString('latin1', 0, 8) !== 'SIP/2.0 ';

/** Via, CSeq and Call-ID of a final response: what one request is known by. */
function answered(text: string): string | undefined {
  if (!/^SIP\/2\.0 [2-6]/.test(text)) return undefined;
  return [/^Via: .*$/m, /^CSeq: .*$/m, /^Call-ID: .*$/m].map(line => line.exec(text)?.[0]).join('\n');
}

class Episode {
  readonly clock = new VirtualClock();
  readonly seen: Buffer[] = [];
  inputs = 0;
  readonly #random: Random;
  readonly #phone: Phone;
  #answers: string[] = [];

  constructor(random: Random) {
    this.#random = random;
    const network = new LossyNetwork(this.clock, random, presets.perfect);
    this.#phone = new Phone(this.clock, network, {
      address: us,
      // Some have a registrar, which is the peer, and to which they come back all the time.
      account: { register: random.next() < 0.5, registrar: 'sip:192.0.2.2', password: 'secret', expiresMs: 30_000 },
      settings: { maxCalls: 4, strangers: 'ignore' },
      trusts: [them.host],
      admits: { trusts: host => host === them.host },
    });
    network.tap = bytes => this.#sent(Buffer.from(bytes));
    // What the phone sends is looked at on its way; the answer to bad bytes quotes them, so nobody reads it.
    for (const place of [them, stranger]) network.attach(place, () => {});
    this.#phone.onInvite = ({ call }) => {
      if (random.next() < 0.5) call.ring(random.next() < 0.3 ? sdp('early') : undefined);
      this.clock.after(2_000 * random.next(), () => random.next() < 0.8 && call.accept(sdp('answer')), 'finger');
    };
    this.#phone.onTransfer = (_, answer) => {
      const tell = answer.accept();
      this.clock.after(1_000, () => tell(pick(random, [180, 200, 486])), 'new call');
    };
  }

  #sent(bytes: Buffer) {
    const text = bytes.toString('latin1');
    const answer = answered(text);
    if (answer !== undefined) this.#answers.push(answer);
    this.seen.push(bytes);
    if (this.seen.length > seenLimit) this.seen.shift();
  }

  feed(bytes: Buffer): string {
    this.inputs++;
    this.#answers = [];
    const { userAgent } = this.#phone;
    userAgent.receive(bytes, this.#random.next() < 0.7 ? them : stranger);
    const answers = this.#answers.length;
    if (new Set(this.#answers).size < answers) throw new Error('one request, two answers');
    const chance = this.#random.next();
    if (chance < 0.05) this.#phone.dial('sip:user@192.0.2.2');
    else if (chance < 0.07) this.#phone.call?.reoffer(sdp('ours'));
    else if (chance < 0.09) this.#phone.call?.sendKey('5', 100);
    else if (chance < 0.11) this.#phone.call?.transfer('sip:carol@192.0.2.9');
    else if (chance < 0.15) this.#phone.call?.hangUp();
    this.clock.advance(this.#random.next() < 0.05 ? 5_000 : 20);
    return answers === 0 ? 'no answer' : 'answered';
  }

  finish() {
    let done = false;
    this.#phone.userAgent.stop(40_000, () => {
      done = true;
    });
    this.clock.advance(41_000);
    const { alive } = this.#phone.userAgent;
    if (!done || Object.values(alive).some(count => count > 0))
      throw new Error(`left behind: ${JSON.stringify(alive)}`);
  }
}

let episode: Episode | undefined;
let episodes = 0;

export const userAgent: Target = {
  name: 'user-agent',
  share: 1,
  repeatable: false,
  input(random) {
    const said = episode?.seen ?? [];
    const chance = random.next();
    if (chance < 0.3) return generated(random);
    if (chance < 0.4) return mutate(random, generated(random), messages);
    // The youngest, which may still wait for it.
    const asked = said.filter(isRequest).slice(-4);
    if (chance < 0.7 && asked.length > 0) {
      const answer = answerTo(random, pick(random, asked));
      return random.next() < 0.6 ? answer : mutate(random, answer, messages);
    }
    if (chance < 0.85 || said.length === 0) return mutated(random, messages);
    return chance < 0.9 ? pick(random, said) : mutate(random, pick(random, said), messages);
  },
  feed(bytes) {
    episode ??= new Episode(seeded(++episodes));
    const end = episode.feed(bytes);
    if (episode.inputs === episodeInputs) this.finish?.();
    return end;
  },
  finish() {
    const over = episode;
    episode = undefined;
    over?.finish();
  },
};
