/** Codes of doors and zones keyed in during a call: collects digits to the terminator, compares, counts what was wrong. */
import type { Clock } from '../lib/clock.ts';

export interface DtmfSettings {
  terminator: string;
  /** A pause this long forgets what was keyed in. */
  timeoutMs: number;
  /** After this many wrong codes the call can open nothing more. */
  maxWrong: number;
}

/** What a code is for: door → its codes, zone → its code, where it has one. */
export interface Codes {
  doors: Readonly<Record<string, readonly string[]>>;
  zones: Readonly<Record<string, string | undefined>>;
}

export type DtmfCommand =
  | { is: 'open'; door: string }
  | { is: 'page'; zone: string }
  /** `left` more tries in this call. The digits themselves are told to nobody. */
  | { is: 'wrong code'; digits: number; left: number }
  | { is: 'locked out' };

/** Longest code that is collected; more digits are a wrong code whatever they are. */
const CODE_LIMIT = 16;

/** One call's keys. */
export class DtmfCommands {
  readonly #clock: Clock;
  readonly #settings: DtmfSettings;
  /** Asked anew each time, so that a changed code counts at once. */
  readonly #codes: () => Codes;
  readonly #tell: (command: DtmfCommand) => void;
  #digits = '';
  #wrong = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, settings: DtmfSettings, codes: () => Codes, tell: (command: DtmfCommand) => void) {
    this.#clock = clock;
    this.#settings = settings;
    this.#codes = codes;
    this.#tell = tell;
  }

  key(key: string) {
    this.#cancel?.();
    this.#cancel = undefined;
    if (key !== this.#settings.terminator) {
      if (this.#digits.length < CODE_LIMIT) this.#digits += key;
      this.#cancel = this.#clock.after(this.#settings.timeoutMs, () => this.#forget(), 'dtmf pause');
      return;
    }
    const digits = this.#digits;
    this.#digits = '';
    if (digits === '') return;
    if (this.#wrong >= this.#settings.maxWrong) {
      this.#tell({ is: 'locked out' });
      return;
    }
    const { doors, zones } = this.#codes();
    const door = Object.entries(doors).find(([, codes]) => codes.includes(digits))?.[0];
    if (door !== undefined) return this.#tell({ is: 'open', door });
    const zone = Object.entries(zones).find(([, code]) => code === digits)?.[0];
    if (zone !== undefined) return this.#tell({ is: 'page', zone });
    this.#wrong++;
    this.#tell({ is: 'wrong code', digits: digits.length, left: this.#settings.maxWrong - this.#wrong });
  }

  stop() {
    this.#forget();
  }

  #forget() {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#digits = '';
  }
}
