/** Door codes keyed in during a call: collects digits to the terminator, compares, counts what was wrong. */
import type { Clock } from '../lib/clock.ts';

export interface DtmfSettings {
  terminator: string;
  /** A pause this long forgets what was keyed in. */
  timeoutMs: number;
  /** After this many wrong codes the call can open nothing more. */
  maxWrong: number;
}

export type DtmfCommand =
  | { is: 'open'; door: string }
  /** `left` more tries in this call. The digits themselves are told to nobody. */
  | { is: 'wrong code'; digits: number; left: number }
  | { is: 'locked out' };

/** Longest code that is collected; more digits are a wrong code whatever they are. */
const CODE_LIMIT = 16;

/** One call's keys. */
export class DtmfCommands {
  readonly #clock: Clock;
  readonly #settings: DtmfSettings;
  /** Door name → its codes. Asked anew each time, so that a changed code counts at once. */
  readonly #codes: () => Readonly<Record<string, readonly string[]>>;
  readonly #tell: (command: DtmfCommand) => void;
  #digits = '';
  #wrong = 0;
  #cancel: (() => void) | undefined;

  constructor(
    clock: Clock,
    settings: DtmfSettings,
    codes: () => Readonly<Record<string, readonly string[]>>,
    tell: (command: DtmfCommand) => void,
  ) {
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
    const door = Object.entries(this.#codes()).find(([, codes]) => codes.includes(digits))?.[0];
    if (door !== undefined) {
      this.#tell({ is: 'open', door });
      return;
    }
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
