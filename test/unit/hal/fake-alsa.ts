/** Sound cards as libasound shows them, on a virtual clock: their own crystals, xruns, unplugging, silence. */
import type { OpenPcm, Pcm, PcmRequest, Side } from '../../../hal/audio/alsa-library.ts';
import { alsaError, EAGAIN, EPIPE } from '../../../hal/audio/alsa-library.ts';
import type { Clock } from '../../../hal/contracts.ts';

const ENODEV = -19;

export interface FakeCard {
  /** Parts per million by which this side's crystal runs fast. */
  ppm: Record<Side, number>;
  channels: number;
  /** The one rate that the card has; absent: any. */
  rate?: number;
  /** The only period that the card has, in frames: the microphone's samples come in such lumps. */
  period?: number;
  /** The n-th sample that the microphone hears. */
  hears: (n: number, channel: number) => number;
  /** Everything the loudspeaker has played: first channel, from its first start on; and the second. */
  played: number[];
  playedRight: number[];
  /** The result of opening, below zero for an error. */
  opens: number;
  /** `mute`: opens and starts, and never has data. */
  state: 'plugged' | 'unplugged' | 'mute';
  /** The one side that is away, with a card of its own. */
  away?: Side;
  /** The microphone withholds the newest samples, as a busy sound server does. */
  lateMs: number;
  openStreams: number;
  underruns: number;
  overruns: number;
}

export function fakeCards(clock: Clock) {
  const card: FakeCard = {
    ppm: { capture: 0, playback: 0 },
    channels: 1,
    hears: () => 0,
    played: [],
    playedRight: [],
    opens: 0,
    state: 'plugged',
    lateMs: 0,
    openStreams: 0,
    underruns: 0,
    overruns: 0,
  };
  const open: OpenPcm = request => {
    const result = card.state === 'unplugged' || card.away === request.side ? -2 : card.opens;
    if (result < 0) throw alsaError(`${request.side} ${request.name} cannot be opened`, result);
    card.openStreams++;
    return request.side === 'capture' ? microphone(card, clock, request) : loudspeaker(card, clock, request);
  };
  return { card, open };
}

function stream(card: FakeCard, clock: Clock, request: PcmRequest) {
  const { side, rate: wanted } = request;
  const rate = card.rate ?? wanted;
  const [periodFrames, bufferFrames] = [request.periodFrames, request.bufferFrames].map(frames =>
    Math.round((frames * rate) / wanted),
  ) as [number, number];
  let startedMs: number | undefined;
  let open = true;
  let position = 0;
  return {
    shape: { rate, card: 'hw:1', channels: card.channels, periodFrames: card.period ?? periodFrames, bufferFrames },
    get running() {
      return startedMs !== undefined;
    },
    run() {
      startedMs = clock.now();
      position = 0;
    },
    rest() {
      startedMs = undefined;
    },
    /** Frames by this side's crystal since it was started. */
    position() {
      if (startedMs === undefined || card.state === 'mute') return position;
      position = Math.floor(((clock.now() - startedMs) / 1000) * rate * (1 + card.ppm[side] / 1e6) + 1e-6);
      return position;
    },
    gone: () => card.state === 'unplugged' || card.away === side,
    close() {
      if (open) card.openStreams--;
      open = false;
    },
  };
}

function microphone(card: FakeCard, clock: Clock, request: PcmRequest): Pcm {
  const base = stream(card, clock, request);
  const { channels, bufferFrames } = base.shape;
  let read = 0;
  let overrun = false;
  const waiting = () => {
    if (base.gone()) return ENODEV;
    const position = Math.max(read, base.position() - (card.lateMs * base.shape.rate) / 1000);
    if (position - read > bufferFrames && !overrun) {
      overrun = true;
      card.overruns++;
    }
    return overrun ? EPIPE : position - (position % (card.period ?? 1)) - read;
  };
  return {
    ...base.shape,
    available: waiting,
    read(samples, frames) {
      const count = Math.min(waiting(), frames);
      if (count === 0) return EAGAIN;
      for (let i = 0; i < count; i++) {
        for (let channel = 0; channel < channels; channel++)
          samples[i * channels + channel] = card.hears(read + i, channel);
      }
      read += Math.max(0, count);
      return count;
    },
    write: () => -77,
    delay: () => -77,
    start() {
      if (base.gone()) return ENODEV;
      base.run();
      read = 0;
      return 0;
    },
    prepare() {
      overrun = false;
      base.rest();
      return base.gone() ? ENODEV : 0;
    },
    close: base.close,
  };
}

function loudspeaker(card: FakeCard, clock: Clock, request: PcmRequest): Pcm {
  const base = stream(card, clock, request);
  const { channels, bufferFrames } = base.shape;
  let waiting: number[] = [];
  let waitingRight: number[] = [];
  let consumed = 0;
  let underrun = false;
  function play() {
    const due = base.position() - consumed;
    const samples = waiting.slice(0, due);
    waiting = waiting.slice(due);
    card.played.push(...samples);
    card.playedRight.push(...waitingRight.slice(0, due));
    waitingRight = waitingRight.slice(due);
    consumed += samples.length;
    if (base.running && due > samples.length) {
      underrun = true;
      card.underruns++;
      base.rest();
    }
  }
  const state = () => {
    if (base.gone()) return ENODEV;
    play();
    return underrun ? EPIPE : 0;
  };
  return {
    ...base.shape,
    available: () => state() || bufferFrames - waiting.length,
    read: () => -77,
    write(samples, frames) {
      const error = state();
      if (error < 0) return error;
      const count = Math.min(frames, bufferFrames - waiting.length);
      if (count === 0) return EAGAIN;
      for (let i = 0; i < count; i++) {
        waiting.push(samples[i * channels]!);
        if (channels > 1) waitingRight.push(samples[i * channels + 1]!);
      }
      if (!base.running && waiting.length >= (request.startFrames * base.shape.rate) / request.rate) {
        base.run();
        consumed = 0;
      }
      return count;
    },
    delay: () => state() || waiting.length,
    start: () => -77,
    prepare() {
      underrun = false;
      base.rest();
      waiting = [];
      waitingRight = [];
      return base.gone() ? ENODEV : 0;
    },
    close: base.close,
  };
}
