/** The media thread with a way to make it die: a file that is named `die`. */
import { parentPort } from 'node:worker_threads';
import type { MediaCommand } from '../../../firmware/media/protocol.ts';

parentPort?.on('message', (command: MediaCommand) => {
  if (command.do === 'play file' && command.file.endsWith('/die')) throw new Error('asked to die');
});

await import('../../../firmware/media/worker.ts');
