/** A microphone that hears nothing and a loudspeaker that nobody hears, paced by the clock: the other side needs a partner. */
import type { Clock } from '../contracts.ts';
import type { Pcm, PcmRequest } from './alsa-library.ts';

type Shape = Pick<PcmRequest, 'rate' | 'periodFrames' | 'bufferFrames'>;

const shapeOf = ({ rate, periodFrames, bufferFrames }: Shape) => ({
  rate,
  periodFrames,
  bufferFrames,
  channels: 1,
  card: undefined,
});
const fine = () => 0;

export function noMicrophone(clock: Clock, shape: Shape): Pcm {
  let readUntilMs = clock.now();
  const waiting = () => Math.floor(((clock.now() - readUntilMs) * shape.rate) / 1000);
  return {
    ...shapeOf(shape),
    available() {
      // A late thread has nothing to make up for: silence is silence.
      if (waiting() > shape.bufferFrames) readUntilMs = clock.now();
      return waiting();
    },
    read(samples, frames) {
      samples.fill(0, 0, frames);
      readUntilMs += (frames * 1000) / shape.rate;
      return frames;
    },
    write: fine,
    delay: fine,
    start() {
      readUntilMs = clock.now();
      return 0;
    },
    prepare: fine,
    close() {},
  };
}

export function noLoudspeaker(clock: Clock, shape: Shape): Pcm {
  let emptyAtMs = 0;
  return {
    ...shapeOf(shape),
    available: () => shape.bufferFrames,
    read: fine,
    write(_, frames) {
      emptyAtMs = Math.max(emptyAtMs, clock.now()) + (frames * 1000) / shape.rate;
      return frames;
    },
    delay: () => Math.max(0, Math.round(((emptyAtMs - clock.now()) * shape.rate) / 1000)),
    start: fine,
    prepare: fine,
    close() {},
  };
}
