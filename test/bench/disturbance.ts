/**
 * Loaded into the device by `--import`, into each of its threads: on a signal the control thread stands still or collects
 * garbage, or the media thread collects garbage between its frames. Says when it is done.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BroadcastChannel, isMainThread } from 'node:worker_threads';

const STALL_MS = 2_000;
const COLLECTIONS = 1_000;
/** One in so many is of the whole heap, the others of what is young: as a busy program has them. */
const WHOLE_EVERY = 10;
/** Of the media thread, which has its work to do in between. Milliseconds. */
const COLLECT_EVERY_MS = 10;

setFlagsFromString('--expose-gc');
const gc: (how: { type: 'major' | 'minor' }) => void = runInNewContext('gc');
const collect = (count: number) => gc({ type: count % WHOLE_EVERY === 0 ? 'major' : 'minor' });
const channel = new BroadcastChannel('bench');

if (isMainThread) {
  process.on('SIGUSR2', () => {
    for (let count = 0; count < COLLECTIONS; count++) collect(count);
    process.stdout.write('bench: collected\n');
  });
  process.on('SIGPWR', () => {
    const endMs = performance.now() + STALL_MS;
    while (performance.now() < endMs);
    process.stdout.write('bench: stalled\n');
  });
  process.on('SIGIO', () => channel.postMessage('collect'));
} else {
  channel.onmessage = () => {
    let count = 0;
    const timer = setInterval(() => {
      collect(count++);
      if (count < COLLECTIONS) return;
      clearInterval(timer);
      process.stdout.write('bench: media collected\n');
    }, COLLECT_EVERY_MS);
  };
}
// Nobody is kept alive for it.
channel.unref();
