/** What every echo canceller is, and the other things that a machine's library does to the microphone. */

export const echoEngines = ['half duplex', 'speex', 'aec3', 'two stage'] as const;

export type EchoEngine = (typeof echoEngines)[number];

/** Takes what the loudspeaker plays out of what the microphone hears. One frame of 10 ms at a time; allocates nothing. */
export interface EchoCanceller {
  readonly name: EchoEngine;
  /** What the loudspeaker should be multiplied with from now on: below 1 while the visitor here has the word. */
  readonly loudspeakerFactor: number;
  /**
   * `microphone` is changed in place. `loudspeaker`: what left the loudspeaker while the microphone heard this, by the
   * best that the sound card knows; early by some milliseconds harms nothing, late does.
   */
  process(microphone: Int16Array, loudspeaker: Int16Array): void;
  close(): void;
}

/** Takes steady noise out of a frame of 10 ms, in place. */
export interface Denoiser {
  process(microphone: Int16Array): void;
  close(): void;
}

/** Why an engine cannot run on this machine, in words for a technician. */
export interface NotHere {
  why: string;
}
