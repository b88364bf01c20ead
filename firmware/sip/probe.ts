/** Asks a server with OPTIONS (RFC 3261 §11) and tells each step on the way: its name, the connection, TLS, the answer. */
import type { Account } from './account.ts';
import type { Core } from './core.ts';
import { addContact } from './core.ts';
import { Credentials, type Tries } from './credentials.ts';
import { makeRequest, newCallId } from './dialog/request.ts';
import { type Hop, isReliable, printHop, type TransportName } from './hop.ts';
import { Locator } from './locate/locator.ts';
import type { Services } from './locate/services.ts';
import { isMalformed, type Request, type Response } from './message/message.ts';
import { reasonPhrase } from './message/status.ts';
import { parseUri } from './message/uri.ts';
import type { Inspect } from './transport/inspect.ts';

/** A server that says nothing for so long is passed over. Milliseconds. */
export const answerLimitMs = 6_000;
/** Servers that are tried. */
const serverLimit = 4;
/** Answers of DNS that are told. */
const toldLimit = 16;

export interface ProbeStep {
  step: 'name' | 'connection' | 'tls' | 'options' | 'authentication';
  done: boolean;
  /** What was found, or in words why not. */
  found: string;
  /** Of an answer. */
  status?: number;
}

export interface ProbeOptions {
  /** A SIP URI. */
  uri: string;
  /** Where its host names no transport. */
  transport: TransportName | undefined;
  /** Looks at a connection before it is used. Absent: TCP and TLS are only used. */
  inspect: Inspect | undefined;
}

/** `steps` in order; the last one that is not done says where it stopped, unless `reached`. */
export interface Probed {
  /** Somebody answered, and wants no other password. */
  reached: boolean;
  steps: readonly ProbeStep[];
}

export class Probe {
  readonly #core: Core;
  readonly #account: Account | undefined;
  readonly #options: ProbeOptions;
  readonly #done: (probed: Probed) => void;
  readonly #steps: ProbeStep[] = [];
  readonly #credentials: Credentials | undefined;
  readonly #tries: Tries = new Map();
  readonly #from: string;
  readonly #callId: string;
  #sequence = 0;

  /** `account`: who asks, and whose password answers a challenge. `done` is called once. */
  constructor(core: Core, account: Account | undefined, options: ProbeOptions, done: (probed: Probed) => void) {
    this.#core = core;
    this.#account = account;
    this.#options = options;
    this.#done = done;
    this.#callId = newCallId(core.random);
    this.#from = `${account?.from ?? '<sip:porter@anonymous.invalid>'};tag=${core.random.token(8)}`;
    const { password, username = account?.uri.user ?? '' } = account?.settings ?? {};
    // Its own: what is learnt here is not held against the account.
    this.#credentials = password === undefined ? undefined : new Credentials(username, password, core.random);
  }

  start() {
    const uri = parseUri(this.#options.uri);
    if (isMalformed(uri)) return this.#end('name', `${this.#options.uri}: ${uri.why}`);
    // Asked anew, past what is remembered: the question is what DNS says now.
    const { clock, random, resolve, services, transport } = this.#core;
    const answers: string[] = [];
    const tell = (line: string) => answers.length < toldLimit && answers.push(line);
    const locator = new Locator({
      clock,
      random,
      hasStreams: transport.hasStreams ?? false,
      services: services && told(services, tell),
      resolve: (host, port, done) =>
        resolve(host, port, (addresses, why, ttlMs) => {
          if (addresses.length > 0) tell(`${host} is ${addresses.map(address => address.host).join(', ')}`);
          done(addresses, why, ttlMs);
        }),
    });
    locator.locate(uri, this.#options.transport ?? this.#account?.transport, (hops, why) => {
      if (hops.length === 0) {
        for (const found of answers) this.#note({ step: 'name', done: true, found });
        return this.#end('name', why ?? `${uri.host}: no address found`);
      }
      for (const found of answers.slice(0, -1)) this.#note({ step: 'name', done: true, found });
      const servers = `to try: ${hops.slice(0, serverLimit).map(printHop).join(', ')}`;
      this.#note({ step: 'name', done: true, found: [answers.at(-1), servers].filter(Boolean).join('; ') });
      this.#try(hops.slice(0, serverLimit));
    });
  }

