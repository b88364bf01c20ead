/** Whether the board, as the configuration wires it, could move a relay while nobody watches. */
import { checkBoard } from '../hal/boards/check.ts';
import type { BoardDefinition } from '../hal/contracts.ts';
import type { Config } from './config/schema.ts';
import { boardOf } from './controller/board-of.ts';

const remarks = (board: BoardDefinition, config: Config, severity: 'error' | 'warning') =>
  checkBoard(boardOf(board, config))
    .filter(remark => remark.severity === severity)
    .map(
      ({ line, sentence }) =>
        `board.${line in boardOf(board, config).inputs ? 'inputs' : 'outputs'}.${line}: ${sentence}`,
    );

/** Reasons to refuse the configuration. */
export const wiringErrors = (board: BoardDefinition, config: Config) => remarks(board, config, 'error');

/** For the log. */
export const wiringWarnings = (board: BoardDefinition, config: Config) => remarks(board, config, 'warning');
