/**
 * Calls that nobody hears. A device has a call now and then, and code that has run a few times only is slow. So after the
 * start other devices, with no line and no sound to them, take calls for a while on sockets of their own.
 */
import assert from 'node:assert/strict';
import { openBoard } from '../hal/board.ts';
import { simulated } from '../hal/boards/simulated.ts';
import { parseConfig } from './config/parse.ts';
import type { Config } from './config/schema.ts';
import { Intercom } from './controller/intercom.ts';
import type { SipSocket } from './controller/sip-socket.ts';
import type { Clock } from './lib/clock.ts';
import type { Log } from './lib/log.ts';
import type { Random } from './lib/random.ts';
import type { Media } from './media/protocol.ts';

/** The device itself comes first. Milliseconds. */
const FIRST_MS = 3_000;
/** From one call to the next, so that whatever really happens waits for one call at most. Milliseconds. */
const PAUSE_MS = 20;
/** From then on little more is won. */
const CALLS = 600;
/** What is compiled for one device alone is thrown away at the first call of another. */
const STAGES = 3;
/** Calls of one stage before it is the next one's turn. */
const TURN = 10;

const HOST = '127.0.0.1';
const USER = 'stage';

/** The same that the device has, so that what is compiled for the one is right for the other. */
export interface RehearsalParts {
  clock: Clock;
  random: Random;
  /** That says nothing. */
  log: Log;
  /** On any port of the loopback. */
  openSocket(): SipSocket;
}

export class Rehearsal {
  readonly #parts: RehearsalParts;
  readonly #stages: Stage[] = [];
  #cancel: (() => void) | undefined;
  #begun = 0;

  constructor(parts: RehearsalParts) {
    this.#parts = parts;
  }

  start() {
    this.#after(FIRST_MS);
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    await Promise.all(this.#stages.map(stage => stage.stop()));
  }

  /** Calls that went as a call should. */
  get calls() {
    return this.#stages.reduce((sum, { calls }) => sum + calls, 0);
  }

  #next() {
    try {
      if (this.#stages.length < STAGES) this.#stages.push(new Stage(this.#parts));
      else if (this.#begun < CALLS) this.#stages[Math.floor(this.#begun / TURN) % STAGES]!.call(this.#begun++);
      else return void this.stop();
      this.#after(PAUSE_MS);
    } catch {
      // No reason to be no intercom: without it the first calls are slower, and that is all.
      void this.stop();
    }
  }

  #after(delayMs: number) {
    this.#cancel = this.#parts.clock.after(delayMs, () => this.#next(), 'rehearsal');
  }
}

/** A device and its caller. */
class Stage {
  readonly #device: Intercom;
  readonly #socket: SipSocket;
  readonly #caller: SipSocket;
  /** Calls that went as a call should. */
  calls = 0;

  constructor({ clock, random, log, openSocket }: RehearsalParts) {
    const socket = openSocket();
    this.#socket = socket;
    this.#device = new Intercom(
      {
        clock,
        wallClock: () => 0,
        random,
        log,
        version: '',
        resolve: (_host, _port, done) => done([], 'nobody is there'),
        openBoard: () => openBoard(simulated, { clock }),
        openSocket: () => socket,
        openMedia: stageMedia,
        soundsDirectory: '',
      },
      stageConfig(),
    );
    this.#device.start();
    this.#caller = openSocket();
    this.#caller.start(
      bytes => this.#heard(Buffer.from(bytes).toString()),
      () => {},
      () => {},
    );
  }

  stop(): Promise<void> {
    this.#caller.stop();
    return this.#device.stop();
  }

  /** It rings and is cancelled, or is answered by itself and hung up. */
  call(number: number) {
    const isPage = number % 2 === 1;
    this.#say('INVITE', `${number}`, 1, [
      ...(isPage ? ['Call-Info: <sip:stage>;answer-after=0'] : []),
      'Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY, MESSAGE',
      'Supported: replaces, timer, 100rel',
      'User-Agent: Stage',
      'Content-Type: application/sdp',
    ]);
  }

  #heard(text: string) {
    const id = /^Call-ID: (\d+)/m.exec(text)?.[1] ?? '';
    const to = /^To: (.*)\r$/m.exec(text)?.[1];
    const what = `${text.slice(8, 11)} ${/^CSeq: \d+ (\w+)/m.exec(text)?.[1]}`;
    if (what === '180 INVITE') this.#say('CANCEL', id, 1);
    else if (what === '487 INVITE') this.#say('ACK', id, 1, [], id, to);
    else if (what === '200 INVITE') {
      this.#say('ACK', `${id}a`, 1, [], id, to);
      this.#say('BYE', `${id}b`, 2, [], id, to);
    }
    if (what === '487 INVITE' || what === '200 BYE') this.calls++;
  }

  #say(method: string, branch: string, sequence: number, more: readonly string[] = [], id = branch, to?: string) {
    const at = this.#socket.localFor({ host: HOST, port: 9 });
    const us = this.#caller.localFor(at);
    const uri = `sip:${USER}@${HOST}:${at.port}`;
    const body = method === 'INVITE' ? OFFERS[Number(id) % OFFERS.length]! : '';
    const lines = [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP ${us.host}:${us.port};branch=z9hG4bK-${branch};rport`,
      'Max-Forwards: 70',
      `From: "Caller" <sip:caller@${HOST}>;tag=${id}`,
      `To: ${to ?? `<${uri}>`}`,
      `Call-ID: ${id}`,
      `CSeq: ${sequence} ${method}`,
      `Contact: <sip:caller@${us.host}:${us.port}>`,
      ...more,
      `Content-Length: ${body.length}`,
      '',
      body,
    ];
    this.#caller.send(Buffer.from(lines.join('\r\n')), at);
  }
}

const offer = (...media: string[]) =>
  ['v=0', `o=- 1 1 IN IP4 ${HOST}`, 's=-', `c=IN IP4 ${HOST}`, 't=0 0', ...media, ''].join('\r\n');

/** As a PBX says it, and as little as can be said. */
const OFFERS = [
  offer(
    'm=audio 20000 RTP/AVP 9 8 0 101',
    'a=rtpmap:9 G722/8000',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-16',
    'a=ptime:20',
    'a=sendrecv',
  ),
  offer('m=audio 9 RTP/AVP 8', 'a=rtpmap:8 PCMA/8000', 'a=sendrecv'),
  offer('m=audio 9 RTP/AVP 0 8'),
];

function stageConfig(): Config {
  const parsed = parseConfig({
    board: { name: 'simulated' },
    sip: { maxCalls: 8, accounts: { stage: { uri: `sip:${USER}@${HOST}`, register: false } } },
    calls: { autoAnswer: { allow: ['*'], trustedSources: [HOST] } },
  });
  assert('config' in parsed, 'the stage has a sound configuration');
  return parsed.config;
}

/** Opens whatever it is asked for, and is silent. */
function stageMedia(): Media {
  const media: Media = {
    onEvent() {},
    send(command) {
      if (command.do !== 'open') return;
      media.onEvent({ is: 'opened', stream: command.stream, rtpPort: 20_000, rtcpPort: 20_001 });
    },
    start: () => media.onEvent({ is: 'ready', opus: 'none' }),
    stop: () => Promise.resolve(),
  };
  return media;
}
