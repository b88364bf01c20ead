/**
 * Loudness by the card's own mixer. The card is set as loud as the loudest that may come (an emergency page in a noisy
 * place); what is to be softer is made so in numbers, at once and each by itself.
 */
import type { CardGain } from '../../hal/contracts.ts';
import type { MediaSettings } from './protocol.ts';

export type SetCardGain = (loudspeakerDb: number, microphoneDb: number) => CardGain;

export class CardLoudness {
  readonly #settings: Pick<MediaSettings, 'acoustics' | 'paging'>;
  readonly #set: SetCardGain;
  #gain: CardGain = { faults: [] };

  constructor(settings: Pick<MediaSettings, 'acoustics' | 'paging'>, set: SetCardGain = () => ({ faults: [] })) {
    this.#settings = settings;
    this.#set = set;
  }

  /** After the card came up, and when the volume is changed. */
  apply(loudspeakerDb: number, microphoneDb: number) {
    this.#gain = this.#set(loudestDb(this.#settings, loudspeakerDb), microphoneDb);
  }

  /** What the card does, decibels. */
  get loudspeakerDb() {
    return this.#gain.loudspeaker?.db ?? 0;
  }

  get microphoneDb() {
    return this.#gain.microphone?.db ?? 0;
  }

  get faults() {
    return this.#gain.faults;
  }

  /** What turns where, and how far. */
  get report(): Pick<CardGain, 'loudspeaker' | 'microphone'> {
    const { loudspeaker, microphone } = this.#gain;
    return { ...(loudspeaker && { loudspeaker }), ...(microphone && { microphone }) };
  }
}

function loudestDb({ acoustics, paging }: Pick<MediaSettings, 'acoustics' | 'paging'>, loudspeakerDb: number): number {
  let loudest = loudspeakerDb + (acoustics?.volumeFollowsNoise.upToDb ?? 0);
  if (paging === undefined || paging.groups.length === 0) return loudest;
  const groupDb = Math.max(...paging.groups.map(group => group.volumeDb));
  for (const { volumeDb, leastDb } of Object.values(paging.levels))
    loudest = Math.max(loudest, loudspeakerDb + volumeDb + groupDb, leastDb);
  return loudest;
}
