/** Opus by the system's libopus, through koffi. */
import koffi from 'koffi';
import { MAX_PACKET_MS } from '../frame.ts';
import { BAD_PAYLOAD } from './codec.ts';
import { OPUS_MAX_BYTES, OPUS_SILENT_BYTES, type Opus } from './opus.ts';

// opus_defines.h
const OPUS_OK = 0;
const APPLICATION_VOIP = 2048;
const SET_BITRATE = 4002;
const SET_COMPLEXITY = 4010;
const SET_INBAND_FEC = 4012;
const SET_PACKET_LOSS_PERC = 4014;
const SET_DTX = 4016;

/** Undefined where the machine has no libopus. */
export function loadLibopus(rate: number): Opus | undefined {
  let library: ReturnType<typeof koffi.load>;
  try {
    library = koffi.load('libopus.so.0');
  } catch {
    return undefined;
  }
  const createEncoder = library.func('void *opus_encoder_create(int, int, int, _Out_ int *)');
  const control = library.func('int opus_encoder_ctl(void *, int, ...)');
  const encode = library.func('int opus_encode(void *, const void *, int, void *, int)');
  const destroyEncoder = library.func('void opus_encoder_destroy(void *)');
  const createDecoder = library.func('void *opus_decoder_create(int, int, _Out_ int *)');
  const decode = library.func('int opus_decode(void *, const void *, int, void *, int, int)');
  const destroyDecoder = library.func('void opus_decoder_destroy(void *)');

  function create(make: (error: number[]) => unknown): unknown {
    const error = [OPUS_OK];
    const state = make(error);
    if (error[0] !== OPUS_OK) throw new Error(`libopus refused to start: error ${error[0]}`);
    return state;
  }

  return {
    rate,
    library: 'libopus',

    encoder({ bitrate, complexity, fec, expectedLoss, dtx = false }) {
      let state: unknown = create(error => createEncoder(rate, 1, APPLICATION_VOIP, error));
      const set = (request: number, value: number) => {
        const result: number = control(state, request, 'int', value);
        if (result !== OPUS_OK) throw new Error(`libopus refused setting ${request} = ${value}: error ${result}`);
      };
      set(SET_BITRATE, bitrate);
      set(SET_COMPLEXITY, complexity);
      set(SET_INBAND_FEC, fec ? 1 : 0);
      set(SET_PACKET_LOSS_PERC, expectedLoss);
      set(SET_DTX, dtx ? 1 : 0);
      return {
        rate,
        encode(samples, into) {
          const written: number = encode(state, samples, samples.length, into, Math.min(into.length, OPUS_MAX_BYTES));
          return written > (dtx ? OPUS_SILENT_BYTES : 0) ? written : 0;
        },
        expectLoss: percent => set(SET_PACKET_LOSS_PERC, percent),
        close() {
          if (state !== undefined) destroyEncoder(state);
          state = undefined;
        },
      };
    },

    decoder() {
      let state: unknown = create(error => createDecoder(rate, 1, error));
      const maxSamples = (rate * MAX_PACKET_MS) / 1000;
      return {
        rate,
        decode(payload, into) {
          // An empty payload would mean "conceal" to libopus.
          if (payload.length === 0) return BAD_PAYLOAD;
          const written: number = decode(state, payload, payload.length, into, maxSamples, 0);
          return written > 0 ? written : BAD_PAYLOAD;
        },
        conceal(into, samples) {
          return Math.max(0, decode(state, null, 0, into, samples, 0));
        },
        recover(following, into, samples) {
          const written: number = decode(state, following, following.length, into, samples, 1);
          return written > 0 ? written : Math.max(0, decode(state, null, 0, into, samples, 0));
        },
        close() {
          if (state !== undefined) destroyDecoder(state);
          state = undefined;
        },
      };
    },
  };
}
