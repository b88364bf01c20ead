/** The sound of the telephone at the far end: no card, silence. */
import type { MediaSettings } from '../../../firmware/media/protocol.ts';
import { ordinarySound } from '../../sim/media-settings.ts';

export const deskSound: MediaSettings = {
  ...ordinarySound(16_000, 'desk'),
  rtpPorts: { from: 30_000, to: 30_199 },
  keysInSound: 'never',
};
