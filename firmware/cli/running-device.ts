/** Finds the running device and asks it: what every command that needs one shares. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { ActionResult } from '../controller/contracts.ts';
import { isMalformed, parseAction } from '../io/actions.ts';
import { ClientError, RpcClient } from '../rpc/client.ts';
import { type CliEnvironment, CliError, EXIT_FAILED, EXIT_USAGE } from './environment.ts';
import { plain } from './text.ts';

/** Where a device that the system started listens: the service's run directory, or its state directory. */
export const SYSTEM_SOCKETS = ['/run/porter/porter.sock', '/var/lib/porter/porter.sock'] as const;
const SOCKET_NAME = 'porter.sock';

/** The options that say which device is meant. */
export interface Which {
  socket?: string;
  state?: string;
}

/** The device that a command line means: the options stand anywhere in it. */
export const which = (command: Command): Which => command.optsWithGlobals();

/** `--socket`, then `--state`, then $PORTER_SOCKET, then the system's. */
function socketPath({ socket, state }: Which, environment: CliEnvironment): string {
  if (socket !== undefined) return socket;
  if (state !== undefined) return resolve(state, SOCKET_NAME);
  return environment.socket ?? SYSTEM_SOCKETS.find(path => existsSync(path)) ?? SYSTEM_SOCKETS[0];
}

/** Connects, lets `task` ask, closes. */
export async function withDevice<T>(
  meant: Which,
  environment: CliEnvironment,
  task: (client: RpcClient) => Promise<T>,
): Promise<T> {
  const client = new RpcClient(socketPath(meant, environment), environment.clock);
  try {
    await client.connect();
    return await task(client);
  } catch (error) {
    throw error instanceof ClientError ? new CliError(EXIT_FAILED, plain(error.message), { cause: error }) : error;
  } finally {
    client.close();
  }
}

/** Milliseconds that a device may take for an answer, beyond what the action itself takes. */
const ANSWER_WITHIN_MS = 5_000;

/** Has the device perform one action, given as text, and says so. A refusal ends the command with the device's words. */
export async function perform(
  text: string,
  done: string,
  command: Command,
  environment: CliEnvironment,
): Promise<void> {
  const action = parseAction(text);
  if (isMalformed(action)) throw new CliError(EXIT_USAGE, plain(action.malformed));
  const withinMs = ANSWER_WITHIN_MS + (action.do === 'stall' ? action.ms : 0);
  const result = (await withDevice(which(command), environment, client =>
    client.call('perform', { action: text }, withinMs),
  )) as ActionResult;
  if (!result.done) throw new CliError(EXIT_FAILED, plain(result.why));
  environment.out(`${done}\n`);
}
