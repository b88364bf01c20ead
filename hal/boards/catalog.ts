/** The boards that the firmware knows by name. */
import type { BoardDefinition } from '../contracts.ts';
import { generic } from './generic.ts';
import { raspberryPi4 } from './raspberry-pi-4.ts';
import { raspberryPi5 } from './raspberry-pi-5.ts';
import { raspberryPiZero2 } from './raspberry-pi-zero-2.ts';
import { simulated } from './simulated.ts';

const boards = [simulated, raspberryPi4, raspberryPi5, raspberryPiZero2, generic];

export const boardNames: readonly string[] = boards.map(({ name }) => name);

export const findBoard = (name: string): BoardDefinition | undefined => boards.find(board => board.name === name);
