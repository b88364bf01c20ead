/**
 * A call's sound on the control thread: offers and answers (RFC 3264) on one side, commands to the media thread on the
 * other. It knows descriptions and streams, and nothing of SIP.
 */
import type { CryptoSuite, EncryptionPolicy } from '../sdp/crypto.ts';
import { acceptAnswer, type Capabilities, makeAnswer, makeOffer, type Negotiated } from '../sdp/negotiate.ts';
import { parseSdp } from '../sdp/parse.ts';
import { printSdp } from '../sdp/print.ts';
import type { SessionDescription } from '../sdp/types.ts';
import { cryptoSuites } from './protection.ts';
import type { Direction, Media, StreamId } from './protocol.ts';
import type { Ports } from './streams-ahead.ts';

export type { EncryptionPolicy };

/** A description on its way to or from the peer; the same shape as a SIP body. */
export interface Description {
  contentType: string;
  bytes: Uint8Array;
}

export type Refusal = { status: 415 | 488; why: string };

export interface CallSoundSettings {
  stream: StreamId;
  /** Taken already. */
  ports?: Ports | undefined;
  capabilities: Omit<Capabilities, 'encryption'>;
  encryption: EncryptionPolicy;
  /** So many bytes that nobody can guess. */
  newKey(bytes: number): Uint8Array;
  /** The address that the peer sends to. */
  host: string;
  /** The address to bind; `0.0.0.0` or one of the machine's own. */
  bind: string;
  /** RFC 8866 §5.2 sess-id: decimal digits. */
  sessionId: string;
}

export class CallSound {
  readonly stream: StreamId;
  readonly #media: Media;
  readonly #settings: CallSoundSettings;
  #host: string;
  #ports: Ports | undefined;
  #version = 0;
  #offered: SessionDescription | undefined;
  /** The last description of ours, offer or answer: a new offer keeps its places (RFC 3264 §8). */
  #ours: SessionDescription | undefined;
  #negotiated: Negotiated | undefined;
  readonly #capabilities: Capabilities;

  constructor(media: Media, settings: CallSoundSettings) {
    this.stream = settings.stream;
    this.#media = media;
    this.#settings = settings;
    this.#host = settings.host;
    this.#ports = settings.ports;
    const { capabilities, encryption, newKey } = settings;
    const keys = new Map<CryptoSuite, Uint8Array>();
    const keyFor = (suite: CryptoSuite) => {
      const key = keys.get(suite) ?? newKey(suite.keyBytes);
      keys.set(suite, key);
      return key;
    };
    this.#capabilities = { ...capabilities, encryption: { policy: encryption, suites: cryptoSuites, keyFor } };
  }

  /** It has its ports, and can describe itself. */
  get isOpen() {
    return this.#ports !== undefined;
  }

  /** Asks for ports; `opened` or `failed` comes as a media event. */
  open() {
    this.#media.send({ do: 'open', stream: this.stream, host: this.#settings.bind });
  }

  opened(rtpPort: number, rtcpPort: number) {
    this.#ports = { rtpPort, rtcpPort };
  }

  /** What was agreed last. */
  get negotiated() {
    return this.#negotiated;
  }

  /** The address that the peer is told to send to, from the next description on. */
  get host() {
    return this.#host;
  }

  moveTo(host: string) {
    this.#host = host;
  }

  offer(direction: Direction = 'sendrecv'): Description {
    this.#offered = makeOffer(this.#capabilities, this.#local(), direction, this.#ours);
    this.#ours = this.#offered;
    return describe(this.#offered);
  }

  /** Their answer to our last offer. Answers why it cannot be used. */
  acceptAnswer(body: Description | undefined): string | undefined {
    if (this.#offered === undefined) return 'there is an answer but no offer';
    const parsed = read(body);
    if ('status' in parsed) return parsed.why;
    const result = acceptAnswer(this.#offered, parsed, this.#capabilities);
    if ('refused' in result) return result.refused;
    this.#negotiated = result;
    return undefined;
  }

  /** Our answer to their offer. `direction` is the most that we want: `recvonly` never sends the microphone. */
  answer(body: Description | undefined, direction: Direction = 'sendrecv'): Description | Refusal {
    const parsed = read(body);
    if ('status' in parsed) return parsed;
    const result = makeAnswer(parsed, this.#capabilities, this.#local(), direction);
    if ('refused' in result) return { status: 488, why: result.refused };
    this.#negotiated = result.negotiated;
    this.#ours = result.answer;
    return describe(result.answer);
  }

  /** Lets the media thread send and receive what was agreed. `mayBeSilent`: the peer holds. */
  start(mayBeSilent = false) {
    if (this.#negotiated === undefined) return;
    const { onHold: _, ...agreed } = this.#negotiated;
    this.#media.send({
      do: 'start',
      stream: this.stream,
      settings: {
        ...agreed,
        ...(mayBeSilent && { mayBeSilent }),
      },
    });
  }

  close() {
    this.#media.send({ do: 'close', stream: this.stream });
  }

  #local() {
    if (this.#ports === undefined) throw new Error('a description was asked for before there were ports');
    const { sessionId } = this.#settings;
    return { host: this.#host, rtpPort: this.#ports.rtpPort, sessionId, version: ++this.#version };
  }
}

const describe = (description: SessionDescription): Description => ({
  contentType: 'application/sdp',
  bytes: Buffer.from(printSdp(description)),
});

function read(body: Description | undefined): SessionDescription | Refusal {
  if (body === undefined) return { status: 488, why: 'there is no session description' };
  if (body.contentType.split(';')[0]!.trim().toLowerCase() !== 'application/sdp')
    return { status: 415, why: `${body.contentType} is not a session description` };
  const parsed = parseSdp(body.bytes);
  return 'malformed' in parsed ? { status: 488, why: parsed.malformed } : parsed;
}
