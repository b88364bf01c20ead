/** Which devices exist and what each was last heard to run. Kept in memory: a device reports again at its next poll. */

export interface Sighting {
  /** ISO 8601, UTC. */
  lastSeen: string;
  /** What the device said it runs (`Porter-Revision`); absent before its first document. */
  revision?: string;
  /** The revision that it could not take (`Porter-Refused`); absent where all is well. */
  refused?: string;
  userAgent?: string;
}

export interface InventoryLine extends Partial<Sighting> {
  id: string;
  group?: string;
  /** What the folder holds for it now; absent where its files are bad. */
  offered?: string;
}

const textLimit = 128;

export class Inventory {
  readonly #sightings = new Map<string, Sighting>();

  /** Only for ids that the folder has: strangers cannot fill the memory. */
  saw(id: string, atMs: number, said: Omit<Sighting, 'lastSeen'>): void {
    const bounded = Object.entries(said).flatMap(([key, text]) =>
      text === undefined ? [] : [[key, text.slice(0, textLimit)]],
    );
    this.#sightings.set(id, { lastSeen: new Date(atMs).toISOString(), ...Object.fromEntries(bounded) });
  }

  of(id: string): Sighting | undefined {
    return this.#sightings.get(id);
  }
}
