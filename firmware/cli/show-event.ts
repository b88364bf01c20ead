/** An event as one line for a person. Pure. */
import type { DeviceEvent } from '../controller/contracts.ts';
import { plain } from './text.ts';

/** `07:51:57.120  call    answered  remote=sip:desk@example.org codec=opus`; the time is UTC, as in the event. */
export function eventLine({ seq: _seq, session: _session, ts, source, type, ...facts }: DeviceEvent): string {
  const told = Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${fact(value)}`);
  const time = /T([\d:.]+)Z$/.exec(ts)?.[1] ?? ts;
  return plain([`${time}  ${source.padEnd(12)}  ${type}`, ...(told.length > 0 ? [told.join(' ')] : [])].join('  '));
}

/** Quoted where a space would make it ambiguous. */
function fact(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value);
}
