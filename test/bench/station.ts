/** The bench's own end: a registrar, and a telephone without sound that notes when its messages leave and arrive. */
import { createSocket } from 'node:dgram';
import { systemClock, wallClock } from '../../firmware/lib/clock.ts';
import { silentLog } from '../../firmware/lib/log.ts';
import { systemRandom } from '../../firmware/lib/random.ts';
import type { CallHandler, HeaderFields, Call as SipCall } from '../../firmware/sip/contracts.ts';
import { systemResolve } from '../../firmware/sip/locate/system.ts';
import { UdpSocket } from '../../firmware/sip/transport/udp.ts';
import { UserAgent } from '../../firmware/sip/user-agent.ts';
import { Registrar } from '../desk/registrar.ts';
import type { Bench } from '../peers/support/bench.ts';
import { sipPort } from '../peers/support/ports.ts';
import { HOST } from './porter.ts';

export interface Ladder {
  /** From the INVITE to the first answer of this status. Milliseconds. */
  after: Map<number, number>;
  answered: boolean;
  ended: boolean;
  /** How the caller was told that it is over. */
  end?: string;
  hangUp(): void;
}

export class Station {
  readonly port: number;
  /** When each user's binding was first written down, by `performance.now()`. */
  readonly registeredMs = new Map<string, number>();
  readonly #userAgent: UserAgent;
  readonly #socket: UdpSocket;
  readonly #rtp = createSocket('udp4');
  /** By Call-ID; the INVITE's own moment is under status 0. */
  readonly #moments = new Map<string, Map<number, number>>();

  constructor(port: number, users: readonly string[]) {
    this.port = port;
    this.#socket = new UdpSocket({ host: HOST, port });
    const registrar = new Registrar(
      { clock: systemClock, random: systemRandom },
      {
        realm: 'bench',
        passwords: Object.fromEntries(users.map(user => [user, 'secret'])),
        // baresip 1.0 knows no other.
        algorithms: ['MD5'],
        onRegistered: user => this.registeredMs.set(user, performance.now()),
      },
    );
    this.#userAgent = new UserAgent(
      {
        clock: systemClock,
        wallClock,
        random: systemRandom,
        log: silentLog,
        resolve: systemResolve,
        transport: {
          localFor: remote => this.#socket.localFor(remote),
          send: (bytes, to, onError) => {
            this.#note(bytes, 'out');
            this.#socket.send(bytes, to, onError);
          },
        },
      },
      {
        accounts: [{ id: 'station', aor: `sip:station@${HOST}:${port}`, register: false, expiresMs: 60_000 }],
        product: 'PorterBench',
        maxCalls: 4,
        ringLimitMs: 30_000,
        maxRedirects: 0,
      },
      {
        onInvite: ({ call }) => {
          call.refuse(480);
          return ignore;
        },
        onRegistration() {},
      },
    );
    this.#userAgent.onRequest('REGISTER', transaction => registrar.serve(transaction));
  }

  async start() {
    this.#socket.start(
      (bytes, from) => {
        this.#note(bytes, 'in');
        this.#userAgent.receive(bytes, from);
      },
      why => {
        throw new Error(why);
      },
    );
    this.#userAgent.start();
    // What is sent to the telephone's sound is thrown away.
    await new Promise<void>(bound => this.#rtp.bind(0, HOST, bound));
    this.#rtp.on('message', () => {});
  }

  async stop() {
    await new Promise<void>(done => this.#userAgent.stop(2_000, done));
    this.#socket.stop();
    await new Promise<void>(done => this.#rtp.close(() => done()));
  }

  /** Calls, and notes the ladder. A page asks to be answered automatically. */
  call(target: string, { page, payload }: { page: boolean; payload: string }): Ladder {
    const headers: HeaderFields = page ? [['Call-Info', `<sip:${HOST}>;answer-after=0`]] : [];
    const ladder: Ladder = { after: new Map(), answered: false, ended: false, hangUp: () => call.hangUp() };
    const handler: CallHandler = {
      ...ignore,
      onAnswered: () => {
        ladder.answered = true;
      },
      onEnded: end => {
        ladder.ended = true;
        ladder.end = JSON.stringify(end);
      },
    };
    const call: SipCall = this.#userAgent.call(
      { target, body: offer(this.#rtp.address().port, payload), headers },
      handler,
    );
    ladder.after = this.#momentsOf(call.id);
    return ladder;
  }

  /** The wire's moment: before our own stack writes and after it was handed the bytes. */
  #note(bytes: Uint8Array, way: 'in' | 'out') {
    const nowMs = performance.now();
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    if (way === 'out' && !text.startsWith('INVITE ')) return;
    if (way === 'in' && !text.startsWith('SIP/2.0 ')) return;
    if (!/^CSeq:\s*\d+\s+INVITE/im.test(text)) return;
    const id = /^(?:Call-ID|i):\s*(\S+)/im.exec(text)?.[1];
    if (id === undefined) return;
    const moments = this.#momentsOf(id);
    if (way === 'out') {
      // A retransmission does not begin the call anew.
      if (!moments.has(0)) moments.set(0, nowMs);
      return;
    }
    const status = Number(text.slice(8, 11));
    if (!moments.has(status)) moments.set(status, nowMs - (moments.get(0) ?? nowMs));
  }

  #momentsOf(id: string) {
    let moments = this.#moments.get(id);
    if (moments === undefined) {
      moments = new Map();
      this.#moments.set(id, moments);
    }
    return moments;
  }
}

/** Stopped with the bench. */
export async function startStation(bench: Bench, users: readonly string[]): Promise<Station> {
  const station = new Station(await sipPort(), users);
  await station.start();
  bench.onStop(() => station.stop());
  return station;
}

const ignore: CallHandler = {
  onProgress() {},
  onAnswered() {},
  onOffer: (_, answer) => answer.refuse(488),
  onReoffered() {},
  onRefresh: () => offer(9, '8 PCMA/8000'),
  onEnded() {},
};

/** `payload`: `8 PCMA/8000`. */
function offer(port: number, payload: string) {
  const type = payload.split(' ')[0];
  const lines = [
    'v=0',
    `o=- 1 1 IN IP4 ${HOST}`,
    's=-',
    `c=IN IP4 ${HOST}`,
    't=0 0',
    `m=audio ${port} RTP/AVP ${type}`,
    `a=rtpmap:${payload}`,
    'a=ptime:20',
    'a=sendrecv',
  ];
  return { contentType: 'application/sdp', bytes: new TextEncoder().encode(`${lines.join('\r\n')}\r\n`) };
}
