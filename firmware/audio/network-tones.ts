/** Call progress tones by country, as its administration defines them: ITU-T E.180 Supplement 2 (01/94), data only. */
import { type Cadence, cadence, fainter, modulated, pause, sounding, steady } from './cadence.ts';

export type NetworkTones = Record<'dial' | 'ringback' | 'busy' | 'congestion' | 'waiting', Cadence>;

const hz400 = sounding(400);
const hz420 = sounding(420);
const hz425 = sounding(425);
const hz440 = sounding(440);
const hz450 = sounding(450);

/** The common tone of most of Europe, where a country has nothing else. */
const dial = steady(hz425);
const ringback = cadence(hz425, 1000, 4000);
const busy = cadence(hz425, 500, 500);
const congestion = cadence(hz425, 200, 200);

/** Australia writes 425 × 12.5 Hz: no carrier, two side bands (ACIF S002 §5). */
const hz425beating = sounding(413, 438);

const uk: NetworkTones = {
  dial: steady(sounding(350, 440)),
  ringback: cadence(sounding(400, 450), 400, 200, 400, 2000),
  busy: cadence(hz400, 375, 375),
  congestion: cadence(hz400, 400, 350, 225, 525),
  waiting: cadence(hz400, 100, 3000),
};

const us: NetworkTones = {
  dial: steady(sounding(350, 440)),
  ringback: cadence(sounding(440, 480), 2000, 4000),
  busy: cadence(sounding(480, 620), 500, 500),
  congestion: cadence(sounding(480, 620), 250, 250),
  waiting: cadence(hz440, 300, 9700),
};

export const networkTones = {
  /** ETSI TR 101 041-2, which most of Europe follows. */
  eu: { dial, ringback, busy, congestion: cadence(hz425, 250, 250), waiting: cadence(hz425, 200, 200, 200, 9000) },
  at: {
    dial: steady(hz420),
    ringback: cadence(hz420, 1000, 5000),
    busy: cadence(hz420, 400, 400),
    congestion: cadence(hz420, 200, 200),
    waiting: cadence(hz420, 40, 1960),
  },
  au: {
    dial: steady(hz425beating),
    ringback: cadence(hz425beating, 400, 200, 400, 2000),
    busy: cadence(hz425, 375, 375),
    // Every other one is 10 dB weaker (ACIF S002 §5).
    congestion: {
      repeats: true,
      parts: [{ partials: hz425, ms: 375 }, pause(375), { partials: fainter(hz425), ms: 375 }, pause(375)],
    },
    waiting: cadence(hz425, 200, 200, 200, 4400),
  },
  be: {
    dial,
    ringback: cadence(hz425, 1000, 3000),
    busy,
    congestion: cadence(hz425, 167, 167),
    waiting: cadence(sounding(1400), 175, 175, 175, 3500),
  },
  br: {
    dial,
    ringback,
    busy: cadence(hz425, 250, 250),
    congestion: cadence(hz425, 250, 250, 750, 250),
    waiting: cadence(hz425, 50, 1000),
  },
  ch: { dial, ringback, busy, congestion, waiting: cadence(hz425, 200, 200, 200, 4000) },
  cn: {
    dial: steady(hz450),
    ringback: cadence(hz450, 1000, 4000),
    busy: cadence(hz450, 350, 350),
    congestion: cadence(hz450, 700, 700),
    waiting: cadence(hz450, 400, 4000),
  },
  cz: {
    dial: cadence(hz425, 330, 330, 660, 660),
    ringback,
    busy: cadence(hz425, 330, 330),
    congestion: cadence(hz425, 165, 165),
    waiting: cadence(hz425, 330, 9000),
  },
  de: {
    dial,
    ringback,
    busy: cadence(hz425, 480, 480),
    congestion: cadence(hz425, 240, 240),
    waiting: cadence(hz425, 200, 200, 200, 5000),
  },
  dk: { dial, ringback, busy, congestion, waiting: cadence(hz425, 200, 600, 200, 3000) },
  es: {
    dial,
    ringback: cadence(hz425, 1500, 3000),
    busy: cadence(hz425, 200, 200),
    congestion: cadence(hz425, 200, 200, 200, 200, 200, 600),
    waiting: cadence(hz425, 175, 175, 175, 3500),
  },
  fi: {
    dial,
    ringback,
    busy: cadence(hz425, 300, 300),
    congestion,
    waiting: cadence(hz425, 150, 150, 150, 8000),
  },
  fr: {
    dial: steady(hz440),
    ringback: cadence(hz440, 1500, 3500),
    busy: cadence(hz440, 500, 500),
    congestion: cadence(hz440, 250, 250),
    waiting: cadence(hz440, 300, 10_000),
  },
  in: {
    dial: steady(modulated(400, 25)),
    ringback: cadence(modulated(400, 25), 400, 200, 400, 2000),
    busy: cadence(hz400, 750, 750),
    congestion: cadence(hz400, 250, 250),
    waiting: cadence(hz400, 200, 100, 200, 7500),
  },
  it: {
    dial: cadence(hz425, 200, 200, 600, 1000),
    ringback,
    busy,
    congestion,
    waiting: cadence(hz425, 400, 100, 250, 100, 150, 14_000),
  },
  jp: {
    dial: steady(hz400),
    ringback: cadence(modulated(400, 16), 1000, 2000),
    busy: cadence(hz400, 500, 500),
    congestion: cadence(hz400, 500, 500),
    waiting: cadence(modulated(400, 16), 500, 8000),
  },
  nl: { dial, ringback, busy, congestion: cadence(hz425, 250, 250), waiting: cadence(hz425, 500, 9500) },
  no: { dial, ringback, busy, congestion, waiting: cadence(hz425, 200, 600, 200, 10_000) },
  nz: {
    dial: steady(hz400),
    ringback: cadence(sounding(400, 450), 400, 200, 400, 2000),
    busy: cadence(hz400, 500, 500),
    congestion: cadence(hz400, 250, 250),
    waiting: cadence(hz400, 200, 3000),
  },
  pl: { dial, ringback, busy, congestion: busy, waiting: cadence(hz425, 150, 150, 150, 4000) },
  se: {
    dial,
    ringback: cadence(hz425, 1000, 5000),
    busy: cadence(hz425, 250, 250),
    congestion: cadence(hz425, 250, 750),
    waiting: cadence(hz425, 200, 500, 200, 9100),
  },
  uk,
  us,
  /** By their ISO 3166 letters. */
  gb: uk,
  ca: us,
} satisfies Record<string, NetworkTones>;
