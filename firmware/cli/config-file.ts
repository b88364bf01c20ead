/** Reads a configuration file for the commands that need no running device. */

import { documentLimitBytes, type JsonObject, readDocument } from '../config/document.ts';
import { type Attempt, resolveLayers } from '../config/load.ts';
import { checkAction } from '../io/actions.ts';
import { systemFiles } from '../lib/atomic-file.ts';
import { CliError, EXIT_FAILED } from './environment.ts';

/** The document of a file that must be there. */
async function readConfigFile(file: string): Promise<JsonObject> {
  const bytes = await systemFiles.read(file, documentLimitBytes).catch((error: Error) => {
    throw new CliError(EXIT_FAILED, `${file} cannot be read: ${error.message}`);
  });
  if (bytes === undefined) throw new CliError(EXIT_FAILED, `there is no file ${file}`);
  const read = readDocument(bytes);
  if ('why' in read) throw new CliError(EXIT_FAILED, `${file} ${read.why}`);
  return read.document;
}

/** The file as a device would take it, with its board's layer; or the lines that say why not. */
export const resolveConfigFile = async (file: string, { board, checkBoard }: Pick<Attempt, 'board' | 'checkBoard'>) =>
  resolveLayers({ local: await readConfigFile(file), board, checkAction, ...(checkBoard && { checkBoard }) });
