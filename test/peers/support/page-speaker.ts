/**
 * A loudspeaker in a process of its own: the whole media engine on real time and real multicast, and a sound card that
 * keeps sound for a while. Prints when it heard each click of a page, by the clock that all processes of a machine share.
 *
 *   page-speaker.ts GROUP PORT CARD_MS RATE
 */
import { systemClock, wallClock } from '../../../firmware/lib/clock.ts';
import { markerOf } from '../../../firmware/lib/dscp.ts';
import { systemRandom } from '../../../firmware/lib/random.ts';
import { diskFiles } from '../../../firmware/media/disk-files.ts';
import { InProcessMedia } from '../../../firmware/media/in-process.ts';
import { UdpMulticast } from '../../../firmware/media/multicast.ts';
import { UdpNetwork } from '../../../firmware/media/udp.ts';
import type { LevelRule } from '../../../firmware/paging/levels.ts';
import { SimulatedAudio } from '../../../hal/audio/simulated.ts';
import { ClickEar } from '../../sim/click-ear.ts';
import { ordinarySound, simulatedCard } from '../../sim/media-settings.ts';

const [host = '', port = '', cardMs = '', rate = ''] = process.argv.slice(2);
const spec = simulatedCard(Number(rate));
const rule: LevelRule = { call: 'duck', pages: 'interrupt', volumeDb: 0, leastDb: -60, gong: false };
const rtpPorts = { from: 30_000, to: 30_100 };
/** CLOCK_MONOTONIC, which counts from the machine's start, against the clock of this process, which counts from its own. */
const sharedMs = Number(process.hrtime.bigint()) / 1e6 - systemClock.now();
const ear = new ClickEar(spec.rate, atMs => process.stdout.write(`click ${sharedMs + atMs}\n`));

const audio = new SimulatedAudio({
  spec,
  clock: systemClock,
  playbackDelayMs: () => Number(cardMs),
  sink: frame => ear.hear(frame, systemClock.now() + audio.heardInMs()),
});
const media = new InProcessMedia({
  clock: systemClock,
  wallClock,
  random: systemRandom,
  network: new UdpNetwork(rtpPorts, systemRandom, markerOf(0)),
  multicast: new UdpMulticast('127.0.0.1'),
  files: diskFiles,
  opus: undefined,
  audio,
  settings: {
    ...ordinarySound(spec.rate, 'speaker'),
    rtpPorts,
    paging: {
      groups: [{ name: 'all', host, port: Number(port), format: 'rtp', level: 'normal', sources: [], volumeDb: 0 }],
      levels: { background: rule, normal: rule, high: rule, emergency: rule },
      silenceMs: 1_000,
      delayMs: 200,
    },
  },
});
media.onEvent = event => {
  if (event.is === 'group') process.stdout.write(event.why === undefined ? 'joined\n' : `not joined: ${event.why}\n`);
  if (event.is === 'page') process.stdout.write(`page ${event.state}\n`);
};
media.start();
