/** Files that somebody has asked to hear: read first, then given to the player where they shall be heard, if that is still wanted. */
import type { Opus } from '../audio/codecs/opus.ts';
import type { Files } from './files.ts';
import type { Player } from './player.ts';
import type { Heard, MediaCommand, MediaEvent, StreamId } from './protocol.ts';
import { readSound } from './sound-file.ts';

export interface FilesToPlayParts {
  files: Files;
  opus: Opus | undefined;
  playerAt(at: Heard): Player | undefined;
  emit(event: MediaEvent): void;
}

type Asked = Extract<MediaCommand, { do: 'play file' }>;

export class FilesToPlay {
  readonly #parts: FilesToPlayParts;
  /** Being read, by id. */
  readonly #loading = new Map<string, Asked>();

  constructor(parts: FilesToPlayParts) {
    this.#parts = parts;
  }

  play(asked: Asked) {
    const { file, at, id } = asked;
    const { files, opus, playerAt } = this.#parts;
    if (this.#loading.has(id)) return this.#played(id, `a file with the id ${id} is being read already`);
    this.#loading.set(id, asked);
    readSound(files, file, opus, sound => {
      // Stopped meanwhile: that has been told. The next of this name may be on its way already.
      const isWanted = this.#loading.get(id) === asked;
      if (isWanted) this.#loading.delete(id);
      if ('why' in sound) return isWanted ? this.#played(id, sound.why) : undefined;
      const player = playerAt(at);
      if (isWanted && player !== undefined) return player.file(sound, id);
      sound.close?.();
      if (isWanted) this.#played(id, 'there is no such stream');
    });
  }

  #played(id: string, why: string) {
    this.#parts.emit({ is: 'played', id, why });
  }

  /** What is not read yet, and what plays. */
  stopAt(at: Heard) {
    this.#forget(loading => sameHeard(loading, at), 'stopped');
    this.#parts.playerAt(at)?.stop('stopped');
  }

  /** Its player closes by itself. */
  streamClosed(stream: StreamId) {
    this.#forget(at => at !== 'here' && at.stream === stream, 'the stream was closed');
  }

  stop() {
    this.#forget(() => true, 'stopped');
  }

  #forget(where: (at: Heard) => boolean, why: string) {
    for (const [id, { at }] of this.#loading) {
      if (!where(at)) continue;
      this.#loading.delete(id);
      this.#played(id, why);
    }
  }
}

const sameHeard = (a: Heard, b: Heard) => (a === 'here' || b === 'here' ? a === b : a.stream === b.stream);
