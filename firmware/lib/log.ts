/** What the firmware says of itself. An event is a short English phrase; its facts are fields, never glued into it. */
import { pino } from 'pino';

export type Fields = Record<string, unknown>;

export interface Log {
  /** Fields as a function are made only where the line is wanted. */
  debug(event: string, fields?: Fields | (() => Fields)): void;
  info(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
  error(event: string, fields?: Fields): void;
  /** A log of the same sink whose lines name a part (`sip`, `media`, …). */
  part(name: string): Log;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Of lines that nobody has read yet; further ones are lost. */
const WAITING_LIMIT_CHARACTERS = 256 * 1024;

/** JSON lines to standard error, one object a line. `setLevel` counts for every part at once. */
export function systemLog(level: LogLevel): { log: Log; setLevel(level: LogLevel): void } {
  // Not in step: a reader that sleeps (a stalled journal, a pager) must not hold a thread that closes relays.
  const output = pino.destination({ dest: 2, sync: false, maxLength: WAITING_LIMIT_CHARACTERS });
  const sink = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, afterwards(output));
  return {
    log: wrap(sink, {}),
    setLevel: next => {
      sink.level = next;
    },
  };
}

/** Writes what one turn of the event loop says at its end, and in one piece: an answer goes out before the word about it. */
function afterwards(output: pino.DestinationStream): pino.DestinationStream {
  let waiting = '';
  const flush = () => {
    if (waiting !== '') output.write(waiting);
    waiting = '';
  };
  const stream = {
    // Asks pino to set `lastLevel`.
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 0,
    write(line: string) {
      if (waiting === '') queueMicrotask(flush);
      waiting += line;
      // The process may end in this very turn.
      if (stream.lastLevel >= pino.levels.values.warn!) flush();
    },
  };
  return stream;
}

export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  part: () => silentLog,
};

function wrap(sink: pino.Logger, common: Fields): Log {
  return {
    debug: (event, fields) => {
      if (!sink.isLevelEnabled('debug')) return;
      sink.debug({ ...common, ...(typeof fields === 'function' ? fields() : fields) }, event);
    },
    info: (event, fields) => sink.info({ ...common, ...fields }, event),
    warn: (event, fields) => sink.warn({ ...common, ...fields }, event),
    error: (event, fields) => sink.error({ ...common, ...fields }, event),
    part: part => wrap(sink, { ...common, part }),
  };
}
