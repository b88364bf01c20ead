/** Which echo canceller runs on this machine, and why not the one that was asked for. */
import { aec3Canceller } from './aec3.ts';
import type { Denoiser, EchoCanceller, EchoEngine } from './canceller.ts';
import { HalfDuplex } from './half-duplex.ts';
import { speexCanceller, speexDenoiser } from './speexdsp.ts';
import { TwoStage } from './two-stage.ts';

export type EchoSetting = EchoEngine | 'auto' | 'off';

export interface AcousticSettings {
  echo: EchoSetting;
  noiseSuppression: boolean;
}

export interface AcousticEngines {
  canceller: EchoCanceller | undefined;
  /** Absent where the canceller does it, or none is wanted or can be had. */
  denoiser: Denoiser | undefined;
  /** What was wanted and cannot be had here. */
  faults: readonly string[];
}

/** Needs no library. */
const AUTO: EchoEngine = 'two stage';

export async function chooseAcoustics(
  { echo, noiseSuppression }: AcousticSettings,
  rate: number,
): Promise<AcousticEngines> {
  const faults: string[] = [];
  const canceller = echo === 'off' ? undefined : await choose(echo, rate, noiseSuppression, faults);
  const denoiser = noiseSuppression && canceller?.name !== 'speex' ? speexDenoiser(rate) : undefined;
  if (denoiser && 'why' in denoiser) faults.push(`noise suppression: ${denoiser.why}`);
  return { canceller, denoiser: denoiser && 'why' in denoiser ? undefined : denoiser, faults };
}

async function choose(echo: EchoEngine | 'auto', rate: number, denoise: boolean, faults: string[]) {
  for (const name of [echo === 'auto' ? AUTO : echo, AUTO]) {
    const engine = await make(name, rate, denoise);
    if (!('why' in engine)) return engine;
    faults.push(`${name}: ${engine.why}`);
  }
  return undefined;
}

function make(name: EchoEngine, rate: number, denoise: boolean) {
  if (name === 'two stage') return new TwoStage(rate);
  if (name === 'speex') return speexCanceller(rate, denoise);
  return name === 'aec3' ? aec3Canceller(rate) : new HalfDuplex();
}
