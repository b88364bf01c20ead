/** Which devices exist and what each was last heard to run. Kept in memory: a device reports again at its next poll. */

export interface Sighting {
  /** ISO 8601, UTC. */
  lastSeen: string;
  /** What the device said it runs (`Porter-Revision`); absent before its first document. */
  revision?: string;
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
  saw(id: string, atMs: number, revision: string | undefined, userAgent: string | undefined): void {
    this.#sightings.set(id, {
      lastSeen: new Date(atMs).toISOString(),
      ...(revision !== undefined && { revision: revision.slice(0, textLimit) }),
      ...(userAgent !== undefined && { userAgent: userAgent.slice(0, textLimit) }),
    });
  }

  of(id: string): Sighting | undefined {
    return this.#sightings.get(id);
  }
}
