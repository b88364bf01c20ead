/** The mixer of a sound card by libasound's snd_mixer through koffi: what turns in decibels, set and read. */
import { HalError } from '../contracts.ts';
import { loadKoffi } from '../native.ts';

/** One control of a card on one side of it. Decibels. */
export interface MixerElement {
  readonly name: string;
  readonly side: 'capture' | 'playback';
  readonly minDb: number;
  readonly maxDb: number;
  /** Unmutes it, sets the nearest step (`up`: that is not lower; else not higher), and returns what it has then. */
  set(db: number, up: boolean): number;
}

/** An opened mixer. Elements live until `close`. */
export interface CardMixer {
  readonly elements: readonly MixerElement[];
  close(): void;
}

/** `card`: as ALSA names it, `hw:1`. Throws HalError where there is no mixer. A test plays it. */
export type OpenMixer = (card: string) => CardMixer;

/** A scale that ends below this, or is narrower, is one that its maker got wrong. Decibels. */
const LEAST_MAX_DB = -40;
const LEAST_RANGE_DB = 3;
/** No card has more; a plug-in gone mad might. */
const MAX_ELEMENTS = 200;
const FIRST_CHANNEL = 0;
/** libasound counts in hundredths. */
const HUNDRED = 100;

/** Throws HalError `unsupported` where koffi or libasound are not installed, or libasound was built without mixers. */
export function loadMixer(): OpenMixer {
  const library = bound();
  return card => openMixer(library, card);
}

function bound() {
  const koffi = loadKoffi();
  try {
    return bind(koffi);
  } catch (error) {
    throw new HalError('unsupported', 'libasound has no mixer', { cause: error });
  }
}

function bind(koffi: ReturnType<typeof loadKoffi>) {
  const libasound = koffi.load('libasound.so.2');
  const f = (prototype: string) => libasound.func(prototype);
  const both = <T>(make: (side: 'playback' | 'capture') => T) => ({
    playback: make('playback'),
    capture: make('capture'),
  });
  return {
    open: f('int snd_mixer_open(_Out_ void **mixer, int mode)'),
    attach: f('int snd_mixer_attach(void *mixer, const char *card)'),
    register: f('int snd_mixer_selem_register(void *mixer, void *options, void *classp)'),
    load: f('int snd_mixer_load(void *mixer)'),
    close: f('int snd_mixer_close(void *mixer)'),
    strerror: f('const char *snd_strerror(int error)'),
    first: f('void *snd_mixer_first_elem(void *mixer)'),
    next: f('void *snd_mixer_elem_next(void *element)'),
    name: f('const char *snd_mixer_selem_get_name(void *element)'),
    hasVolume: both(side => f(`int snd_mixer_selem_has_${side}_volume(void *element)`)),
    hasSwitch: both(side => f(`int snd_mixer_selem_has_${side}_switch(void *element)`)),
    setSwitch: both(side => f(`int snd_mixer_selem_set_${side}_switch_all(void *element, int on)`)),
    range: both(side =>
      f(`int snd_mixer_selem_get_${side}_dB_range(void *element, _Out_ long *least, _Out_ long *most)`),
    ),
    set: both(side => f(`int snd_mixer_selem_set_${side}_dB_all(void *element, long value, int direction)`)),
    get: both(side => f(`int snd_mixer_selem_get_${side}_dB(void *element, int channel, _Out_ long *value)`)),
  };
}

type Library = ReturnType<typeof bind>;

function openMixer(alsa: Library, card: string): CardMixer {
  const out: unknown[] = [null];
  const must = (result: number) => {
    if (result < 0) throw new HalError('missing', `the mixer of ${card}: ${alsa.strerror(result)}`);
  };
  must(alsa.open(out, 0));
  const mixer = out[0];
  try {
    must(alsa.attach(mixer, card));
    must(alsa.register(mixer, null, null));
    must(alsa.load(mixer));
    return { elements: elementsOf(alsa, mixer), close: () => alsa.close(mixer) };
  } catch (error) {
    alsa.close(mixer);
    throw error;
  }
}

function elementsOf(alsa: Library, mixer: unknown): MixerElement[] {
  const elements: MixerElement[] = [];
  let element = alsa.first(mixer);
  for (let count = 0; element !== null && count < MAX_ELEMENTS; count++) {
    for (const side of ['playback', 'capture'] as const) {
      const found = elementOf(alsa, element, side);
      if (found !== undefined) elements.push(found);
    }
    element = alsa.next(element);
  }
  return elements;
}

/** Undefined where it has no decibels on this side. */
function elementOf(alsa: Library, element: unknown, side: MixerElement['side']): MixerElement | undefined {
  if (!alsa.hasVolume[side](element)) return undefined;
  const [least, most] = [[0], [0]];
  if (alsa.range[side](element, least, most) < 0) return undefined;
  const [minDb, maxDb] = [Number(least[0]) / HUNDRED, Number(most[0]) / HUNDRED];
  if (maxDb < LEAST_MAX_DB || maxDb - minDb < LEAST_RANGE_DB) return undefined;
  return {
    name: alsa.name(element) ?? '',
    side,
    minDb,
    maxDb,
    set(db, up) {
      if (alsa.hasSwitch[side](element)) alsa.setSwitch[side](element, 1);
      alsa.set[side](element, Math.round(Math.min(maxDb, Math.max(minDb, db)) * HUNDRED), up ? 1 : -1);
      const value = [0];
      return alsa.get[side](element, FIRST_CHANNEL, value) < 0 ? 0 : Number(value[0]) / HUNDRED;
    },
  };
}
