/** A long step of another program, with its words kept for whoever asks why it failed. */
import { spawn } from 'node:child_process';

export interface StepOptions {
  cwd: string;
  env?: NodeJS.ProcessEnv;
  /** Then it is killed. Default: an hour. */
  withinMs?: number;
}

export interface StepResult {
  /** Undefined: killed, or never started. */
  code: number | undefined;
  output: string;
}

/** Never rejects: a program that cannot be started has said so in `output`. */
export const runStep = (command: string, args: readonly string[], { cwd, env, withinMs = 3_600_000 }: StepOptions) =>
  new Promise<StepResult>(resolve => {
    const child = spawn(command, args, {
      cwd,
      env: env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: withinMs,
      killSignal: 'SIGKILL',
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    child.once('error', error => resolve({ code: undefined, output: `${output}${error.message}\n` }));
    child.once('close', code => resolve({ code: code ?? undefined, output }));
  });
