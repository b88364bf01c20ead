/** Judges what comes in on the command topic: too big, too many, too old, seen before, malformed, not allowed. Pure. */
import { z } from 'zod';
import type { Action } from '../controller/contracts.ts';
import { type MqttPolicy, mqttRefusal } from '../controller/policy.ts';
import { isMalformed, parseAction } from '../io/actions.ts';

/** Bytes in one command or request. */
export const PAYLOAD_LIMIT_BYTES = 4 * 1024;
/** Ids of commands that are remembered, so that a repetition is not carried out twice. */
export const REMEMBERED_IDS = 256;
/** Commands and requests taken in one second; more are not even answered. */
export const PER_SECOND_LIMIT = 20;
/** A command with a time stamp and without `ttl` is good for this many seconds. */
const DEFAULT_TTL_S = 10;

/** The JSON form. Unknown members are refused: a misspelt `ttl` must not make a command that never ages. */
const form = z.strictObject({
  action: z.string(),
  /** Names the command: repetitions are dropped, the result carries it. */
  id: z.string().min(1).max(64).optional(),
  /** When it was given: ISO 8601 with a zone. */
  ts: z.iso.datetime({ offset: true }).optional(),
  /** Seconds after `ts` for which it is good. */
  ttl: z.number().positive().max(86_400).optional(),
});

export type Verdict =
  | { is: 'good'; action: Action; id?: string }
  | { is: 'refused'; code: 'bad request' | 'not allowed'; why: string; id?: string }
  /** Its first copy has been answered. */
  | { is: 'repeated'; id: string };

/** Remembers the ids it has passed. */
export class CommandJudge {
  readonly #policy: () => MqttPolicy;
  readonly #ids = new Set<string>();

  constructor(policy: () => MqttPolicy) {
    this.#policy = policy;
  }

  /** `nowMs` is the wall clock's: a time stamp is of the world, not of this process. */
  judge(payload: Uint8Array, nowMs: number): Verdict {
    const read = readCommand(payload);
    if (typeof read === 'string') return { is: 'refused', code: 'bad request', why: read };
    const { action: text, id, ts, ttl = DEFAULT_TTL_S } = read;
    const named = id === undefined ? {} : { id };
    if (id !== undefined && this.#ids.has(id)) return { is: 'repeated', id };
    const bad = (why: string): Verdict => ({ is: 'refused', code: 'bad request', why, ...named });

    if (read.ttl !== undefined && ts === undefined) return bad('`ttl` wants `ts`, the time when the command was given');
    const why = ts === undefined ? undefined : stale(Date.parse(ts), ttl, nowMs);
    if (why !== undefined) return bad(why);
    const action = parseAction(text);
    if (isMalformed(action)) return bad(action.malformed);
    const no = mqttRefusal(action, this.#policy());
    if (no !== undefined) return { is: 'refused', code: 'not allowed', why: no, ...named };
    if (id !== undefined) this.#remember(id);
    return { is: 'good', action, ...named };
  }

  #remember(id: string) {
    this.#ids.add(id);
    if (this.#ids.size <= REMEMBERED_IDS) return;
    const [oldest] = this.#ids;
    this.#ids.delete(oldest!);
  }
}

/** An action's text as it stands, or the JSON form; a string says what is wrong. */
function readCommand(payload: Uint8Array): z.output<typeof form> | string {
  if (payload.byteLength > PAYLOAD_LIMIT_BYTES) return `a command has at most ${PAYLOAD_LIMIT_BYTES} bytes`;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(payload).trim();
  } catch {
    return 'this is not UTF-8 text';
  }
  if (!text.startsWith('{')) return { action: text };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'this begins as JSON and is none';
  }
  const checked = form.safeParse(value);
  if (checked.success) return checked.data;
  const { path, message } = checked.error.issues[0]!;
  return path.length > 0 ? `${path.join('.')}: ${message}` : message;
}

/** A clock that is ahead makes a command look early: beyond its time to live the two clocks cannot be trusted. */
function stale(givenMs: number, ttlS: number, nowMs: number): string | undefined {
  const ageS = (nowMs - givenMs) / 1000;
  if (Math.abs(ageS) <= ttlS) return undefined;
  const here = new Date(nowMs).toISOString();
  return ageS > 0
    ? `too old: it was good for ${ttlS} s, and here it is ${here} now`
    : `from the future: here it is ${here} now; set the clocks`;
}

/** At most so many in any one second: a flood on the topic must not become the device's work. */
export class Throttle {
  readonly #limit: number;
  #windowMs = Number.NEGATIVE_INFINITY;
  #count = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether one more may pass now. */
  pass(nowMs: number): boolean {
    if (nowMs - this.#windowMs >= 1000) {
      this.#windowMs = nowMs;
      this.#count = 0;
    }
    return ++this.#count <= this.#limit;
  }
}
