/** `porter audio graph`: the sound's ways through the device as they are now. */
import type { AudioGraph } from '../../controller/contracts.ts';
import { type AddCommand, CliError, EXIT_FAILED } from '../environment.ts';
import { which, withDevice } from '../running-device.ts';
import { plain, WIDTH } from '../text.ts';

export const addAudioGraph: AddCommand = (audio, environment) => {
  audio
    .command('graph')
    .description('each way of the sound, from its source to where it is heard')
    .option('--json', 'everything, for a program')
    .action(async ({ json }: { json?: true }, command) => {
      const graph = (await withDevice(which(command), environment, client => client.call('audio.graph'))) as
        | AudioGraph
        | { why: string };
      if ('why' in graph) throw new CliError(EXIT_FAILED, graph.why);
      environment.out(json ? `${JSON.stringify(graph, null, 2)}\n` : `${graph.ways.flatMap(showWay).join('\n')}\n`);
    });
};

/** On one line where it fits; else broken before an arrow. */
function showWay(way: readonly string[]): string[] {
  const lines: string[] = [];
  let line = '';
  for (const [index, place] of way.entries()) {
    const next = index === 0 ? plain(place) : ` → ${plain(place)}`;
    if (index > 0 && line.length + next.length > WIDTH) {
      lines.push(line);
      line = ` ${next}`;
    } else line += next;
  }
  return [...lines, line];
}
