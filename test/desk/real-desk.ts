/** The desk on real sockets and a media thread of its own, as the demo and the tests on real time use it. */

import { systemClock, wallClock } from '../../firmware/lib/clock.ts';
import { silentLog } from '../../firmware/lib/log.ts';
import { systemRandom } from '../../firmware/lib/random.ts';
import { MediaThread } from '../../firmware/media/thread.ts';
import { systemResolve } from '../../firmware/sip/locate/system.ts';
import { UdpSocket } from '../../firmware/sip/transport/udp.ts';
import type { AudioSpec } from '../../hal/contracts.ts';
import { ordinarySound, simulatedCard } from '../sim/media-settings.ts';
import { Desk, type DeskSettings } from './desk.ts';

export interface RealDeskSettings extends DeskSettings {
  rtpPorts: { from: number; to: number };
  /** A WAV that the desk's microphone hears, in a loop; absent: silence. */
  microphone?: string;
  /** A sound card in place of files. */
  card?: Pick<AudioSpec, 'driver' | 'capture' | 'playback'>;
  /** Of the card: how often the media thread wakes. Absent: 10. */
  periodMs?: number;
}

export function realDesk({ rtpPorts, microphone, card, periodMs = 10, ...settings }: RealDeskSettings): Desk {
  const media = new MediaThread({
    settings: {
      ...ordinarySound(16_000, settings.user),
      audio: {
        ...simulatedCard(16_000),
        periodMs,
        ...card,
        ...(microphone !== undefined && { captureFile: microphone }),
      },
      rtpPorts,
    },
    clock: systemClock,
    log: silentLog,
  });
  const parts = { clock: systemClock, wallClock, random: systemRandom, log: silentLog, resolve: systemResolve, media };
  const { host, port, bind = host } = settings;
  const socket = new UdpSocket({ host: bind, port });
  if (bind !== host) socket.localFor = () => ({ host, port });
  return new Desk({ ...parts, socket }, settings);
}
