/** The command line: builds the commands, runs one, turns what goes wrong into a sentence and an exit code. */
import { Command, CommanderError } from 'commander';
import { addAnswer } from './commands/answer.ts';
import { addAudio } from './commands/audio.ts';
import { addCall } from './commands/call.ts';
import { addConfig } from './commands/config.ts';
import { addDebug } from './commands/debug.ts';
import { addDial } from './commands/dial.ts';
import { addEvents } from './commands/events.ts';
import { addHangup } from './commands/hangup.ts';
import { addMessage } from './commands/message.ts';
import { addOpen } from './commands/open.ts';
import { addPage } from './commands/page.ts';
import { addPaging } from './commands/paging.ts';
import { addPress } from './commands/press.ts';
import { addRecord } from './commands/record.ts';
import { addRun } from './commands/run.ts';
import { addSelfTest } from './commands/selftest.ts';
import { addSeveralCalls } from './commands/several-calls.ts';
import { addSip } from './commands/sip.ts';
import { addStatus } from './commands/status.ts';
import { type CliEnvironment, CliError, EXIT_USAGE } from './environment.ts';
import { SYSTEM_SOCKETS } from './running-device.ts';
import { WIDTH } from './text.ts';

const closing = `
The running device is found by --socket, --state or $PORTER_SOCKET, and else at
${SYSTEM_SOCKETS.join(' or\n')}.
Exit codes: 0 done, 1 refused or failed, 2 wrong usage.`;

const commands = [
  addRun,
  addStatus,
  addSelfTest,
  addPress,
  addCall,
  addAnswer,
  addHangup,
  addOpen,
  addPage,
  addDial,
  addRecord,
  addMessage,
  addSeveralCalls,
  addEvents,
  addSip,
  addAudio,
  addPaging,
  addConfig,
  addDebug,
];

/** Every command, ready to parse. */
export function program(environment: CliEnvironment): Command {
  const porter = new Command('porter')
    .description('SIP intercom, help point or paging speaker: run it, ask it, tell it what to do.')
    .version(environment.version, '-V, --version', 'the version')
    .option('--socket <file>', 'the socket of the device that is meant')
    .option('--state <folder>', 'the state directory of the device that is meant')
    .helpOption('-h, --help', 'help for a command')
    .helpCommand('help [command]', 'help for a command')
    .addHelpText('after', closing)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: text => environment.out(text),
      writeErr: text => environment.err(text),
      getOutHelpWidth: () => WIDTH,
      getErrHelpWidth: () => WIDTH,
    })
    .showSuggestionAfterError()
    .exitOverride();
  for (const add of commands) add(porter, environment);
  return porter;
}

/** Runs one command line (`args` without interpreter and script) and gives its exit code. */
export async function runCli(args: readonly string[], environment: CliEnvironment): Promise<number> {
  try {
    await program(environment).parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    // Help and version end in a CommanderError too, with exit code 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    if (!(error instanceof CliError)) throw error;
    environment.err(`porter: ${error.message}\n`);
    return error.exitCode;
  }
}
