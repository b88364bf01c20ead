/**
 * A program that does nothing but sleep for 10 ms, as often as a media thread does, and says when it was woken late: what
 * the machine alone does to whoever has to be in time.
 */
import { writeSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

const SLEEP_MS = 10;
/** What is less than this is not worth a line. Milliseconds. */
const WORTH_MS = 1;

try {
  setPriority(constants.priority.PRIORITY_HIGH);
} catch {
  // As the device: then as everybody.
}
const nobody = new Int32Array(new SharedArrayBuffer(4));
for (let dueMs = performance.now(); ; ) {
  const nowMs = performance.now();
  const lateMs = nowMs - dueMs;
  // By the wall clock, which two processes share.
  if (lateMs > WORTH_MS) writeSync(1, `late ${Math.round(performance.timeOrigin + nowMs)} ${lateMs.toFixed(2)}\n`);
  dueMs = lateMs > SLEEP_MS ? nowMs + SLEEP_MS : dueMs + SLEEP_MS;
  Atomics.wait(nobody, 0, 0, Math.max(0, dueMs - performance.now()));
}
