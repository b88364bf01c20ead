/** All that the device says of itself, in one look. */
import type { Config } from '../config/schema.ts';
import type { Status } from './contracts.ts';
import type { OpenParts } from './intercom-parts.ts';

/** What the outer parts of the process add to the status. */
export interface Surroundings {
  config: Status['config'];
  mqtt: Status['mqtt'];
}

export interface Looked {
  device: Config['device'];
  version: string;
  session: string;
  upForMs: number;
  parts: OpenParts;
  surroundings: Surroundings;
}

export function deviceStatus({ device, version, session, upForMs, parts, surroundings }: Looked): Status {
  const { board, doors, panel, sound, paging, zonePages, recorder, telephone, calls } = parts;
  const { id, name, location } = device;
  return {
    device: {
      id,
      name,
      ...(location !== '' && { location }),
      version,
      board: board.definition.name,
      session,
      upForSeconds: Math.floor(upForMs / 1000),
    },
    call: calls.status(),
    otherCalls: calls.others(),
    waiting: calls.waiting,
    accounts: telephone.accounts(),
    contacts: telephone.contacts(),
    watchers: telephone.userAgent.watchers,
    faults: {
      ...Object.fromEntries(board.faults.map(({ line, error }) => [line, error.message])),
      ...(telephone.problem !== undefined && { 'SIP socket': telephone.problem }),
    },
    doors: doors.status(),
    buttons: panel.status(),
    audio: sound.status(),
    recording: recorder.status(),
    paging: { ...paging.status(), sent: zonePages.status() },
    config: surroundings.config,
    mqtt: surroundings.mqtt,
    sip: telephone.userAgent.counters,
  };
}
