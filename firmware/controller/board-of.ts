/** The board that the configuration means: a definition with its own lines changed or added. */
import type { BoardDefinition, InputSpec, LineAddress, OutputSpec } from '../../hal/contracts.ts';
import type { Config } from '../config/schema.ts';

export function boardOf(definition: BoardDefinition, { board }: Config): BoardDefinition {
  const inputs: Record<string, InputSpec> = { ...definition.inputs };
  for (const [name, { debounce, ...changes }] of Object.entries(board.inputs)) {
    const spec: InputSpec = { ...whole(name, inputs[name], changes), ...defined(changes) };
    inputs[name] = debounce === undefined ? spec : { ...spec, debounceMs: debounce };
  }
  const outputs: Record<string, OutputSpec> = { ...definition.outputs };
  for (const [name, changes] of Object.entries(board.outputs))
    outputs[name] = { ...whole(name, outputs[name], changes), ...defined(changes) };
  return { ...definition, gpio: board.gpio ?? definition.gpio, inputs, outputs };
}

/** A line of our own needs a chip and an offset; where one is missing, opening it says so. */
function whole<Spec extends LineAddress>(name: string, known: Spec | undefined, changes: Partial<LineAddress>) {
  return known ?? { chip: changes.chip ?? 'unnamed', line: changes.line ?? name };
}

const defined = <T extends object>(changes: T) =>
  Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)) as T;
