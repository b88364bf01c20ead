/** Judges a whole fleet before a device sees it: every merged document against the schema. */
import type { Surroundings } from '../../firmware/config/check.ts';
import { isObject } from '../../firmware/config/document.ts';
import { parseConfig } from '../../firmware/config/parse.ts';
import { printProblems } from '../../firmware/config/problems.ts';
import type { DocumentFolder } from './folder.ts';

export interface FolderReport {
  devices: number;
  /** `front-door: mqtt.url: …`, one line a problem. Any of them makes a device refuse its document. */
  problems: string[];
  /** What is sound but perhaps not meant. */
  notes: string[];
}

/** Rejects when the folder itself cannot be read. */
export async function checkFolder(folder: DocumentFolder, surroundings: Surroundings): Promise<FolderReport> {
  const report: FolderReport = { devices: 0, problems: [], notes: [] };
  for (const id of await folder.devices()) {
    report.devices++;
    const found = await folder.find(id);
    if (found.is !== 'document') {
      report.problems.push(`${id}: ${found.is === 'broken' ? found.why : 'its file has gone'}`);
      continue;
    }
    const parsed = parseConfig(found.document, surroundings);
    if ('problems' in parsed) report.problems.push(...printProblems(parsed.problems).map(line => `${id}: ${line}`));
    const { device } = found.document;
    if (isObject(device) && device.id !== undefined && device.id !== id) {
      report.problems.push(`${id}: device.id: ${JSON.stringify(device.id)} is another device`);
    }
    if (found.token === undefined)
      report.notes.push(`${id} has no token: whoever reaches the server can read its passwords`);
  }
  return report;
}
