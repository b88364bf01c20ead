/** Loudness by the card's own mixer, where it has one that counts in decibels: the rest is left to who asked. */
import type { AudioSpec, CardGain, CardLevel } from '../contracts.ts';
import { HalError } from '../contracts.ts';
import type { CardMixer, MixerElement, OpenMixer } from './mixer-library.ts';

/** What drivers call the last control before the loudspeaker, and the first after the microphone; the likeliest first. */
const LOUDSPEAKER = ['Speaker', 'Headphone', 'Headset', 'Master', 'PCM', 'Digital', 'Line Out', 'Lineout', 'Playback'];
const MICROPHONE = ['Mic', 'Headset', 'Capture', 'Digital', 'ADC', 'Line', 'PGA'];
/** Told in a fault. */
const MAX_NAMES = 8;

export interface Wanted {
  loudspeakerDb: number;
  microphoneDb: number;
}

/** `cards`: of both sides, as ALSA names them; undefined where a side is no card but a sound server. */
export function setCardGain(
  open: OpenMixer,
  { mixer: names = {} }: AudioSpec,
  cards: { capture: string | undefined; playback: string | undefined },
  { loudspeakerDb, microphoneDb }: Wanted,
): CardGain {
  const faults: string[] = [];
  const set = (side: MixerElement['side'], card: string | undefined, db: number): CardLevel | undefined => {
    const name = side === 'playback' ? names.loudspeaker : names.microphone;
    if (card === undefined) return undefined;
    let mixer: CardMixer | undefined;
    try {
      mixer = open(card);
      const found = choose(mixer, side, name);
      if (found !== undefined) return { name: found.name, db: found.set(db, side === 'playback') };
      const all = mixer.elements.filter(element => element.side === side).map(element => element.name);
      const known = all.slice(0, MAX_NAMES).join(', ') || 'none that counts in decibels';
      if (name !== undefined) faults.push(`the mixer of ${card} has no ${name}: it has ${known}`);
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      // A card without a mixer is no fault, unless one was named.
      if (name !== undefined || names.card !== undefined) faults.push(error.message);
    } finally {
      mixer?.close();
    }
    return undefined;
  };
  const loudspeaker = set('playback', names.card ?? cards.playback, loudspeakerDb);
  const microphone = set('capture', names.card ?? cards.capture, microphoneDb);
  return { faults, ...(loudspeaker && { loudspeaker }), ...(microphone && { microphone }) };
}

/** The one that is named, else the likeliest, else the only one. */
function choose({ elements }: CardMixer, side: MixerElement['side'], name: string | undefined) {
  const candidates = elements.filter(element => element.side === side);
  if (name !== undefined) return candidates.find(element => element.name === name);
  for (const likely of side === 'playback' ? LOUDSPEAKER : MICROPHONE) {
    const found = candidates.find(element => element.name === likely);
    if (found !== undefined) return found;
  }
  return candidates.length === 1 ? candidates[0] : undefined;
}
