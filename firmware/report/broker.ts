/** One lasting connection to a broker: comes back by itself, MQTT 5 where the broker knows it, 3.1.1 where not. */
import type { connect as mqttConnect } from 'mqtt';
import { backoff } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';

export type Connect = typeof mqttConnect;
type Client = ReturnType<Connect>;

export interface BrokerSettings {
  url: string;
  clientId: string;
  username?: string | undefined;
  password?: string | undefined;
  keepAliveMs: number;
  /** Devices that lost the broker together come back within this time. */
  reconnectSpreadMs: number;
}

export interface Received {
  topic: string;
  payload: Buffer;
  retained: boolean;
  /** MQTT 5 only. */
  responseTopic?: string | undefined;
  correlationData?: Buffer | undefined;
}

export interface BrokerOptions {
  clock: Clock;
  random: Random;
  log: Log;
  connect: Connect;
  settings: BrokerSettings;
  /** Published by the broker when the connection breaks, and by us when we leave. Retained. */
  will: { topic: string; payload: string };
  subscribe: readonly string[];
  /** A session has begun: nothing of an earlier one is left. */
  onUp(): void;
  onDown(): void;
  onMessage(message: Received): void;
}

export interface PublishOptions {
  retain?: boolean;
  /** MQTT 5 only. */
  correlationData?: Buffer | undefined;
}

/** After the first try within the spread: pauses grow from here … */
const FIRST_PAUSE_MS = 10_000;
/** … to here. */
const LONGEST_PAUSE_MS = 300_000;
/** A session that lasted so long makes the next loss a new one, with a first try within the spread. */
const STABLE_AFTER_MS = 300_000;
/** For the broker's CONNACK. */
const CONNECT_TIMEOUT_MS = 10_000;
/** For a last word and a DISCONNECT. */
const LEAVE_WITHIN_MS = 1_000;
/** Bytes of one packet that a broker may send us (MQTT 5 §3.1.2.11.4). */
const PACKET_LIMIT_BYTES = 16 * 1024;
/** QoS 1 messages that a broker may send us before our PUBACK (MQTT 5 §3.1.2.11.3). */
const RECEIVE_MAXIMUM = 20;
/** MQTT 3.1.1 §3.2.2.3 return code 1, and MQTT 5 §2.4 reason code 0x84. */
const WRONG_VERSION = [1, 0x84];

