/** The desk on real sockets and a media thread of its own, as the demo and the tests on real time use it. */

import { systemClock, wallClock } from '../../firmware/lib/clock.ts';
import { silentLog } from '../../firmware/lib/log.ts';
import { systemRandom } from '../../firmware/lib/random.ts';
import { MediaThread } from '../../firmware/media/thread.ts';
import { systemResolve } from '../../firmware/sip/locate/system.ts';
import { UdpSocket } from '../../firmware/sip/transport/udp.ts';
import type { AudioSpec } from '../../hal/contracts.ts';
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
      audio: {
        driver: 'simulated',
        capture: '',
        playback: '',
        rate: 16_000,
        periodMs,
        bufferMs: 40,
        ...card,
        ...(microphone !== undefined && { captureFile: microphone }),
      },
      rtpPorts,
      jitter: { minMs: 20, maxMs: 400 },
      dscp: 0,
      silentAfterMs: 30_000,
      country: 'eu',
      keysInSound: 'auto',
      opus: { bitrate: 24_000, complexity: 5, expectedLoss: 10 },
      loudspeakerDb: 0,
      microphoneDb: 0,
      cname: settings.user,
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
