/** libasound through koffi: one open stream is an object, results are ALSA's own (negative errno). Nothing blocks. */
import type { HalErrorCode } from '../contracts.ts';
import { HalError } from '../contracts.ts';
import { loadKoffi } from '../native.ts';

export type Side = 'capture' | 'playback';

export interface PcmRequest {
  name: string;
  side: Side;
  rate: number;
  periodFrames: number;
  bufferFrames: number;
  /** Playback begins by itself once so much is written. Frames. */
  startFrames: number;
  /** The halves of a stereo pair are wanted one by one: mono is second choice. */
  stereo: boolean;
}

/** One open stream, non-blocking, 16-bit interleaved. Counts are in frames: one sample of each channel. */
export interface Pcm {
  /** Samples per second of one channel: that of the request, or the one that the card has. */
  readonly rate: number;
  readonly channels: number;
  /** As ALSA names it, `hw:1`; undefined where it is a sound server. */
  readonly card: string | undefined;
  readonly periodFrames: number;
  readonly bufferFrames: number;
  /** Frames that can be read or written now, asked of the hardware; or a negative errno. */
  available(): number;
  /** Frames read into, or written from, the begin of `samples`; or a negative errno. */
  read(samples: Int16Array, frames: number): number;
  write(samples: Int16Array, frames: number): number;
  /** Frames until what is written now is heard; or a negative errno. */
  delay(): number;
  start(): number;
  /** After an xrun or a suspend: empty and ready to start. */
  prepare(): number;
  close(): void;
}

/** What opens streams. Throws HalError. A test plays it with cards of its own. */
export type OpenPcm = (request: PcmRequest) => Pcm;

/** errno of asm-generic/errno.h, as ALSA returns them. */
export const EAGAIN = -11;
/** An overrun or underrun. */
export const EPIPE = -32;
/** The system slept. */
export const ESTRPIPE = -86;

const ENXIO = -6;
const ENODEV = -19;

const CODES: Record<number, HalErrorCode> = {
  [-1]: 'denied',
  [-2]: 'missing',
  [ENXIO]: 'missing',
  [-13]: 'denied',
  [-16]: 'busy',
  [ENODEV]: 'gone',
  [-77]: 'gone',
  [-22]: 'unsupported',
};

const CAPTURE = 1;
const PLAYBACK = 0;
const NONBLOCK = 1;
const FORMAT_S16_LE = 2;
const ACCESS_RW_INTERLEAVED = 3;
/** Mono where the card has it; a card that has only stereo gets the same on both sides and is heard as their mean. */
const CHANNELS = [1, 2, 3, 4, 6, 8];
/** The halves of a pair: of more channels the first two. */
const STEREO_CHANNELS = [2, 3, 4, 6, 8, 1];
/** Where a card has not the rate that is wanted; the first ones are easiest to convert. Samples per second. */
const OTHER_RATES = [48_000, 32_000, 16_000, 44_100, 96_000, 24_000, 22_050, 11_025, 8000];

/** Throws HalError `unsupported` where koffi or libasound are not installed. */
export function loadAlsa(): OpenPcm {
  const library = bind();
  return request => openPcm(library, request);
}

function bind() {
  const koffi = loadKoffi();
  let libasound: ReturnType<typeof koffi.load>;
  try {
    libasound = koffi.load('libasound.so.2');
  } catch (error) {
    throw new HalError('unsupported', 'libasound.so.2 is not installed: install the package libasound2', {
      cause: error,
    });
  }
  const f = (prototype: string) => libasound.func(prototype);
  // libasound would print each failure on standard error, at every retry; it returns them as well, and we tell them. The
  // handler must be C, since plug-ins call it on threads of their own: getpid takes nothing and harms nothing.
  f('int snd_lib_error_set_handler(void *handler)')(koffi.load('libc.so.6').symbol('getpid', 'void *'));
  return {
    open: f('int snd_pcm_open(_Out_ void **pcm, const char *name, int stream, int mode)'),
    close: f('int snd_pcm_close(void *pcm)'),
    drop: f('int snd_pcm_drop(void *pcm)'),
    strerror: f('const char *snd_strerror(int error)'),
    hwSize: f('size_t snd_pcm_hw_params_sizeof()'),
    hwAny: f('int snd_pcm_hw_params_any(void *pcm, void *params)'),
    hwAccess: f('int snd_pcm_hw_params_set_access(void *pcm, void *params, int access)'),
    hwFormat: f('int snd_pcm_hw_params_set_format(void *pcm, void *params, int format)'),
    hwChannels: f('int snd_pcm_hw_params_set_channels(void *pcm, void *params, unsigned int channels)'),
    hwResample: f('int snd_pcm_hw_params_set_rate_resample(void *pcm, void *params, unsigned int yes)'),
    hwRate: f('int snd_pcm_hw_params_set_rate(void *pcm, void *params, unsigned int rate, int direction)'),
    hwPeriod: f(
      'int snd_pcm_hw_params_set_period_size_near(void *pcm, void *params, _Inout_ unsigned long *frames, _Inout_ int *direction)',
    ),
    hwBuffer: f('int snd_pcm_hw_params_set_buffer_size_near(void *pcm, void *params, _Inout_ unsigned long *frames)'),
    hwSet: f('int snd_pcm_hw_params(void *pcm, void *params)'),
    infoSize: f('size_t snd_pcm_info_sizeof()'),
    info: f('int snd_pcm_info(void *pcm, void *info)'),
    infoCard: f('int snd_pcm_info_get_card(const void *info)'),
    swSize: f('size_t snd_pcm_sw_params_sizeof()'),
    swCurrent: f('int snd_pcm_sw_params_current(void *pcm, void *params)'),
    swStart: f('int snd_pcm_sw_params_set_start_threshold(void *pcm, void *params, unsigned long frames)'),
    swAvailMin: f('int snd_pcm_sw_params_set_avail_min(void *pcm, void *params, unsigned long frames)'),
    swSet: f('int snd_pcm_sw_params(void *pcm, void *params)'),
    available: f('long snd_pcm_avail(void *pcm)'),
    delay: f('int snd_pcm_delay(void *pcm, _Out_ long *frames)'),
    read: f('long snd_pcm_readi(void *pcm, void *samples, unsigned long frames)'),
    write: f('long snd_pcm_writei(void *pcm, const void *samples, unsigned long frames)'),
    start: f('int snd_pcm_start(void *pcm)'),
    prepare: f('int snd_pcm_prepare(void *pcm)'),
  };
}

