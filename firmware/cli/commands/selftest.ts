/** `porter selftest`: is everything as it should be, and what is to be done? With a report that can be mailed. */
import { writeFileSync } from 'node:fs';
import type { Effective } from '../../config/layers.ts';
import type { Status } from '../../controller/contracts.ts';
import type { PagingTest } from '../../controller/paging-test.ts';
import type { SipStatus } from '../../controller/sip-status.ts';
import { ClientError, type RpcClient } from '../../rpc/client.ts';
import type { SelfTestRequest } from '../../self-test/self-test.ts';
import { type AddCommand, type CliEnvironment, CliError, EXIT_FAILED } from '../environment.ts';
import { type Which, which, withDevice } from '../running-device.ts';
import { selfTestReport, showSelfTest } from '../show-self-test.ts';

/** Where the package keeps them. */
const SYSTEM_CONFIG = '/etc/porter/porter.json';
const SYSTEM_STATE = '/var/lib/porter';

interface Options extends Which {
  config: string;
  report?: string | true;
  json?: true;
}

const details = `
While the device runs it is asked. While it does not, lines and sound card are
opened for a moment, outputs at their safe level, and a quiet tone is played and
listened for. The exit code is 1 where something failed.`;

export const addSelfTest: AddCommand = (porter, environment) => {
  porter
    .command('selftest')
    .description('test lines, sound, network, servers, clock; say what to do')
    .option('--config <file>', 'what the device is started with', SYSTEM_CONFIG)
    .option('--report [file]', 'also writes all that was found, to be mailed')
    .option('--json', 'everything, for a program')
    .addHelpText('after', details)
    .action(async (_options, command) => {
      const { config, report, json, state = SYSTEM_STATE } = command.optsWithGlobals() as Options;
      if (environment.selfTest === undefined) throw new CliError(EXIT_FAILED, 'nothing can be tested from here');
      const device = await askDevice(which(command), environment);
      const test = await environment.selfTest({ device, configFile: config, state });
      environment.out(json ? `${JSON.stringify(test, null, 2)}\n` : `${showSelfTest(test).join('\n')}\n`);
      if (report !== undefined) {
        const file = report === true ? `porter-selftest-${test.facts.machine.clock.now.slice(0, 10)}.txt` : report;
        writeReport(file, selfTestReport(test));
        environment.err(`The report is in ${file}\n`);
      }
      const failed = test.findings.filter(({ verdict }) => verdict === 'fail');
      if (failed.length > 0)
        throw new CliError(EXIT_FAILED, `failed: ${[...new Set(failed.map(({ check }) => check))].join(', ')}`);
    });
};

async function askDevice(meant: Which, environment: CliEnvironment): Promise<SelfTestRequest['device']> {
  try {
    return await withDevice(meant, environment, async client => ({
      running: {
        status: (await client.call('status')) as Status,
        sip: (await client.call('sip.status')) as SipStatus,
        settings: (await client.call('config.show')) as Effective[],
        paging: await pagingTest(client),
      },
    }));
  } catch (error) {
    // Only where nobody listens does nobody have the lines: they are not taken from a device that is slow to answer.
    const { cause } = error as Error;
    if (cause instanceof ClientError && cause.code === 'no device') return { whyNotRunning: (error as Error).message };
    throw error;
  }
}

const pagingTest = (client: RpcClient) =>
  client.call('paging.test').then(
    tested => tested as PagingTest | { why: string },
    (error: Error) => ({ why: error.message }),
  );

function writeReport(file: string, text: string) {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new CliError(EXIT_FAILED, `the report cannot be written: ${(error as Error).message}`);
  }
}
