/** A media thread that lives and hears no command. */
import { parentPort } from 'node:worker_threads';

parentPort?.on('message', () => {});
