/** What a stream works with once it is started: its session, its codecs, its peer. Made anew where a negotiation changes it. */
import type { Clock, WallClock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import { RtpSession } from '../rtp/session.ts';
import { TelephoneEventReceiver } from '../rtp/telephone-event.ts';
import { type Codecs, clockRateOf } from './codecs.ts';
import type { Files } from './files.ts';
import type { PortPair } from './network.ts';
import { Protection } from './protection.ts';
import type { CodecChoice, MediaEvent, MediaSettings, StreamId, StreamSettings } from './protocol.ts';
import { voipMetrics } from './quality.ts';
import { Receiving } from './receiving.ts';
import { Remote } from './remote.ts';
import { Sending } from './sending.ts';
import { choicesOf, hears, hearsTheSame, sameRemote, sendsTheSame } from './stream-settings.ts';
import type { Tally } from './tally.ts';

export interface StreamOptions {
  id: StreamId;
  port: PortPair;
  /** Samples per second of the sound card. */
  rate: number;
  settings: MediaSettings;
  codecs: Codecs;
  clock: Clock;
  wallClock: WallClock;
  random: Random;
  files: Files;
  emit(event: MediaEvent): void;
}

export class StreamParts {
  readonly #options: StreamOptions;
  readonly #tally: Tally;
  settings: StreamSettings;
  session: RtpSession;
  sending: Sending;
  receiving: Receiving;
  remote: Remote;
  events: TelephoneEventReceiver;
  /** SRTP; undefined: plain. */
  protection: Protection | undefined;
  /** The source heard last. */
  ssrc: number | undefined;

  /** Throws for a codec unknown here. */
  constructor(options: StreamOptions, tally: Tally, settings: StreamSettings) {
    this.#options = options;
    this.#tally = tally;
    this.settings = settings;
    this.session = this.#session(settings.codec);
    const { receiving, sending } = this.#codecs(settings, this.session);
    this.receiving = receiving;
    this.sending = sending;
    this.remote = announced(settings);
    this.events = this.#events(settings.codec);
    this.protection = this.#protection(settings);
    this.#tellQuality();
  }

  /** Goes on by changed settings: what has not changed is not heard to change. Throws for a codec unknown here. */
  negotiated(settings: StreamSettings) {
    if (!sendsTheSame(this.settings, settings) || !hearsTheSame(this.settings, settings)) this.#renew(settings);
    if (!sameRemote(this.settings, settings)) this.remote = announced(settings);
    else this.remote.negotiated();
    if (this.protection?.serves(settings.crypto) !== true) this.protection = this.#protection(settings);
    this.settings = settings;
    this.sending.telephoneEvent = settings.telephoneEvent;
    if (!hears(settings)) this.receiving.reset();
    this.#tellQuality();
  }

  close() {
    this.sending.close();
    this.receiving.close();
  }

  #tellQuality() {
    const limitMs = this.#options.settings.jitter.maxMs;
    this.session.roundTrip.receiverTimes = this.settings.receiverTimes;
    this.session.metrics = this.settings.voipMetrics ? () => voipMetrics(this, limitMs) : undefined;
  }

  /** New codecs first, so that what cannot be had leaves the call as it is. */
  #renew(settings: StreamSettings) {
    const clockChanges = clockRateOf(this.settings.codec.name) !== clockRateOf(settings.codec.name);
    // RFC 7160 §4.1: another clock rate goes with another SSRC, so it is another session.
    const session = clockChanges ? this.#session(settings.codec) : this.session;
    const { sending, receiving } = this.#codecs(settings, session);
    this.#tally.endReceiving(this.receiving);
    if (clockChanges) this.#tally.endSession(this.session);
    if (this.sending.keysWaiting > 0) {
      const why = 'the codec changed before all keys were sent';
      this.#options.emit({ is: 'failed', stream: this.#options.id, doing: 'send dtmf', why });
    }
    this.sending.close();
    this.receiving.close();
    if (clockChanges) this.events = this.#events(settings.codec);
    this.session = session;
    this.sending = sending;
    this.receiving = receiving;
  }

  /** Both or none. */
  #codecs(settings: StreamSettings, session: RtpSession): Pick<StreamParts, 'sending' | 'receiving'> {
    const receiving = this.#receiving(settings);
    try {
      return { receiving, sending: this.#sending(settings, session) };
    } catch (error) {
      receiving.close();
      throw error;
    }
  }

  #session(codec: CodecChoice): RtpSession {
    const { settings, random, wallClock } = this.#options;
    return new RtpSession({ cname: settings.cname, clockRate: clockRateOf(codec.name), random, wallClock });
  }

  #sending(settings: StreamSettings, session: RtpSession): Sending {
    const { codecs, rate, port, emit, id } = this.#options;
    const sending = new Sending({
      codec: settings.codec,
      codecs,
      session,
      rate,
      send: (packet, length) => {
        port.sendRtp(packet, this.protection?.protect(packet, length) ?? length, this.remote.rtp);
      },
      onKeysSent: keys => emit({ is: 'dtmf sent', stream: id, keys }),
    });
    sending.telephoneEvent = settings.telephoneEvent;
    return sending;
  }

  #protection({ crypto }: StreamSettings): Protection | undefined {
    const { emit, id } = this.#options;
    return crypto && new Protection(crypto, packets => emit({ is: 'not authentic', stream: id, packets }));
  }

  #receiving(settings: StreamSettings): Receiving {
    const { codecs, rate, settings: media } = this.#options;
    return new Receiving({ choices: choicesOf(settings), codecs, rate, jitter: media.jitter });
  }

  #events(codec: CodecChoice): TelephoneEventReceiver {
    const { emit, id } = this.#options;
    return new TelephoneEventReceiver(clockRateOf(codec.name), (key, durationMs) =>
      emit({ is: 'dtmf', stream: id, key, durationMs, by: 'rtp' }),
    );
  }
}

const announced = ({ remote: { host, rtpPort, rtcpPort } }: StreamSettings) =>
  new Remote({ host, port: rtpPort }, { host, port: rtcpPort });
