/** The fleet as a folder: `site.json` < `groups/<group>.json` < `devices/<id>.json`, merged per device. */
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  canonical,
  documentLimitBytes,
  type JsonObject,
  mergePatch,
  readDocument,
} from '../../firmware/config/document.ts';
import { type Files, systemFiles } from '../../firmware/lib/atomic-file.ts';

/** What a file may say besides its part of the configuration. */
export interface LayerFile {
  /** Merged over the layers below (RFC 7396). */
  config: JsonObject;
  /** In `devices/` only: the file in `groups/` that lies between site and device. */
  group?: string;
  /** In `devices/` only: who does not present it is refused. */
  token?: string;
}

export type Found =
  | { is: 'document'; document: JsonObject; etag: string; group?: string; token?: string }
  | { is: 'unknown' }
  /** A file that cannot be used; `why` is a sentence for the log, naming the file. */
  | { is: 'broken'; why: string };

/** A device's id is a file name: nothing else gets near the file system. */
const idForm = /^[a-z0-9-]{1,63}$/;

const isDeviceId = (text: string): boolean => idForm.test(text);

export class DocumentFolder {
  readonly path: string;
  readonly #files: Files;

  constructor(path: string, files: Files = systemFiles) {
    this.path = path;
    this.#files = files;
  }

  /** Ids of the devices that have a file, sorted. Rejects when the folder cannot be read. */
  async devices(): Promise<string[]> {
    const names = await readdir(join(this.path, 'devices'));
    return names
      .filter(name => name.endsWith('.json'))
      .map(name => name.slice(0, -'.json'.length))
      .filter(isDeviceId)
      .sort();
  }

  /** Read from the files each time: an edit counts from the next request on. Never rejects. */
  async find(id: string): Promise<Found> {
    if (!isDeviceId(id)) return { is: 'unknown' };
    try {
      const device = await this.#read(join('devices', `${id}.json`), ['config', 'group', 'token']);
      if (device === undefined) return { is: 'unknown' };
      const { group, token } = device;
      const site = await this.#read('site.json', ['config']);
      const ofGroup = group === undefined ? undefined : await this.#group(id, group);
      const document = [site, ofGroup, device].reduce<JsonObject>(
        (merged, layer) => mergePatch(merged, layer?.config ?? {}) as JsonObject,
        {},
      );
      return {
        is: 'document',
        document,
        etag: `"${createHash('sha256').update(canonical(document)).digest('hex').slice(0, 16)}"`,
        ...(group !== undefined && { group }),
        ...(token !== undefined && { token }),
      };
    } catch (error) {
      return { is: 'broken', why: (error as Error).message };
    }
  }

  async #group(id: string, group: string): Promise<LayerFile> {
    if (!idForm.test(group)) throw new Error(`devices/${id}.json: ${JSON.stringify(group)} is not the name of a group`);
    const file = await this.#read(join('groups', `${group}.json`), ['config']);
    if (file === undefined)
      throw new Error(`devices/${id}.json names the group ${group}, but there is no groups/${group}.json`);
    return file;
  }

  /** Undefined where there is no such file. Throws, naming the file, where it is bad. */
  async #read(name: string, members: readonly string[]): Promise<LayerFile | undefined> {
    const bytes = await this.#files.read(join(this.path, name), documentLimitBytes);
    if (bytes === undefined) return undefined;
    const read = readDocument(bytes);
    if ('why' in read) throw new Error(`${name} ${read.why}`);
    const stray = Object.keys(read.document).find(key => !members.includes(key));
    if (stray !== undefined) {
      throw new Error(`${name} has a member ${JSON.stringify(stray)}; it may have ${members.join(', ')}`);
    }
    const { config = {}, group, token } = read.document;
    if (typeof config !== 'object' || config === null || Array.isArray(config))
      throw new Error(`${name}: config is not an object`);
    if (group !== undefined && typeof group !== 'string') throw new Error(`${name}: group is not a string`);
    if (token !== undefined && (typeof token !== 'string' || token === ''))
      throw new Error(`${name}: token is not a string`);
    return { config, ...(group !== undefined && { group }), ...(token !== undefined && { token }) };
  }
}
