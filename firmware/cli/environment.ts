/** What the command line needs from the process around it; a test hands in its own. */
import type { Command } from 'commander';
import type { Attempt } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { ProbeRequest, ProbeResult } from '../controller/sip-probe.ts';
import type { Clock } from '../lib/clock.ts';
import type { SelfTest, SelfTestRequest } from '../self-test/self-test.ts';

export interface RunOptions {
  /** The local configuration document. */
  config: string;
  /** Where the device keeps what must survive it; absent: its default. */
  state: string | undefined;
  /** In place of `log.level`. */
  log: string | undefined;
}

export interface CliEnvironment {
  /** Standard output and standard error, as they stand: newlines included. */
  out(text: string): void;
  err(text: string): void;
  clock: Clock;
  version: string;
  /** $PORTER_SOCKET */
  socket?: string | undefined;
  /** Ends `events`: an interrupt. */
  signal?: AbortSignal;
  /** The board of this name, or undefined: for `config check`. */
  board: Attempt['board'];
  /** What is wrong with its wiring: for `config check`. */
  checkBoard?: Attempt['checkBoard'];
  /** `porter sip probe --alone`: asks without a device. */
  probe?(request: ProbeRequest, config: Config): Promise<ProbeResult | { why: string }>;
  /** `porter selftest`: looks at the machine. */
  selfTest?(request: SelfTestRequest): Promise<SelfTest>;
  /** `porter run`: resolves when the device has stopped. A CliError says why it could not start. */
  run(options: RunOptions): Promise<void>;
}

/** Adds one command to the program. */
export type AddCommand = (porter: Command, environment: CliEnvironment) => void;

/** The device, or the machine, said no. */
export const EXIT_FAILED = 1;
/** The command itself was wrong. */
export const EXIT_USAGE = 2;

/** Ends the process with one sentence on standard error. */
export class CliError extends Error {
  readonly exitCode: number;
  constructor(exitCode: typeof EXIT_FAILED | typeof EXIT_USAGE, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CliError';
    this.exitCode = exitCode;
  }
}
