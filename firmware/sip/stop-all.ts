/** Ends several things, and tells when the last of them has ended. */
export function stopAll(parts: Iterable<{ stop(done: () => void): void }>, done: () => void) {
  const all = [...parts];
  let waitingFor = all.length;
  if (waitingFor === 0) return done();
  for (const part of all) {
    part.stop(() => {
      waitingFor--;
      if (waitingFor === 0) done();
    });
  }
}