export class Broker {
  readonly #options: BrokerOptions;
  #version: 5 | 4 = 5;
  #client: Client | undefined;
  #up = false;
  #upSinceMs = 0;
  #pauses: Generator<number, never>;
  #cancelPause: (() => void) | undefined;
  #running = false;
  #lastTrouble = '';

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.#pauses = this.#newPauses();
  }

  start(): void {
    this.#running = true;
    this.#pause(this.#pauses.next().value);
  }

  /** Says goodbye where it can, for a second at most. Nothing stays armed. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#cancelPause?.();
    const client = this.#client;
    this.#client = undefined;
    if (!client) return;
    const { clock, will } = this.#options;
    const wasUp = this.#up;
    if (wasUp) this.#goDown();
    await new Promise<void>(resolve => {
      const cancel = clock.after(LEAVE_WITHIN_MS, () => client.end(true, {}, () => resolve()), 'mqtt leave');
      const end = (force: boolean) =>
        client.end(force, {}, () => {
          cancel();
          resolve();
        });
      // A clean DISCONNECT takes the will back, so its word is ours to say.
      if (wasUp) client.publish(will.topic, will.payload, { qos: 1, retain: true }, () => end(false));
      else end(true);
    });
  }

  get up() {
    return this.#up;
  }

  /** `done` is called when the broker has the message or refuses it; never when the connection breaks before. QoS 1. */
  publish(topic: string, payload: string, { retain = false, correlationData }: PublishOptions, done: () => void): void {
    const client = this.#client;
    if (!client || !this.#up) return;
    const properties = correlationData && this.#version === 5 ? { properties: { correlationData } } : {};
    client.publish(topic, payload, { qos: 1, retain, ...properties }, error => {
      // The package fails what is on its way before it says that the connection is gone: only a code is the broker's word.
      if (client !== this.#client || !this.#up || (error && !('code' in error))) return;
      if (error) this.#options.log.warn('broker refuses a message', { topic, why: error.message });
      done();
    });
  }

  #attempt() {
    const { connect, settings, will, log } = this.#options;
    const { url, clientId, username, password, keepAliveMs } = settings;
    const version = this.#version;
    let client: Client;
    try {
      client = connect(url, {
        protocolVersion: version,
        clientId,
        ...(username !== undefined && { username }),
        ...(password !== undefined && { password }),
        // What was said to an absent device is not for one that comes back later: no door opens an hour late.
        clean: true,
        keepalive: Math.round(keepAliveMs / 1000),
        connectTimeout: CONNECT_TIMEOUT_MS,
        reconnectPeriod: 0,
        will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: true },
        ...(version === 5 && {
          properties: { receiveMaximum: RECEIVE_MAXIMUM, maximumPacketSize: PACKET_LIMIT_BYTES },
        }),
      });
    } catch (error) {
      this.#trouble((error as Error).message);
      this.#pause(this.#pauses.next().value);
      return;
    }
    this.#client = client;
    let trouble: { message: string; code?: unknown } | undefined;
    client.on('error', error => {
      trouble ??= error;
    });
    client.on('disconnect', ({ reasonCode }) => {
      trouble ??= { message: `the broker disconnects, reason code ${reasonCode}`, code: reasonCode };
    });
    client.on('connect', () => {
      if (client !== this.#client) return;
      log.info('broker connected', { url, mqtt: version === 5 ? '5' : '3.1.1' });
      this.#goUp(client);
    });
    client.on('message', (topic, payload, { retain, properties }) => {
      if (client !== this.#client) return;
      const { responseTopic, correlationData } = properties ?? {};
      this.#options.onMessage({ topic, payload, retained: retain, responseTopic, correlationData });
    });
    client.on('close', () => {
      if (client !== this.#client) return;
      this.#client = undefined;
      client.end(true);
      this.#lost(trouble);
    });
  }

  #goUp(client: Client) {
    const { clock, subscribe, log, onUp } = this.#options;
    this.#up = true;
    this.#upSinceMs = clock.now();
    this.#lastTrouble = '';
    // rap: a message that was published as retained shows it (MQTT 5 §3.8.3.1), also when it comes live.
    client.subscribe([...subscribe], { qos: 1, rap: true }, (error, granted) => {
      const refused = granted?.filter(({ qos }) => qos >= 0x80).map(({ topic }) => topic) ?? [];
      if (error || refused.length > 0)
        log.warn('broker refuses a subscription', { why: error?.message, topics: refused });
    });
    onUp();
  }

  #goDown() {
    this.#up = false;
    this.#options.onDown();
  }

  #lost(trouble: { message: string; code?: unknown } | undefined) {
    const wasUp = this.#up;
    if (wasUp) {
      if (this.#options.clock.now() - this.#upSinceMs >= STABLE_AFTER_MS) this.#pauses = this.#newPauses();
      this.#goDown();
    }
    if (!this.#running) return;
    this.#trouble(trouble?.message ?? 'the broker closed the connection');
    if (!wasUp && this.#version === 5 && WRONG_VERSION.includes(Number(trouble?.code))) {
      this.#version = 4;
      this.#pause(0);
      return;
    }
    // Some old brokers say nothing to a version that they do not know, they just close.
    if (!wasUp && trouble === undefined) this.#version = this.#version === 5 ? 4 : 5;
    this.#pause(this.#pauses.next().value);
  }

  #pause(delayMs: number) {
    this.#cancelPause = this.#options.clock.after(
      delayMs,
      () => {
        this.#cancelPause = undefined;
        this.#attempt();
      },
      'mqtt reconnect',
    );
  }

  /** Each kind of trouble is told once until a connection stands again. */
  #trouble(why: string) {
    const { log, settings } = this.#options;
    const say = why === this.#lastTrouble ? log.debug : log.warn;
    this.#lastTrouble = why;
    say('broker not connected', { url: settings.url, why });
  }

  /** First anywhere within the spread, then ever longer: thousands of devices must not come back in one second. */
  *#newPauses(): Generator<number, never> {
    const { random, settings } = this.#options;
    yield Math.round(random.next() * settings.reconnectSpreadMs);
    return yield* backoff({ firstMs: FIRST_PAUSE_MS, limitMs: LONGEST_PAUSE_MS, random });
  }
}
