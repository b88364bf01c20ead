/** Opens the sound card that a board or the settings name. */
import type { AudioDevice, AudioSpec, Clock } from '../contracts.ts';
import { AlsaAudio } from './alsa.ts';
import { PackagesAudio } from './packages.ts';
import { SimulatedAudio } from './simulated.ts';

/**
 * Nothing is touched before `start`, and a card that is away is no error: frames come at their pace and the status says
 * why they are silent. Throws HalError `unsupported` for a rate that no card has.
 */
export function openAudio(spec: AudioSpec, clock: Clock): AudioDevice {
  switch (spec.driver) {
    case 'alsa':
      return new AlsaAudio({ spec, clock });
    case 'packages':
      return new PackagesAudio({ spec, clock });
    case 'simulated':
      return new SimulatedAudio({ spec, clock });
  }
}
