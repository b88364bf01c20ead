/** What a board offers the firmware: lines, sound, a watchdog. Drivers implement this; nothing above knows how. */

/** Time as the board gives it. Injected everywhere, so that a test can move it by hand. */
export interface Clock {
  /** Milliseconds, monotonic, from an arbitrary start. */
  now(): number;
  /** Runs `task` once after `delayMs`; the returned function cancels it. `name` shows in diagnostics. */
  after(delayMs: number, task: () => void, name?: string): () => void;
}

export type HalErrorCode =
  /** Somebody else holds the line, card or device. */
  | 'busy'
  /** No such chip, line, card or device file. */
  | 'missing'
  /** No permission. */
  | 'denied'
  /** The driver, or a package or library it needs, cannot do this here. */
  | 'unsupported'
  /** It was there and has gone. */
  | 'gone'
  /** Anything else that the kernel said. */
  | 'io';

/** An error of the machine, with a code to decide on and a sentence that says what to do. */
export class HalError extends Error {
  readonly code: HalErrorCode;
  constructor(code: HalErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HalError';
    this.code = code;
  }
}

// ---- lines ---------------------------------------------------------------------------------------------------

/** Where a line is. `chip` is a label or name (`pinctrl-rp1`), never a number; `line` an offset or a line name. */
export interface LineAddress {
  chip: string;
  line: number | string;
  /** True where the physical low level means active. */
  activeLow?: boolean;
}

export interface InputSpec extends LineAddress {
  bias?: 'pull-up' | 'pull-down' | 'disabled';
  /** Kernel debounce, where the driver has it; `io/button` debounces again in any case. Milliseconds. */
  debounceMs?: number;
}

export interface OutputSpec extends LineAddress {
  drive?: 'push-pull' | 'open-drain' | 'open-source';
  /** The logical level that harms nobody: taken in the request itself, on close and after a crash. Default: false. */
  safe?: boolean;
}

/** A change of an input. `active` is logical (pressed, open, …), after `activeLow`. */
export interface Edge {
  active: boolean;
  atMs: number;
}

export interface DigitalInput {
  readonly name: string;
  /** The logical level now. Throws HalError when the line has gone. */
  read(): boolean;
  /** Calls `listener` for each edge, in order, until the returned function is called. Several may watch. */
  watch(listener: (edge: Edge) => void, onError?: (error: HalError) => void): () => void;
  close(): void;
}

export interface DigitalOutput {
  readonly name: string;
  readonly safe: boolean;
  /** Sets the logical level. Throws HalError. */
  write(active: boolean): void;
  /** The logical level as the driver knows it (read back from the kernel where that is possible). */
  read(): boolean;
  /** Drives the safe level, then lets the line go. Never throws. */
  close(): void;
}

export interface GpioDriver {
  readonly name: 'chardev' | 'sysfs' | 'simulated';
  /** Throws HalError: missing, busy, denied, unsupported. */
  openInput(name: string, spec: InputSpec): DigitalInput;
  /** The line has its safe level from the request on: it never flickers. Throws HalError. */
  openOutput(name: string, spec: OutputSpec): DigitalOutput;
}

// ---- sound ---------------------------------------------------------------------------------------------------

/** Mono, 16-bit signed, native byte order; a frame is 10 ms. */
export interface AudioFormat {
  /** Samples per second: 8000, 16000, 32000 or 48000. */
  rate: number;
  /** Samples in one frame: rate / 100. */
  frameSamples: number;
}

/** What suits the microphone and loudspeaker of a board; settings come first. */
export interface BoardAcoustics {
  echo?: 'auto' | 'off' | 'half duplex' | 'speex' | 'aec3' | 'two stage';
  noiseSuppression?: boolean;
  automaticGain?: boolean;
}

/** Which card, by which driver. Plain data: it crosses to the media thread. */
export interface AudioSpec {
  driver: 'alsa' | 'packages' | 'simulated';
  /** ALSA PCM names (`default`, `plughw:CARD=Device`); `none` where there is none; unused by the simulated driver. */
  capture: string;
  playback: string;
  rate: number;
  /** Milliseconds; the driver may take the nearest that the card offers. */
  periodMs: number;
  bufferMs: number;
  /** Simulated driver: a WAV to hear in a loop (absent: silence), and a WAV to write what was played (absent: none). */
  captureFile?: string;
  playbackFile?: string;
  /** Driver alsa: which half of a stereo pair is the microphone, or the loudspeaker. Absent: both. */
  microphoneSide?: StereoSide;
  loudspeakerSide?: StereoSide;
  /** Driver alsa: its mixer and what turns there; each absent: found by itself. `off`: the mixer is left alone. */
  mixer?: { off?: boolean; card?: string; loudspeaker?: string; microphone?: string };
  /** Driver alsa: the half that an amplifier of its own hangs on. Absent: there is none. */
  lineOutSide?: 'left' | 'right';
}

