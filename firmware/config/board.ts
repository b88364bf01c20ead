/** The board as this device has it: its definition with what the configuration says otherwise. */
import { strict as assert } from 'node:assert';
import type { BoardDefinition, InputSpec, OutputSpec } from '../../hal/contracts.ts';
import type { Config } from './schema.ts';

/** Takes a configuration that was checked against the lines of this definition. */
export function configuredBoard(definition: BoardDefinition, { board, audio }: Config): BoardDefinition {
  const inputs: Record<string, InputSpec> = { ...definition.inputs };
  for (const [name, { debounce, ...said }] of Object.entries(board.inputs)) {
    inputs[name] = addressed(`board.inputs.${name}`, {
      ...inputs[name],
      ...said,
      ...(debounce !== undefined && { debounceMs: debounce }),
    });
  }
  const outputs: Record<string, OutputSpec> = { ...definition.outputs };
  for (const [name, said] of Object.entries(board.outputs)) {
    outputs[name] = addressed(`board.outputs.${name}`, { ...outputs[name], ...said });
  }
  const { driver, capture, playback, rate, period, buffer, captureFile, playbackFile } = audio;
  return {
    ...definition,
    gpio: board.gpio ?? definition.gpio,
    inputs,
    outputs,
    audio: {
      driver: driver ?? definition.audio.driver,
      capture: capture ?? definition.audio.capture,
      playback: playback ?? definition.audio.playback,
      rate: rate ?? definition.audio.rate,
      periodMs: period ?? definition.audio.periodMs,
      bufferMs: buffer ?? definition.audio.bufferMs,
      ...(captureFile !== undefined && { captureFile }),
      ...(playbackFile !== undefined && { playbackFile }),
    },
  };
}

function addressed<Spec extends { chip?: string; line?: string | number }>(path: string, spec: Spec) {
  const { chip, line } = spec;
  assert(chip !== undefined && line !== undefined, `${path} names no chip and line`);
  return { ...spec, chip, line };
}
