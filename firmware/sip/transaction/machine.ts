/**
 * The common shape of the four SIP transaction machines (RFC 3261 §17, RFC 6026), and what runs them.
 *
 * A machine is a table: state → event → [next state, ...effects]. A missing cell means "ignore", as in the figures
 * of the RFC. Tables are pure; only `run` owns a clock and performs effects.
 */
import type { Clock } from '../../lib/clock.ts';
import type { TimerName } from './timers.ts';

export type Effect<Timer extends TimerName, Message> =
  | { do: 'send' | 'deliver'; message: Message }
  | { do: 'repeat' }
  | { do: 'fail'; reason: Failure }
  | { do: 'arm'; timer: Timer; delayMs: number }
  | { do: 'back off'; timer: Timer; limitMs: number };

export type Failure = 'timeout' | 'transport error';

export const send = <M>(message: M) => ({ do: 'send', message }) as const;
/** Sends the last message again. */
export const repeat = { do: 'repeat' } as const;
/** To the transaction user. The last effect of its step: the user may well answer before it returns. */
export const deliver = <M>(message: M) => ({ do: 'deliver', message }) as const;
export const fail = (reason: Failure) => ({ do: 'fail', reason }) as const;
/** Starts a timer, or starts it anew. */
export const arm = <T extends TimerName>(timer: T, delayMs: number) => ({ do: 'arm', timer, delayMs }) as const;
/** Starts a timer again with twice its last delay, `limitMs` at most. */
export const backOff = <T extends TimerName>(timer: T, limitMs = Number.POSITIVE_INFINITY) =>
  ({ do: 'back off', timer, limitMs }) as const;

export type Step<State, Timer extends TimerName, Message> = readonly [next: State, ...Effect<Timer, Message>[]];

export interface Machine<Context, State extends string, Event extends string, Timer extends TimerName, Message> {
  /** `messages`: what it is begun with, where the context does not hold that. */
  readonly start: (context: Context, ...messages: Message[]) => Step<State, Timer, Message>;
  /** The states in which each timer may run; leaving them cancels it. */
  readonly lifetimes: Readonly<Record<Timer, readonly State[]>>;
  readonly table: Readonly<
    Record<
      State,
      Readonly<
        Partial<Record<Event | `timer ${Timer}`, (context: Context, message: Message) => Step<State, Timer, Message>>>
      >
    >
  >;
}

/** What a transaction may do to the world. */
export interface Surroundings<Message> {
  clock: Clock;
  send(message: Message): void;
  /** Sends once more what was sent last: whoever sends keeps it, in its own form. */
  repeat(): void;
  deliver(message: Message): void;
  fail(reason: Failure): void;
  /** Called once, after everything else. */
  ended(): void;
}

export interface Transaction<Event extends string, Message> {
  readonly state: string;
  start(...messages: Message[]): void;
  /** An event that is no message brings none, and no cell of it looks at one. */
  handle(event: Event, message?: Message): void;
  /** Ends it where it stands, without a word to anybody. */
  stop(): void;
}

/** Drives one machine: performs effects, arms and cancels timers, reports the end. */
export function run<
  Context,
  State extends string,
  Event extends string,
  Timer extends TimerName,
  Message extends object | string,
>(
  machine: Machine<Context, State | 'terminated', Event, Timer, Message>,
  context: Context,
  surroundings: Surroundings<Message>,
): Transaction<Event, Message> {
  return new Run(machine, context, surroundings);
}

/** A class and not closures: there may be thousands, which only wait. */
class Run<Context, State extends string, Event extends string, Timer extends TimerName, Message extends object | string>
  implements Transaction<Event, Message>
{
  state: State | 'terminated' | 'not started' = 'not started';
  readonly #machine: Machine<Context, State | 'terminated', Event, Timer, Message>;
  readonly #context: Context;
  readonly #surroundings: Surroundings<Message>;
  /** Each that was ever armed: two at most. */
  #timers: { timer: Timer; delayMs: number; cancel: (() => void) | undefined }[] = [];

  constructor(
    machine: Machine<Context, State | 'terminated', Event, Timer, Message>,
    context: Context,
    surroundings: Surroundings<Message>,
  ) {
    this.#machine = machine;
    this.#context = context;
    this.#surroundings = surroundings;
  }

  start(...messages: Message[]) {
    this.#perform(this.#machine.start(this.#context, ...messages));
  }

  handle(event: Event, message?: Message) {
    this.#look(event, message);
  }

  stop() {
    this.#cancelTimers('terminated');
    this.state = 'terminated';
  }

  #look(event: Event | `timer ${Timer}`, message?: Message) {
    if (this.state !== 'not started')
      this.#perform(this.#machine.table[this.state][event]?.(this.#context, message as Message));
  }

  #perform(step: Step<State | 'terminated', Timer, Message> | undefined) {
    if (step === undefined) return;
    const [next, ...effects] = step;
    this.state = next;
    this.#cancelTimers(next);
    for (const effect of effects) {
      switch (effect.do) {
        case 'send':
          this.#surroundings.send(effect.message);
          break;
        case 'repeat':
          this.#surroundings.repeat();
          break;
        case 'deliver':
          this.#surroundings.deliver(effect.message);
          break;
        case 'fail':
          this.#surroundings.fail(effect.reason);
          break;
        case 'arm':
          this.#arm(effect.timer, effect.delayMs);
          break;
        case 'back off':
          this.#arm(effect.timer, Math.min(2 * this.#delayOf(effect.timer), effect.limitMs));
      }
    }
    if (next === 'terminated') this.#surroundings.ended();
  }

  #delayOf(wanted: Timer): number {
    return this.#timers.find(({ timer }) => timer === wanted)!.delayMs;
  }

  /** Those that may not live in that state. */
  #cancelTimers(state: State | 'terminated') {
    for (const entry of this.#timers) {
      if (state !== 'terminated' && this.#machine.lifetimes[entry.timer].includes(state)) continue;
      entry.cancel?.();
      entry.cancel = undefined;
    }
  }

  #arm(timer: Timer, delayMs: number) {
    let entry = this.#timers.find(other => other.timer === timer);
    if (entry === undefined) {
      entry = { timer, delayMs, cancel: undefined };
      this.#timers.push(entry);
    }
    const { clock } = this.#surroundings;
    const armed = entry;
    armed.cancel?.();
    armed.delayMs = delayMs;
    const fire = () => {
      armed.cancel = undefined;
      this.#look(`timer ${timer}`);
    };
    armed.cancel = clock.after(delayMs, fire, `timer ${timer}`);
  }
}
