/** The device at an MQTT broker: shows its state, tells its events, takes actions and requests. Never in its way. */
import type { Device, DeviceEvent, Status } from '../controller/contracts.ts';
import { type MqttPolicy, mqttRefusal } from '../controller/policy.ts';
import { printAction } from '../io/actions.ts';
import type { Clock, WallClock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import { readRequest } from '../rpc/json-rpc.ts';
import { handle, type Offered } from '../rpc/methods.ts';
import { Broker, type Connect, type Received } from './broker.ts';
import { CommandJudge, PAYLOAD_LIMIT_BYTES, PER_SECOND_LIMIT, Throttle } from './command.ts';
import { facets, info } from './facets.ts';
import { Outbox } from './outbox.ts';
import { type Facet, isAnswerTopic, type Topics, topics } from './topics.ts';

export interface MqttSettings {
  deviceId: string;
  /** `mqtt://host:1883` or `mqtts://host:8883` (its certificate is always verified). */
  url: string;
  topicRoot: string;
  username?: string | undefined;
  password?: string | undefined;
  keepAliveMs: number;
  reconnectSpreadMs: number;
}

export interface MqttReportOptions {
  clock: Clock;
  wallClock: WallClock;
  random: Random;
  log: Log;
  offered: Offered;
  settings: MqttSettings;
  /** Asked anew each time, so that a changed setting counts at once. */
  policy(): MqttPolicy;
  /** The `connect` of the `mqtt` package. */
  connect: Connect;
  /** `state()` has changed. */
  onState?(): void;
}

export interface MqttCounters {
  eventsDropped: number;
  retainedIgnored: number;
  repeatedIgnored: number;
  throttled: number;
  /** Requests that named no topic for an answer, or one that is not theirs. */
  unanswerable: number;
  answersDropped: number;
}

/** Answers and results that the broker has not taken yet; one more is dropped. */
const ANSWERS_LIMIT = 32;

export class MqttReport {
  readonly #options: MqttReportOptions;
  readonly #device: Device;
  readonly #topics: Topics;
  readonly #broker: Broker;
  readonly #outbox = new Outbox();
  readonly #judge: CommandJudge;
  readonly #throttle = new Throttle(PER_SECOND_LIMIT);
  /** Topic → what the broker has been told of it in this session. */
  readonly #shown = new Map<string, string>();
  /** Topics whose last word the broker has not acknowledged: one at a time, so that nothing piles up. */
  readonly #showing = new Set<string>();
  readonly #counters = {
    retainedIgnored: 0,
    repeatedIgnored: 0,
    throttled: 0,
    unanswerable: 0,
    answersDropped: 0,
  };
  #answersOut = 0;
  #session = 0;
  #unlisten: (() => void)[] = [];

  constructor(options: MqttReportOptions) {
    const { clock, random, log, connect, settings } = options;
    this.#options = options;
    this.#device = options.offered.device;
    this.#topics = topics(settings.topicRoot, settings.deviceId);
    this.#judge = new CommandJudge(options.policy);
    this.#broker = new Broker({
      clock,
      random,
      log,
      connect,
      settings: { ...settings, clientId: `porter-${settings.deviceId}` },
      will: { topic: this.#topics.availability, payload: 'offline' },
      subscribe: [this.#topics.command, this.#topics.request],
      onUp: () => this.#up(),
      onDown: () => this.#down(),
      onMessage: message => this.#receive(message),
    });
  }

  start(): void {
    this.#unlisten = [
      this.#device.onEvent(event => this.#tell(event)),
      this.#device.onChange(() => this.#showStates()),
    ];
    this.#broker.start();
  }

  /** Says `offline` where it can; a second at the latest and nothing is armed any more. */
  async stop(): Promise<void> {
    for (const end of this.#unlisten) end();
    this.#unlisten = [];
    await this.#broker.stop();
  }

  state(): Status['mqtt'] {
    return { state: this.#broker.up ? 'connected' : 'connecting', url: this.#options.settings.url };
  }

  get counters(): MqttCounters {
    return { eventsDropped: this.#outbox.dropped, ...this.#counters };
  }

  #up() {
    this.#session++;
    this.#answersOut = 0;
    this.#shown.clear();
    this.#showing.clear();
    this.#show(this.#topics.info, JSON.stringify(info(this.#device.status(), this.#device.names(), this.counters)));
    this.#showStates();
    this.#show(this.#topics.availability, 'online');
    this.#pump();
    this.#options.onState?.();
  }

  #down() {
    this.#outbox.rewind();
    this.#options.onState?.();
  }

  #showStates() {
    if (!this.#broker.up) return;
    for (const [facet, value] of Object.entries(facets(this.#device.status()))) {
      this.#show(this.#topics.state(facet as Facet), JSON.stringify(value));
    }
  }

  #show(topic: string, payload: string) {
    if (this.#shown.get(topic) === payload || this.#showing.has(topic)) return;
    this.#shown.set(topic, payload);
    this.#showing.add(topic);
    this.#broker.publish(topic, payload, { retain: true }, () => {
      this.#showing.delete(topic);
      // It may have changed meanwhile.
      this.#showStates();
    });
  }

  #tell(event: DeviceEvent) {
    this.#outbox.push({ topic: this.#topics.event(event.source), payload: JSON.stringify(event) });
    this.#pump();
  }

  #pump() {
    if (!this.#broker.up) return;
    for (let letter = this.#outbox.next(); letter !== undefined; letter = this.#outbox.next()) {
      const sent = letter;
      this.#broker.publish(sent.topic, sent.payload, {}, () => {
        this.#outbox.acknowledge(sent);
        this.#pump();
      });
    }
  }

  #receive(message: Received) {
    if (!this.#throttle.pass(this.#options.clock.now())) {
      this.#counters.throttled++;
      return;
    }
    if (message.topic === this.#topics.command) this.#command(message);
    else if (message.topic === this.#topics.request) this.#request(message);
  }

  #command({ payload, retained }: Received) {
    // Somebody takes a retained command back (MQTT 3.1.1 §3.3.1.3).
    if (payload.byteLength === 0) return;
    if (retained) {
      // It would be carried out anew at each connection, for ever.
      this.#counters.retainedIgnored++;
      this.#result({
        done: false,
        code: 'not allowed',
        why: 'a retained command is ignored; publish it without retain',
      });
      return;
    }
    const verdict = this.#judge.judge(payload, this.#options.wallClock());
    switch (verdict.is) {
      case 'repeated':
        this.#counters.repeatedIgnored++;
        return;
      case 'refused': {
        const { id, code, why } = verdict;
        this.#result({ id, done: false, code, why });
        return;
      }
      case 'good': {
        const { id, action } = verdict;
        this.#result({ id, action: printAction(action), ...this.#device.perform(action, 'mqtt') });
      }
    }
  }

  #result(result: { id?: string | undefined; done: boolean; [fact: string]: unknown }) {
    const { log, wallClock } = this.#options;
    if (!result.done) log.info('command refused', { by: 'mqtt', why: result.why });
    this.#answer(this.#topics.result, { ...result, ts: new Date(wallClock()).toISOString() });
  }

  #request({ payload, retained, responseTopic, correlationData }: Received) {
    if (retained) {
      this.#counters.retainedIgnored++;
      return;
    }
    if (payload.byteLength > PAYLOAD_LIMIT_BYTES) {
      this.#counters.unanswerable++;
      return;
    }
    const text = payload.toString('utf8');
    const to = responseTopic ?? replyTo(text);
    const request = readRequest(text);
    const wantsAnswer = 'refused' in request || request.id !== undefined;
    if (wantsAnswer && !isAnswerTopic(this.#topics, to)) {
      // Whoever cannot hear what became of it should not have it done.
      this.#counters.unanswerable++;
      this.#options.log.warn('request ignored', { by: 'mqtt', why: `no response topic below ${this.#topics.answers}` });
      return;
    }
    const session = this.#session;
    handle(text, this.#options.offered, this.#caller, answer => {
      if (answer && session === this.#session) this.#answer(String(to), answer, correlationData);
    });
  }

  readonly #caller = {
    origin: 'mqtt',
    refuse: (action: Parameters<typeof mqttRefusal>[0]) => mqttRefusal(action, this.#options.policy()),
  } as const;

  #answer(topic: string, answer: object, correlationData?: Buffer) {
    if (this.#answersOut >= ANSWERS_LIMIT) {
      this.#counters.answersDropped++;
      return;
    }
    this.#answersOut++;
    this.#broker.publish(topic, JSON.stringify(answer), { correlationData }, () => this.#answersOut--);
  }
}

/** MQTT 3.1.1 has no response topic: the request itself carries it. */
function replyTo(text: string): unknown {
  try {
    return (JSON.parse(text) as { reply_to?: unknown } | null)?.reply_to;
  } catch {
    return undefined;
  }
}
