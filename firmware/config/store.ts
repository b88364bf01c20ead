/** What the provisioning server said last, kept in the state directory so that a power cut leaves it whole. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Files, systemFiles, writeFileAtomic } from '../lib/atomic-file.ts';
import { canonical, checkDocument, documentLimitBytes, isObject, type JsonObject } from './document.ts';

/** A document that was accepted, and how it was got. */
export interface Provisioned {
  /** Names this content to people: the server's ETag without quotes, or a hash. */
  revision: string;
  /** As the server wrote it, for `If-None-Match`; absent where it gave none. */
  etag?: string;
  /** ISO 8601, UTC. */
  fetchedAt: string;
  document: JsonObject;
}

/** What is on the disk. `problem` says why the latest, or both, cannot be used. */
export interface Stored {
  latest?: Provisioned;
  previous?: Provisioned;
  problem?: string;
}

export type Saved = { saved: true } | { saved: false; code: string; why: string };

const format = 1;
/** The document, its envelope, and what escaping may add. */
const fileLimitBytes = 2 * documentLimitBytes;

export class ConfigStore {
  readonly #latest: string;
  readonly #previous: string;
  readonly #files: Files;

  /** `folder` must exist. */
  constructor(folder: string, files: Files = systemFiles) {
    this.#latest = join(folder, 'provisioned.json');
    this.#previous = join(folder, 'provisioned.previous.json');
    this.#files = files;
  }

  /** Never rejects: a file that is missing, torn or unreadable is left out and told in `problem`. */
  async load(): Promise<Stored> {
    const latest = await this.#read(this.#latest);
    const previous = await this.#read(this.#previous);
    const problems = [latest, previous].flatMap(result => (typeof result === 'string' ? [result] : []));
    return {
      ...(typeof latest === 'object' && { latest }),
      ...(typeof previous === 'object' && { previous }),
      ...(problems.length > 0 && { problem: problems.join('; ') }),
    };
  }

  /** Keeps a document as the latest, and the one before as the previous. Never rejects; on failure all is as before. */
  async save(next: Provisioned): Promise<Saved> {
    try {
      const latest = await this.#read(this.#latest);
      // Only a sound document may push out the last good one.
      if (typeof latest === 'object' && canonical(latest.document) !== canonical(next.document)) {
        await writeFileAtomic(this.#previous, print(latest), this.#files);
      }
      await writeFileAtomic(this.#latest, print(next), this.#files);
      return { saved: true };
    } catch (error) {
      const { code = 'EIO', message } = error as NodeJS.ErrnoException;
      return { saved: false, code, why: message };
    }
  }

  /** The file's content, undefined where there is none, or why it cannot be used. */
  async #read(path: string): Promise<Provisioned | string | undefined> {
    try {
      const bytes = await this.#files.read(path, fileLimitBytes);
      return bytes && (parse(bytes) ?? `${path} is damaged`);
    } catch (error) {
      return `${path} cannot be read: ${(error as Error).message}`;
    }
  }
}

const checksum = (entry: Provisioned) =>
  createHash('sha256')
    .update(canonical({ ...entry }))
    .digest('hex');

const print = (entry: Provisioned) =>
  new TextEncoder().encode(`${JSON.stringify({ format, sha256: checksum(entry), ...entry }, null, 1)}\n`);

function parse(bytes: Uint8Array): Provisioned | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
  if (!isObject(value) || value.format !== format) return undefined;
  const { revision, etag, fetchedAt, sha256 } = value;
  const checked = checkDocument(value.document);
  if (typeof revision !== 'string' || typeof fetchedAt !== 'string' || 'why' in checked) return undefined;
  if (etag !== undefined && typeof etag !== 'string') return undefined;
  const entry = { revision, ...(etag !== undefined && { etag }), fetchedAt, document: checked.document };
  return checksum(entry) === sha256 ? entry : undefined;
}
