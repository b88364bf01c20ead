/** Other people's ways to hide a lost packet, for the same packets: libspandsp's, the last packet once more, silence. */
import koffi from 'koffi';

/** Hears what was decoded, packet by packet, and fills in what is missing. Changes neither length nor time. */
export interface Concealment {
  good(samples: Int16Array): void;
  missing(samples: Int16Array): void;
}

export function plainRepeat(): Concealment {
  let last = new Int16Array(0);
  return {
    good(samples) {
      last = samples.slice();
    },
    missing(samples) {
      samples.set(last.subarray(0, samples.length));
    },
  };
}

/** plc.h of spandsp 0.0.6, made for 8000 samples a second. Undefined where the library is not installed. */
export function spandsp(): (() => Concealment) | undefined {
  let library: ReturnType<typeof koffi.load>;
  try {
    library = koffi.load('libspandsp.so.2');
  } catch {
    return undefined;
  }
  const init = library.func('void *plc_init(void *)');
  const rx = library.func('int plc_rx(void *, _Inout_ int16_t *, int)');
  const fillIn = library.func('int plc_fillin(void *, _Out_ int16_t *, int)');
  return () => {
    const state: unknown = init(null);
    return {
      good: samples => void rx(state, samples, samples.length),
      missing: samples => void fillIn(state, samples, samples.length),
    };
  };
}
