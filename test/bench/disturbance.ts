/** Loaded into the device by `--import`: on a signal its control thread stands still, or collects garbage, and says when it is done. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

const STALL_MS = 2_000;
const COLLECTIONS = 1_000;
/** One in so many is of the whole heap, the others of what is young: as a busy program has them. */
const WHOLE_EVERY = 10;

if (isMainThread) {
  setFlagsFromString('--expose-gc');
  const collect: (how: { type: 'major' | 'minor' }) => void = runInNewContext('gc');
  process.on('SIGUSR2', () => {
    for (let count = 0; count < COLLECTIONS; count++) collect({ type: count % WHOLE_EVERY === 0 ? 'major' : 'minor' });
    process.stdout.write('bench: collected\n');
  });
  process.on('SIGPWR', () => {
    const endMs = performance.now() + STALL_MS;
    while (performance.now() < endMs);
    process.stdout.write('bench: stalled\n');
  });
}
