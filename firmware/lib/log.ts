/** What the firmware says of itself. An event is a short English phrase; its facts are fields, never glued into it. */
import { pino } from 'pino';

export type Fields = Record<string, unknown>;

export interface Log {
  debug(event: string, fields?: Fields): void;
  info(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
  error(event: string, fields?: Fields): void;
  /** A log of the same sink whose lines name a part (`sip`, `media`, …). */
  part(name: string): Log;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** JSON lines to standard error, one object a line. */
export function systemLog(level: LogLevel): Log {
  return wrap(pino({ level, base: null }, pino.destination({ dest: 2, sync: true })));
}

export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  part: () => silentLog,
};

function wrap(sink: pino.Logger): Log {
  return {
    debug: (event, fields) => sink.debug(fields ?? {}, event),
    info: (event, fields) => sink.info(fields ?? {}, event),
    warn: (event, fields) => sink.warn(fields ?? {}, event),
    error: (event, fields) => sink.error(fields ?? {}, event),
    part: name => wrap(sink.child({ part: name })),
  };
}