  /** The servers in their order, until one answers. */
  #try([hop, ...others]: readonly Hop[]) {
    if (hop === undefined) return this.#done({ reached: false, steps: this.#steps });
    const next = () => this.#try(others);
    const { inspect } = this.#options;
    if (!isReliable(hop) || inspect === undefined) return this.#ask(hop, next);
    inspect(hop, ({ openMs, why, tls }) => {
      const where = printHop(hop);
      if (why !== undefined && tls === undefined) {
        this.#note({ step: 'connection', done: false, found: why });
        return next();
      }
      this.#note({ step: 'connection', done: true, found: `${where} took it after ${Math.round(openMs)} ms` });
      if (tls !== undefined)
        this.#note({ step: 'tls', done: why === undefined, found: [tls, why].filter(Boolean).join('; ') });
      if (why === undefined) this.#ask(hop, next);
      else next();
    });
  }

  #ask(to: Hop, next: () => void) {
    const { clock, transactions, transport } = this.#core;
    const { uri } = this.#options;
    const request = makeRequest({
      method: 'OPTIONS',
      uri,
      from: this.#from,
      to: `<${uri}>`,
      callId: this.#callId,
      sequence: ++this.#sequence,
      account: undefined,
      headers: [['Accept', 'application/sdp']],
    });
    addContact(this.#account)(request, transport.localFor(to));
    this.#credentials?.authorize(request, to);
    const sentMs = clock.now();
    let settled = false;
    const once = (found: Response | string) => {
      if (settled) return;
      settled = true;
      cancel();
      if (typeof found !== 'string') return this.#answered(found, request, to, clock.now() - sentMs, next);
      this.#note({ step: 'options', done: false, found });
      next();
    };
    const cancel = clock.after(answerLimitMs, () => once(`no answer from ${printHop(to)}`), 'probe');
    transactions.request(request, to, {
      onResponse: response => response.status >= 200 && once(response),
      onFailure: (_, why) => once(`could not send to ${printHop(to)}${why === undefined ? '' : `: ${why}`}`),
    });
  }

  #answered(response: Response, request: Request, to: Hop, afterMs: number, next: () => void) {
    const { status, headers } = response;
    const reason = response.reason === '' ? reasonPhrase(status) : response.reason;
    const said = `${status} ${reason} from ${printHop(to)} after ${Math.round(afterMs)} ms`;
    if (status === 401 || status === 407) return this.#challenged(response, request, to, said, next);
    const who = headers.get('Server') ?? headers.get('User-Agent');
    const methods = headers.all('Allow').join(', ');
    const facts = [said, who === undefined ? '' : `it is ${who}`, methods === '' ? '' : `it takes ${methods}`];
    // 408, 5xx: somebody on the way answered in place of who was meant.
    const reached = status !== 408 && status !== 403 && status < 500;
    if (this.#tries.size > 0 && status !== 403) {
      this.#note({
        step: 'authentication',
        done: true,
        status,
        found: 'the password of the account is accepted',
      });
    }
    this.#note({ step: 'options', done: reached, found: facts.filter(Boolean).join('; '), status });
    if (reached) this.#done({ reached, steps: this.#steps });
    else next();
  }

  #challenged(response: Response, request: Request, to: Hop, said: string, next: () => void) {
    const credentials = this.#credentials;
    const { status } = response;
    if (credentials === undefined) {
      this.#note({ step: 'options', done: true, found: said, status });
      // Reached, and more was not asked for.
      const found =
        this.#account === undefined ? 'a password is wanted; --account NAME tries one' : 'the account has none';
      this.#note({ step: 'authentication', done: this.#account === undefined, found, status });
      return this.#done({ reached: this.#account === undefined, steps: this.#steps });
    }
    if (credentials.challenged(response, request, to, this.#tries)) return this.#ask(to, next);
    this.#note({ step: 'options', done: true, found: said, status });
    this.#note({
      step: 'authentication',
      done: false,
      found: 'user name and password of the account are refused',
      status,
    });
    this.#done({ reached: false, steps: this.#steps });
  }

  #note(step: ProbeStep) {
    this.#steps.push(step);
  }

  #end(step: ProbeStep['step'], found: string) {
    this.#note({ step, done: false, found });
    this.#done({ reached: false, steps: this.#steps });
  }
}

/** The same records; each answer is told in a line. */
function told(services: Services, tell: (line: string) => void): Services {
  return {
    naptr: (name, done) =>
      services.naptr(name, found => {
        for (const { service, replacement } of 'records' in found ? found.records : []) {
          tell(`NAPTR ${name}: ${service} at ${replacement}`);
        }
        done(found);
      }),
    srv: (name, done) =>
      services.srv(name, found => {
        for (const { priority, weight, port, target } of 'records' in found ? found.records : []) {
          tell(`SRV ${name}: ${target} port ${port}, priority ${priority}, weight ${weight}`);
        }
        done(found);
      }),
  };
}
