/** What the device starts with: the best configuration that its layers give, and what was left out, and why. */
import type { BoardDefinition } from '../../hal/contracts.ts';
import { type Files, systemFiles } from '../lib/atomic-file.ts';
import type { Surroundings } from './check.ts';
import { documentLimitBytes, isObject, type JsonObject, readDocument } from './document.ts';
import { boardLayer, type Layers, mergeLayers, parseLayers } from './layers.ts';
import { printProblems } from './problems.ts';
import { type Config, schema } from './schema.ts';
import type { Provisioned, Stored } from './store.ts';

export interface Sources {
  /** The local document, already read; absent where there is none. */
  local?: JsonObject;
  stored: Stored;
  /** The board of this name, or undefined. */
  board(name: string): BoardDefinition | undefined;
  checkAction?: Surroundings['checkAction'];
  /** What is wrong with the board as this configuration wires it, as sentences. */
  checkBoard?(board: BoardDefinition, config: Config): string[];
}

export interface Loaded {
  config: Config;
  /** What `config` was made of. */
  layers: Layers;
  board: BoardDefinition;
  /** The provisioned document in use, if any. */
  provisioned?: Provisioned;
  /** Lines for a person, where anything had to be left out. Empty: all is well. */
  problems: string[];
}

/** Reads the local document. An absent file is an empty document; `why` is a whole sentence. */
export async function readLocal(
  path: string,
  files: Files = systemFiles,
): Promise<{ document: JsonObject } | { why: string }> {
  try {
    const bytes = await files.read(path, documentLimitBytes);
    if (bytes === undefined) return { document: {} };
    const read = readDocument(bytes);
    return 'why' in read ? { why: `${path} ${read.why}` } : read;
  } catch (error) {
    return { why: `${path} cannot be read: ${(error as Error).message}` };
  }
}

/**
 * Tries the layers together, then with ever fewer of them: a help point with yesterday's settings is worth more than
 * one that does not start. A caller with a person at hand may refuse to go on where `problems` is not empty.
 */
export function loadConfig(sources: Sources): Loaded {
  const { local, stored } = sources;
  const problems: string[] = stored.problem === undefined ? [] : [stored.problem];
  const candidates: [provisioned: Provisioned | undefined, local: JsonObject | undefined][] = [
    [stored.latest, local],
    [stored.previous, local],
    [undefined, local],
    [stored.latest, undefined],
    [stored.previous, undefined],
    [undefined, undefined],
  ];
  const tried = new Set<string>();
  for (const [provisioned, localDocument] of candidates) {
    const name = nameOf(provisioned, localDocument);
    if (tried.has(name)) continue;
    tried.add(name);
    const result = resolveLayers({ ...sources, provisioned: provisioned?.document, local: localDocument });
    if ('problems' in result) problems.push(...result.problems.map(line => `${name}: ${line}`));
    else return { ...result, ...(provisioned && { provisioned }), problems };
  }
  throw new Error(`the defaults themselves are refused: ${problems.join('; ')}`);
}

const nameOf = (provisioned: Provisioned | undefined, local: JsonObject | undefined) =>
  [provisioned && `provisioned ${provisioned.revision}`, local && 'local'].filter(Boolean).join(' + ') || 'defaults';

/** The documents of one attempt. */
export interface Attempt extends Pick<Sources, 'board' | 'checkAction' | 'checkBoard'> {
  provisioned?: JsonObject | undefined;
  local?: JsonObject | undefined;
}

/** Merges the layers, that of the named board included, and checks the whole. `problems` are lines for a person. */
export function resolveLayers(
  attempt: Attempt,
): { config: Config; layers: Layers; board: BoardDefinition } | { problems: string[] } {
  const { provisioned, local, checkAction } = attempt;
  const documents = { ...(provisioned && { provisioned }), ...(local && { local }) };
  const named = boardName(mergeLayers(documents));
  const board = attempt.board(named);
  if (board === undefined) return { problems: [`board.name: there is no board ${JSON.stringify(named)}`] };
  const layers: Layers = { board: boardLayer(board), ...documents };
  const lines = { inputs: Object.keys(board.inputs), outputs: Object.keys(board.outputs) };
  const parsed = parseLayers(layers, { lines, ...(checkAction && { checkAction }) });
  if ('problems' in parsed) return { problems: printProblems(parsed.problems) };
  const wired = attempt.checkBoard?.(board, parsed.config) ?? [];
  return wired.length > 0 ? { problems: wired } : { config: parsed.config, layers, board };
}

/** The name that the layers give the board; what is not a name is told when all of them are checked. */
function boardName(document: JsonObject): string {
  const { board } = document;
  const name = isObject(board) ? board.name : undefined;
  return typeof name === 'string' ? name.slice(0, 64) : schema.parse({}).board.name;
}
