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
  readonly start: (context: Context) => Step<State, Timer, Message>;
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
  send(message: Message, copy: boolean): void;
  deliver(message: Message): void;
  fail(reason: Failure): void;
  /** Called once, after everything else. */
  ended(): void;
}

export interface Transaction<Event extends string, Message> {
  readonly state: string;
  start(): void;
  handle(event: Event, message: Message): void;
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
  const armed = new Map<Timer, () => void>();
  const delaysMs = new Map<Timer, number>();
  let lastSent: Message | undefined;
  let state: State | 'terminated' | 'not started' = 'not started';

  const cancelTimers = (unless: (timer: Timer) => boolean) => {
    for (const [timer, cancel] of armed) {
      if (unless(timer)) continue;
      cancel();
      armed.delete(timer);
    }
  };

  const armTimer = (timer: Timer, delayMs: number) => {
    armed.get(timer)?.();
    delaysMs.set(timer, delayMs);
    const fire = () => {
      armed.delete(timer);
      // A timer brings no message, and no cell of a timer looks at one.
      if (state !== 'not started') perform(machine.table[state][`timer ${timer}`]?.(context, undefined as never));
    };
    armed.set(timer, surroundings.clock.after(delayMs, fire, `timer ${timer}`));
  };

  function perform(step: Step<State | 'terminated', Timer, Message> | undefined) {
    if (step === undefined) return;
    const [next, ...effects] = step;
    state = next;
    cancelTimers(timer => machine.lifetimes[timer].includes(next));
    for (const effect of effects) {
      switch (effect.do) {
        case 'send':
          lastSent = effect.message;
          surroundings.send(lastSent, false);
          break;
        case 'repeat':
          surroundings.send(lastSent!, true);
          break;
        case 'deliver':
          surroundings.deliver(effect.message);
          break;
        case 'fail':
          surroundings.fail(effect.reason);
          break;
        case 'arm':
          armTimer(effect.timer, effect.delayMs);
          break;
        case 'back off':
          armTimer(effect.timer, Math.min(2 * delaysMs.get(effect.timer)!, effect.limitMs));
      }
    }
    if (next === 'terminated') surroundings.ended();
  }

  return {
    get state() {
      return state;
    },
    start() {
      perform(machine.start(context));
    },
    handle(event, message) {
      if (state !== 'not started') perform(machine.table[state][event]?.(context, message));
    },
    stop() {
      cancelTimers(() => false);
      state = 'terminated';
    },
  };
}
