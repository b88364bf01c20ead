/** The whole configuration: one declaration, from which checks, JSON Schema, the reference page and origins come. */
import type { z } from 'zod';
import { section } from './field.ts';
import { audio } from './sections/audio.ts';
import { board } from './sections/board.ts';
import { buttons, contacts, doors } from './sections/building.ts';
import { calls } from './sections/calls.ts';
import { device } from './sections/device.ts';
import { control, log, mqtt, provisioning } from './sections/fleet.ts';
import { media } from './sections/media.ts';
import { paging } from './sections/paging.ts';
import { sip } from './sections/sip.ts';

export const schema = section({
  device: device.prefault({}),
  board: board.prefault({}),
  audio: audio.prefault({}),
  media: media.prefault({}),
  paging: paging.prefault({}),
  sip: sip.prefault({}),
  contacts,
  buttons,
  doors,
  calls: calls.prefault({}),
  mqtt: mqtt.prefault({}),
  provisioning: provisioning.prefault({}),
  control: control.prefault({}),
  log: log.prefault({}),
});

/** The configuration as the firmware uses it: every default filled in, durations in milliseconds, gains in dB. */
export type Config = z.output<typeof schema>;
