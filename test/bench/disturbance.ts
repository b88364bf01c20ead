/**
 * Loaded into the device by `--import`, into each of its threads: on a signal the control thread stands still or collects
 * garbage, or the media thread collects garbage between its frames. Then the media thread tells how it fared.
 */
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BroadcastChannel, isMainThread } from 'node:worker_threads';

const NOTHING_MS = 2_000;
const STALL_MS = 2_000;
const COLLECTIONS = 1_000;
/** One in so many is of the whole heap, the others of what is young: as a busy program has them. */
const WHOLE_EVERY = 10;
/** Of the media thread, which has its work to do in between. Milliseconds. */
const COLLECT_EVERY_MS = 10;
/** What is late because of it comes this soon after it. Milliseconds. */
const AFTER_MS = 500;
/** How often the media thread is asked whether it is there. Milliseconds. */
const ASK_EVERY_MS = 5;

setFlagsFromString('--expose-gc');
const gc: (how: { type: 'major' | 'minor' }) => void = runInNewContext('gc');
const collect = (count: number) => gc({ type: count % WHOLE_EVERY === 0 ? 'major' : 'minor' });
const channel = new BroadcastChannel('bench');

if (isMainThread) {
  const disturb = (signal: NodeJS.Signals, work: () => void) =>
    process.on(signal, () => {
      channel.postMessage('begin');
      work();
    });
  const end = (afterMs: number) => void setTimeout(() => channel.postMessage('end'), afterMs);
  disturb('SIGWINCH', () => end(NOTHING_MS));
  disturb('SIGPWR', () => {
    const untilMs = performance.now() + STALL_MS;
    while (performance.now() < untilMs);
    end(AFTER_MS);
  });
  disturb('SIGUSR2', () => {
    for (let count = 0; count < COLLECTIONS; count++) collect(count);
    end(AFTER_MS);
  });
  disturb('SIGIO', () => channel.postMessage('collect'));
} else watch();

function watch() {
  const delays = monitorEventLoopDelay({ resolution: ASK_EVERY_MS });
  let collectedMs = 0;
  const observer = new PerformanceObserver(list => {
    for (const { duration } of list.getEntries()) collectedMs = Math.max(collectedMs, duration);
  });
  const tell = () => {
    const lateMs = Math.max(0, delays.max / 1e6 - ASK_EVERY_MS);
    process.stdout.write(`bench: done, ${lateMs.toFixed(2)} ms late, collected for ${collectedMs.toFixed(2)} ms\n`);
  };
  channel.onmessage = ({ data }: { data: unknown }) => {
    if (data === 'begin') {
      collectedMs = 0;
      observer.observe({ entryTypes: ['gc'] });
      delays.enable();
      delays.reset();
    } else if (data === 'end') tell();
    else {
      let count = 0;
      const timer = setInterval(() => {
        collect(count++);
        if (count < COLLECTIONS) return;
        clearInterval(timer);
        setTimeout(tell, AFTER_MS);
      }, COLLECT_EVERY_MS);
    }
  };
}
// Nobody is kept alive for it.
channel.unref();
