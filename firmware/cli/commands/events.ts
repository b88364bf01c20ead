/** `porter events`: what happens, as it happens. */
import type { DeviceEvent } from '../../controller/contracts.ts';
import { type AddCommand, CliError, EXIT_FAILED } from '../environment.ts';
import { which, withDevice } from '../running-device.ts';
import { eventLine } from '../show-event.ts';

export const addEvents: AddCommand = (porter, environment) => {
  porter
    .command('events')
    .description('follow what happens, until interrupted')
    .option('--json', 'one JSON object a line')
    .action(async ({ json }: { json?: true }, command) => {
      const { signal } = environment;
      await withDevice(which(command), environment, async client => {
        const gone = new Promise<void>(resolve => {
          client.onClose = resolve;
        });
        signal?.addEventListener('abort', () => client.close(), { once: true });
        client.onNotification = (_method, event) =>
          environment.out(`${json ? JSON.stringify(event) : eventLine(event as DeviceEvent)}\n`);
        await client.call('events');
        await gone;
      });
      if (!signal?.aborted)
        throw new CliError(EXIT_FAILED, 'the device has gone: it stopped, or this reader was too slow for it');
    });
};
