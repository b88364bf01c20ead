/** Echo cancellation and noise suppression by the system's libspeexdsp, through koffi. Cheap; keeps full duplex. */
import koffi from 'koffi';
import { frameSamples } from '../frame.ts';
import type { Denoiser, EchoCanceller, NotHere } from './canceller.ts';

// speex_echo.h, speex_preprocess.h
const ECHO_SET_SAMPLING_RATE = 24;
const PREPROCESS_SET_DENOISE = 0;
const PREPROCESS_SET_NOISE_SUPPRESS = 18;
const PREPROCESS_SET_ECHO_SUPPRESS = 20;
const PREPROCESS_SET_ECHO_SUPPRESS_ACTIVE = 22;
const PREPROCESS_SET_ECHO_STATE = 24;

/** The echo may last so long after the loudspeaker: the room's tail, and what the card's delay is wrong by. */
const TAIL_MS = 128;
/** What is left of the echo is lowered by at most so much; while the visitor speaks, by the second. */
const RESIDUAL_DB = -40;
const RESIDUAL_TALKING_DB = -15;
const NOISE_DB = -15;

interface Library {
  echoCreate(frame: number, tail: number): unknown;
  echoControl(state: unknown, request: number, type: string, value: number[]): number;
  cancel(state: unknown, microphone: Int16Array, loudspeaker: Int16Array, out: Int16Array): void;
  echoDestroy(state: unknown): void;
  create(frame: number, rate: number): unknown;
  control(state: unknown, request: number, value: number[]): number;
  join(state: unknown, request: number, echo: unknown): number;
  run(state: unknown, frame: Int16Array): number;
  destroy(state: unknown): void;
}

let loaded: Library | NotHere | undefined;

function library(): Library | NotHere {
  loaded ??= load();
  return loaded;
}

function load(): Library | NotHere {
  try {
    const f = koffi.load('libspeexdsp.so.1');
    return {
      echoCreate: f.func('void *speex_echo_state_init(int, int)'),
      echoControl: f.func('int speex_echo_ctl(void *, int, ...)'),
      cancel: f.func('void speex_echo_cancellation(void *, const void *, const void *, void *)'),
      echoDestroy: f.func('void speex_echo_state_destroy(void *)'),
      create: f.func('void *speex_preprocess_state_init(int, int)'),
      control: f.func('speex_preprocess_ctl', 'int', ['void *', 'int', koffi.inout('int *')]),
      join: f.func('speex_preprocess_ctl', 'int', ['void *', 'int', 'void *']),
      run: f.func('int speex_preprocess_run(void *, void *)'),
      destroy: f.func('void speex_preprocess_state_destroy(void *)'),
    } as Library;
  } catch {
    return { why: 'libspeexdsp.so.1 is not installed: install the package libspeexdsp1' };
  }
}

function preprocessor(speex: Library, rate: number, denoise: boolean): unknown {
  const state = speex.create(frameSamples(rate), rate);
  speex.control(state, PREPROCESS_SET_DENOISE, [denoise ? 1 : 0]);
  speex.control(state, PREPROCESS_SET_NOISE_SUPPRESS, [NOISE_DB]);
  return state;
}

/** `denoise`: its second half, which lowers what is left of the echo, lowers noise as well. */
export function speexCanceller(rate: number, denoise: boolean): EchoCanceller | NotHere {
  const speex = library();
  if ('why' in speex) return speex;
  let echo: unknown = speex.echoCreate(frameSamples(rate), (rate * TAIL_MS) / 1000);
  speex.echoControl(echo, ECHO_SET_SAMPLING_RATE, 'int *', [rate]);
  let after: unknown = preprocessor(speex, rate, denoise);
  speex.join(after, PREPROCESS_SET_ECHO_STATE, echo);
  speex.control(after, PREPROCESS_SET_ECHO_SUPPRESS, [RESIDUAL_DB]);
  speex.control(after, PREPROCESS_SET_ECHO_SUPPRESS_ACTIVE, [RESIDUAL_TALKING_DB]);
  const out = new Int16Array(frameSamples(rate));
  return {
    name: 'speex',
    loudspeakerFactor: 1,
    process(microphone, loudspeaker) {
      if (echo === undefined) return;
      speex.cancel(echo, microphone, loudspeaker, out);
      speex.run(after, out);
      microphone.set(out);
    },
    close() {
      if (echo === undefined) return;
      speex.destroy(after);
      speex.echoDestroy(echo);
      echo = after = undefined;
    },
  };
}

export function speexDenoiser(rate: number): Denoiser | NotHere {
  const speex = library();
  if ('why' in speex) return speex;
  let state: unknown = preprocessor(speex, rate, true);
  return {
    process: microphone => void (state !== undefined && speex.run(state, microphone)),
    close() {
      if (state !== undefined) speex.destroy(state);
      state = undefined;
    },
  };
}
