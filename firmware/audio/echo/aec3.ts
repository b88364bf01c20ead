/** WebRTC's AEC3, compiled to WebAssembly: the quickest to learn a room, and the most work; lowers the visitor in double talk. */
import { frameSamples, saturate } from '../frame.ts';
import type { EchoCanceller, NotHere } from './canceller.ts';

/** It runs at these rates inside; for others the package resamples. */
const INNER_RATES: readonly number[] = [16_000, 32_000, 48_000];

/** Undefined options mean its own rate; the object is kept, so that a frame costs none. */
export async function aec3Canceller(rate: number): Promise<EchoCanceller | NotHere> {
  const inner = INNER_RATES.includes(rate) ? rate : 16_000;
  let aec: InstanceType<Awaited<ReturnType<Aec3Package>>['AEC3']>;
  try {
    const { default: load } = (await import('@ennuicastr/webrtcaec3.js')) as unknown as { default: Aec3Package };
    aec = new (await load()).AEC3(inner, 1, 1);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { why: `the package @ennuicastr/webrtcaec3.js does not load: ${why}` };
  }
  const played = new Float32Array(frameSamples(rate));
  const heard = new Float32Array(frameSamples(rate));
  const clean = new Float32Array(frameSamples(rate));
  const [playedChannels, heardChannels, cleanChannels] = [[played], [heard], [clean]];
  const render = { sampleRateIn: rate };
  const capture = { sampleRateIn: rate, sampleRateOut: rate };
  let open = true;
  return {
    name: 'aec3',
    loudspeakerFactor: 1,
    process(microphone, loudspeaker) {
      if (!open) return;
      for (let index = 0; index < heard.length; index++) {
        played[index] = loudspeaker[index]! / 32_768;
        heard[index] = microphone[index]! / 32_768;
      }
      aec.analyze(playedChannels, render);
      aec.process(cleanChannels, heardChannels, capture);
      for (let index = 0; index < clean.length; index++) microphone[index] = saturate(clean[index]! * 32_768);
    },
    close() {
      if (open) aec.free();
      open = false;
    },
  };
}

type Aec3Package = () => Promise<{
  AEC3: new (
    rate: number,
    played: number,
    heard: number,
  ) => {
    analyze(data: Float32Array[], options: { sampleRateIn: number }): void;
    process(out: Float32Array[], data: Float32Array[], options: { sampleRateIn: number; sampleRateOut: number }): void;
    free(): void;
  };
}>;
