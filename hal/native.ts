/** Native packages, loaded when a driver first needs them: a board that needs none starts without them. */
import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';
import { HalError } from './contracts.ts';

const require = createRequire(import.meta.url);

/** Throws HalError `unsupported` when the package is not there or not built for this machine. */
export function loadKoffi(): typeof Koffi {
  try {
    return require('koffi') as typeof Koffi;
  } catch (error) {
    throw new HalError('unsupported', 'the package koffi is not installed: run scripts/setup', { cause: error });
  }
}

/** One of the optional packages. Throws HalError `unsupported` with what to do. */
export function loadOptional<T>(name: 'onoff' | 'epoll'): T {
  try {
    return require(name) as T;
  } catch (error) {
    throw new HalError(
      'unsupported',
      `the optional package ${name} is not installed or not built: run scripts/native`,
      {
        cause: error,
      },
    );
  }
}