/** One control of a card's mixer, and how loud it is set, decibels. */
export interface CardLevel {
  name: string;
  db: number;
}

/** What the card itself does about loudness. A side that is absent does nothing, and is 0 dB. */
export interface CardGain {
  loudspeaker?: CardLevel;
  microphone?: CardLevel;
  /** What was named and cannot be had. */
  faults: readonly string[];
}

export type StereoSide = 'both' | 'left' | 'right';

/**
 * Called once per 10 ms frame, on the thread that owns the card: reads what the microphone heard and fills `toPlay` and
 * `lineOut` (given as silence; nobody hears the latter where there is no line out). The arrays belong to the driver and
 * are reused; nothing may keep them.
 */
export type AudioProcess = (captured: Int16Array, toPlay: Int16Array, lineOut: Int16Array) => void;

export type AudioStatus =
  | {
      is: 'up';
      capture: string;
      playback: string;
      format: AudioFormat;
      periodMs: number;
      bufferMs: number;
      /** One side cannot be used now, and is tried again; the other works. */
      without?: { side: 'capture' | 'playback'; why: string; code: HalErrorCode };
    }
  /** The card cannot be used now; frames go on at their pace with silence, and the driver tries again by itself. */
  | { is: 'down'; why: string; code: HalErrorCode }
  /** A gap in the sound that was healed. `side` says where. */
  | { is: 'xrun'; side: 'capture' | 'playback' };

export interface AudioCounters {
  frames: number;
  xruns: number;
  reopened: number;
  /** Frames that were made of silence because the card was away. */
  silentFrames: number;
  /** Samples added to or left out of the playback because its clock drifts from the microphone's. */
  driftSamples: number;
  /** By how much the loudspeaker's clock is slower than the microphone's, parts per million; 0 where it is the same. */
  driftPpm: number;
}

/**
 * A microphone and a loudspeaker under one clock. From `start` to `stop` frames come for ever at the frame rate,
 * also when the card is missing, vanishes and returns: a call outlives its sound card.
 */
export interface AudioDevice {
  readonly driver: AudioSpec['driver'];
  readonly format: AudioFormat;
  start(process: AudioProcess, onStatus: (status: AudioStatus) => void): void;
  /** Resolves when the card is closed and nothing is armed any more. */
  stop(): Promise<void>;
  /** Milliseconds from `toPlay` being filled to its first sample leaving the loudspeaker; the best the driver knows. */
  playbackDelayMs(): number;
  /**
   * Within the process: milliseconds from now to the first sample of `toPlay` leaving the loudspeaker, as of this very
   * moment. However late a frame is made, now and this together are as steady as the card. Absent: `playbackDelayMs`.
   */
  heardInMs?(): number;
  /**
   * Has the card's mixer do what it can of this, and says what it does. To be asked again after each `up`: another card may
   * have come.
   */
  setGain(loudspeakerDb: number, microphoneDb: number): CardGain;
  readonly counters: AudioCounters;
}

// ---- watchdog ------------------------------------------------------------------------------------------------

export interface Watchdog {
  /** Opens and arms. Throws HalError. */
  start(timeoutMs: number): void;
  feed(): void;
  /** Disarms (magic close) and closes. Never throws. */
  stop(): void;
}

// ---- boards --------------------------------------------------------------------------------------------------

/** A board as data: names of the building to chip and line. One file each in `boards/`. */
export interface BoardDefinition {
  name: string;
  /** A sentence for the technician. */
  description: string;
  gpio: GpioDriver['name'];
  inputs: Record<string, InputSpec>;
  outputs: Record<string, OutputSpec>;
  audio: AudioSpec;
  acoustics?: BoardAcoustics;
  /** Device file, or absent. */
  watchdog?: string;
}

/** A line of the board that could not be opened, and why. */
export interface BoardFault {
  line: string;
  error: HalError;
}

/** An opened board: control-thread side. Sound is opened on the media thread from `definition.audio`. */
export interface Board {
  readonly definition: BoardDefinition;
  input(name: string): DigitalInput;
  output(name: string): DigitalOutput;
  readonly watchdog: Watchdog | undefined;
  /** Lines that could not be opened. The device starts without them; using one throws its error. */
  readonly faults: readonly BoardFault[];
  /** Hears of a line that could be opened after all: asked for by its name, it is the real one from now on. */
  onMended: (line: string) => void;
  /** Present only on the simulated board: moves an input as a hand would. */
  readonly hand?: { set(input: string, active: boolean): void };
  /** Every output to its safe level, every line let go. Never throws. */
  close(): void;
}
