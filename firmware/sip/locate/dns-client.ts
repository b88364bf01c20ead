/** Asks the machine's name servers for SRV and NAPTR records: one after the other, over UDP, and over TCP where they say so. */
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { type Answer, parseAnswer, printQuestion, type Question } from './dns-message.ts';
import type { Found, Naptr, Services, Srv } from './services.ts';

/** How long one server is waited for, and how often each is asked. Nobody waits longer than 2 s in all (`servicePatience`). */
const queryMs = 700;
const rounds = 2;
/** Name servers that are asked. */
const serverLimit = 3;
/** An answer over TCP is not longer than its two bytes of length can say. */
const lengthBytes = 2;

/** However soon a record ends: a call must not wait for DNS each time. Above it the cache has a limit too. */
const leastTtlMs = 5_000;

const noError = 0;
const noSuchName = 3;

export interface DnsClientParts {
  clock: Clock;
  random: Random;
  /** As `node:dns.getServers`: `192.0.2.53`, `192.0.2.53:5353`, `[2001:db8::53]:5353`. Asked for each question: DHCP may have changed them. */
  servers: () => readonly string[];
}

interface Server {
  host: string;
  port: number;
}

/** Ends what asks. */
type Stop = () => void;

export class DnsClient implements Services {
  readonly #parts: DnsClientParts;

  constructor(parts: DnsClientParts) {
    this.#parts = parts;
  }

  naptr(name: string, done: (found: Found<Naptr>) => void) {
    this.#ask('NAPTR', name, done as (found: Found<Srv | Naptr>) => void);
  }

  srv(name: string, done: (found: Found<Srv>) => void) {
    this.#ask('SRV', name, done as (found: Found<Srv | Naptr>) => void);
  }

  #ask(type: Question, name: string, done: (found: Found<Srv | Naptr>) => void) {
    const servers = this.#parts.servers().slice(0, serverLimit).map(serverOf);
    const tries = Array.from({ length: rounds }, () => servers).flat();
    let why = servers.length === 0 ? 'DNS: no name server is known' : 'DNS: no answer';
    const next = () => {
      const server = tries.shift();
      if (server === undefined) return done({ why });
      this.#askOne(server, type, name, answer => {
        if (typeof answer === 'string') {
          why = `DNS: ${answer}`;
          next();
        } else if (answer.code === noError || answer.code === noSuchName) {
          done({ records: answer.records, ttlMs: Math.max(answer.ttlMs, leastTtlMs) });
        } else {
          why = `DNS: the name server ${server.host} has failed (${answer.code})`;
          next();
        }
      });
    };
    next();
  }

  #askOne(server: Server, type: Question, name: string, done: (answer: Answer | string) => void) {
    const { clock, random } = this.#parts;
    const id = random.uint32() & 0xffff;
    const question = printQuestion(id, type, name);
    if (question === undefined) return done('this name cannot be asked for');
    let stop: Stop = () => {};
    let isOver = false;
    const finish = (answer: Answer | string) => {
      if (isOver) return;
      isOver = true;
      stopWaiting();
      stop();
      done(answer);
    };
    const stopWaiting = clock.after(queryMs, () => finish(`no answer from ${server.host}`), 'name server');
    const read = (bytes: Uint8Array) => parseAnswer(bytes, id, type, name);
    stop = overUdp(server, question, finish, bytes => {
      const answer = read(bytes);
      // A forgery is passed over: the true answer may still come (RFC 5452 §4).
      if (answer === undefined) return;
      if (!answer.isTruncated) return finish(answer);
      stop();
      stop = overTcp(server, question, finish, whole => finish(read(whole) ?? `nonsense from ${server.host}`));
    });
  }
}

/** From a port that the system chooses by chance, connected: only that server's datagrams come in (RFC 5452 §9). */
function overUdp(
  server: Server,
  question: Uint8Array,
  fail: (why: string) => void,
  take: (bytes: Uint8Array) => void,
): Stop {
  const socket = createSocket(isIPv6(server.host) ? 'udp6' : 'udp4');
  socket.on('error', ({ message }) => fail(message));
  socket.on('message', take);
  let isOpen = true;
  socket.on('connect', () => {
    if (isOpen) socket.send(question, error => error && fail(error.message));
  });
  socket.connect(server.port, server.host);
  return () => {
    if (isOpen) socket.close();
    isOpen = false;
  };
}

/** Each message after its length in two bytes (RFC 1035 §4.2.2). */
function overTcp(
  server: Server,
  question: Uint8Array,
  fail: (why: string) => void,
  take: (bytes: Uint8Array) => void,
): Stop {
  let received = Buffer.alloc(0);
  const socket = connect(server.port, server.host, () => {
    socket.write(Uint8Array.from([question.length >> 8, question.length & 0xff, ...question]));
  });
  socket.on('error', ({ message }) => fail(message));
  socket.on('close', () => fail(`${server.host} hung up`));
  socket.on('data', bytes => {
    received = Buffer.concat([received, bytes]);
    if (received.length < lengthBytes) return;
    const whole = lengthBytes + received.readUInt16BE(0);
    if (received.length >= whole) take(received.subarray(lengthBytes, whole));
  });
  return () => void socket.destroy();
}

function serverOf(text: string): Server {
  const [, bracketed, port] = /^\[(.*)\](?::(\d+))?$/.exec(text) ?? [];
  if (bracketed !== undefined) return { host: bracketed, port: Number(port ?? 53) };
  const [, host, plain] = /^([0-9.]+):(\d+)$/.exec(text) ?? [];
  return host === undefined ? { host: text, port: 53 } : { host, port: Number(plain) };
}