type Library = ReturnType<typeof bind>;

function openPcm(alsa: Library, request: PcmRequest): Pcm {
  const out: unknown[] = [null];
  check(
    alsa,
    request,
    'cannot be opened',
    alsa.open(out, request.name, request.side === 'capture' ? CAPTURE : PLAYBACK, NONBLOCK),
  );
  const pcm = out[0];
  try {
    const { rate, channels, periodFrames, bufferFrames } = setHardware(alsa, pcm, request);
    const startFrames = Math.round((request.startFrames * rate) / request.rate);
    setSoftware(alsa, pcm, request, Math.min(startFrames, bufferFrames), periodFrames);
    const delay = [0];
    return {
      rate,
      channels,
      card: cardOf(alsa, pcm),
      periodFrames,
      bufferFrames,
      available: () => Number(alsa.available(pcm)),
      read: (samples, frames) => Number(alsa.read(pcm, samples, frames)),
      write: (samples, frames) => Number(alsa.write(pcm, samples, frames)),
      delay() {
        const result = alsa.delay(pcm, delay);
        return result < 0 ? result : Number(delay[0]);
      },
      start: () => alsa.start(pcm),
      prepare: () => alsa.prepare(pcm),
      close() {
        // Without the drop, closing waits until the loudspeaker has played what is left.
        alsa.drop(pcm);
        alsa.close(pcm);
      },
    };
  } catch (error) {
    alsa.close(pcm);
    throw error;
  }
}

function setHardware(alsa: Library, pcm: unknown, request: PcmRequest) {
  const must = (why: string, result: number) => check(alsa, request, why, result);
  const params = Buffer.alloc(Number(alsa.hwSize()));
  must('has no configuration', alsa.hwAny(pcm, params));
  must('has no interleaved access', alsa.hwAccess(pcm, params, ACCESS_RW_INTERLEAVED));
  must('has no 16-bit samples; name it with plughw:', alsa.hwFormat(pcm, params, FORMAT_S16_LE));
  const wanted = request.stereo ? STEREO_CHANNELS : CHANNELS;
  const channels = wanted.find(count => alsa.hwChannels(pcm, params, count) >= 0);
  if (channels === undefined) must('has no number of channels that is known here; name it with plughw:', -22);
  // ALSA's own conversion joins samples by straight lines, which is heard; ours is not.
  alsa.hwResample(pcm, params, 0);
  const rate = [request.rate, ...OTHER_RATES].find(other => alsa.hwRate(pcm, params, other, 0) >= 0);
  if (rate === undefined) must('has none of the usual rates; name it with plughw:', -22);
  const inCard = (frames: number) => Math.round((frames * (rate ?? 0)) / request.rate);
  const period = [inCard(request.periodFrames)];
  const buffer = [inCard(request.bufferFrames)];
  must('has no such period', alsa.hwPeriod(pcm, params, period, [0]));
  must('has no such buffer', alsa.hwBuffer(pcm, params, buffer));
  must('refuses its parameters', alsa.hwSet(pcm, params));
  return {
    rate: rate ?? request.rate,
    channels: channels ?? 1,
    periodFrames: Number(period[0]),
    bufferFrames: Number(buffer[0]),
  };
}

function cardOf(alsa: Library, pcm: unknown): string | undefined {
  const info = Buffer.alloc(Number(alsa.infoSize()));
  if (alsa.info(pcm, info) < 0) return undefined;
  const card: number = alsa.infoCard(info);
  return card < 0 ? undefined : `hw:${card}`;
}

function setSoftware(alsa: Library, pcm: unknown, request: PcmRequest, startFrames: number, periodFrames: number) {
  const must = (result: number) => check(alsa, request, 'refuses its thresholds', result);
  const params = Buffer.alloc(Number(alsa.swSize()));
  must(alsa.swCurrent(pcm, params));
  must(alsa.swStart(pcm, params, startFrames));
  must(alsa.swAvailMin(pcm, params, periodFrames));
  must(alsa.swSet(pcm, params));
}

/** The HalError of a negative result. */
export function alsaError(what: string, result: number, sentence = `error ${-result}`): HalError {
  return new HalError(CODES[result] ?? 'io', `${what}: ${sentence}`);
}

function check(alsa: Library, { name, side }: PcmRequest, why: string, result: number): number {
  // ENODEV of a stream that is being opened: nothing was there to go.
  if (result < 0) throw alsaError(`${side} ${name} ${why}`, result === ENODEV ? ENXIO : result, alsa.strerror(result));
  return result;
}
