/** The part of the self-test that stands in for a device that does not run: opens its lines and its card for a moment. */
import { existsSync } from 'node:fs';
import { openAudio } from '../../hal/audio/open.ts';
import { openBoard } from '../../hal/board.ts';
import { findBoard } from '../../hal/boards/catalog.ts';
import type { GpioDriver } from '../../hal/contracts.ts';
import { effectiveSettings } from '../config/layers.ts';
import { loadConfig, readLocal } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { ConfigStore } from '../config/store.ts';
import { boardOf } from '../controller/board-of.ts';
import { mediaSettings } from '../controller/media-settings.ts';
import { checkAction } from '../io/actions.ts';
import { systemClock } from '../lib/clock.ts';
import { probeAlone } from '../probe-alone.ts';
import { hideSecret } from '../rpc/methods.ts';
import { wiringErrors } from '../wiring.ts';
import type { Alone } from './facts.ts';
import { TONE_TEST_MS, toneTest } from './tone.ts';

/** Beyond the test itself: a card that has not sounded by then is away. Milliseconds. */
const CARD_MS = 3_000;

/** The same configuration as the device would take: what is provisioned counts too. `gpio`: instead of the board's driver. */
export async function testAlone(configFile: string, state: string, version: string, gpio?: GpioDriver): Promise<Alone> {
  const problems: string[] = [];
  const local = existsSync(configFile) ? await readLocal(configFile) : { why: `there is no file ${configFile}` };
  if ('why' in local) problems.push(local.why);
  const loaded = loadConfig({
    local: 'why' in local ? {} : local.document,
    stored: await new ConfigStore(state).load(),
    board: findBoard,
    checkAction,
    checkBoard: wiringErrors,
  });
  const { config } = loaded;
  const definition = boardOf(findBoard(config.board.name) ?? loaded.board, config);
  // Outputs are opened at their safe level: no relay moves.
  const board = openBoard(definition, { clock: systemClock, gpio });
  const faults = Object.fromEntries(board.faults.map(({ line, error }) => [line, error.message]));
  const busy = board.faults.filter(({ error }) => error.code === 'busy').map(({ line }) => line);
  const spec = mediaSettings(config, board).audio;
  board.close();
  const [sound, servers] = await Promise.all([
    // Who has the lines may be in a call.
    busy.length > 0 ? { why: `left alone, since ${busy[0]} is in use`, busy: true } : hearTone(spec),
    askServers(config, version),
  ]);
  return {
    settings: effectiveSettings(loaded.layers).map(hideSecret),
    problems: [...problems, ...loaded.problems],
    faults,
    busy,
    inputs: Object.keys(definition.inputs).length,
    outputs: Object.keys(definition.outputs).length,
    sound,
    servers,
  };
}

async function hearTone(spec: Parameters<typeof openAudio>[0]): Promise<Alone['sound']> {
  let cancel = () => {};
  let away: { why: string; busy?: boolean } = { why: 'the card does not sound' };
  try {
    const audio = openAudio(spec, systemClock);
    const result = await new Promise<Alone['sound']>(resolve => {
      let up = false;
      let process: ReturnType<typeof toneTest> | undefined;
      cancel = systemClock.after(TONE_TEST_MS + CARD_MS, () => resolve(away), 'tone');
      audio.start(
        // Frames come at their pace without a card too: only those of a card count.
        (captured, toPlay) => (process === undefined || !up ? toPlay.fill(0) : process(captured, toPlay)),
        status => {
          if (status.is === 'xrun') return;
          up = status.is === 'up';
          if (status.is === 'down') away = { why: status.why, busy: status.code === 'busy' };
          else process ??= toneTest(audio.format.rate, tone => resolve({ tone }));
        },
      );
    });
    await audio.stop();
    return result;
  } catch (error) {
    return { why: (error as Error).message };
  } finally {
    // The command would wait for it.
    cancel();
  }
}

async function askServers(config: Config, version: string): Promise<Alone['servers']> {
  const asked = Object.keys(config.sip.accounts).map(
    async account => [account, await probeAlone({ target: account }, config, version)] as const,
  );
  return Object.fromEntries(await Promise.all(asked));
}
