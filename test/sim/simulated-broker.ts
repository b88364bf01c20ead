/** A broker, the network to it and the `mqtt` package, on virtual time: as much of them as a device can feel. */
import { EventEmitter } from 'node:events';
import type { IClientOptions } from 'mqtt';
import type { Connect } from '../../firmware/report/broker.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Each packet takes this long, one way. */
export const TRIP_MS = 5;

export interface Message {
  topic: string;
  payload: string;
  retain: boolean;
  correlationData?: Buffer | undefined;
}

type Behaviour =
  | 'accept'
  /** Nothing listens. */
  | 'away'
  /** CONNACK with this code, whatever the version. */
  | { refuse: number }
  /** Speaks 3.1.1 only, and says so. */
  | 'old'
  /** Speaks 3.1.1 only, and just closes on anything else. */
  | 'old and silent'
  /** The package itself throws. */
  | 'throws';

export class SimulatedBroker {
  behaviour: Behaviour = 'accept';
  /** Takes messages and acknowledges none. */
  stalled = false;
  /** Refuses messages on topics that begin so. */
  forbidden: string | undefined;
  /** Every message that arrived, oldest first. */
  readonly received: Message[] = [];
  readonly retained = new Map<string, string>();
  /** When, and with what, a client tried to connect. */
  readonly attempts: { atMs: number; options: IClientOptions }[] = [];
  readonly #clock: VirtualClock;
  readonly #made: SimulatedClient[] = [];
  #client: SimulatedClient | undefined;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** In place of the `connect` of the `mqtt` package. */
  readonly connect = ((_url: string, options: IClientOptions) => {
    this.attempts.push({ atMs: this.#clock.now(), options });
    if (this.behaviour === 'throws') throw new Error('Missing protocol');
    const client = new SimulatedClient(this, this.#clock, options);
    this.#made.push(client);
    this.#clock.after(TRIP_MS, () => this.#accept(client), 'simulated CONNECT');
    return client;
  }) as unknown as Connect;

  get connected() {
    return this.#client !== undefined;
  }

  /** Clients that were made and have not been ended: more than one is one too many. */
  get alive() {
    return this.#made.filter(client => !client.ended).length;
  }

  /** What arrived on a topic, as text. */
  on(topic: string): string[] {
    return this.received.filter(message => message.topic === topic).map(({ payload }) => payload);
  }

  /** Somebody publishes to the device. */
  deliver(
    topic: string,
    payload: string | Uint8Array,
    { retain = false, ...properties }: { retain?: boolean; [name: string]: unknown } = {},
  ) {
    const client = this.#client;
    this.#clock.after(
      TRIP_MS,
      () => client?.emit('message', topic, Buffer.from(payload), { retain, properties }),
      'simulated PUBLISH',
    );
  }

  /** The connection breaks, as when a cable is cut and both ends have noticed. */
  cut(disconnect?: number) {
    const client = this.#client;
    if (!client) return;
    this.#client = undefined;
    this.#publishWill(client);
    if (disconnect !== undefined) client.emit('disconnect', { reasonCode: disconnect });
    client.flush();
    client.emit('close');
  }

  publish(client: SimulatedClient, message: Message, acknowledged: (error?: Error) => void) {
    if (client !== this.#client) return;
    if (this.forbidden !== undefined && message.topic.startsWith(this.forbidden)) {
      this.#clock.after(
        TRIP_MS,
        () => acknowledged(Object.assign(new Error('Publish error: Not authorized'), { code: 0x87 })),
        'simulated PUBACK',
      );
      return;
    }
    this.received.push(message);
    if (message.retain) this.retained.set(message.topic, message.payload);
    if (!this.stalled) this.#clock.after(TRIP_MS, acknowledged, 'simulated PUBACK');
  }

  leave(client: SimulatedClient) {
    if (client === this.#client) this.#client = undefined;
  }

  #accept(client: SimulatedClient) {
    if (client.ended) return;
    const { behaviour } = this;
    const old = (behaviour === 'old' || behaviour === 'old and silent') && client.options.protocolVersion === 5;
    if (behaviour === 'away') client.fail(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
    else if (typeof behaviour === 'object')
      client.fail(Object.assign(new Error('Connection refused'), { code: behaviour.refuse }));
    else if (old) {
      client.fail(
        behaviour === 'old' ? Object.assign(new Error('Unacceptable protocol version'), { code: 1 }) : undefined,
      );
    } else {
      this.#client = client;
      client.emit('connect', {});
    }
  }

  #publishWill({ options: { will } }: SimulatedClient) {
    if (will) this.retained.set(will.topic, will.payload.toString());
  }
}

class SimulatedClient extends EventEmitter {
  ended = false;
  readonly options: IClientOptions;
  readonly #broker: SimulatedBroker;
  readonly #clock: VirtualClock;
  readonly #unacknowledged = new Set<(error?: Error) => void>();

  constructor(broker: SimulatedBroker, clock: VirtualClock, options: IClientOptions) {
    super();
    this.#broker = broker;
    this.#clock = clock;
    this.options = options;
  }

  publish(
    topic: string,
    payload: string,
    options: { retain?: boolean; properties?: { correlationData?: Buffer } },
    acknowledged: (error?: Error) => void,
  ) {
    const message = {
      topic,
      payload,
      retain: options.retain ?? false,
      correlationData: options.properties?.correlationData,
    };
    this.#unacknowledged.add(acknowledged);
    const acknowledge = (error?: Error) => {
      if (this.#unacknowledged.delete(acknowledged)) acknowledged(error);
    };
    this.#clock.after(TRIP_MS, () => this.#broker.publish(this, message, acknowledge), 'simulated PUBLISH');
  }

  subscribe(topics: string[], _options: object, done: (error: Error | null, granted: object[]) => void) {
    this.#clock.after(
      2 * TRIP_MS,
      () =>
        done(
          null,
          topics.map(topic => ({ topic, qos: 1 })),
        ),
      'simulated SUBACK',
    );
  }

  end(_force?: boolean, _options?: object, done: () => void = () => {}) {
    if (this.ended) return;
    this.ended = true;
    this.#broker.leave(this);
    this.flush();
    this.#clock.after(TRIP_MS, done, 'simulated DISCONNECT');
  }

  /** The package calls back for whatever it could not deliver, before it says that the connection is gone. */
  flush() {
    for (const acknowledged of this.#unacknowledged) acknowledged(new Error('Connection closed'));
    this.#unacknowledged.clear();
  }

  fail(error: Error | undefined) {
    if (error) this.emit('error', error);
    this.emit('close');
  }
}
