/** The media thread: sound card, RTP sockets and codecs live here, and nothing that the control thread does is heard. */
import { parentPort, workerData } from 'node:worker_threads';
import { openAudio } from '../../hal/audio/open.ts';
import { goFirst, linuxScheduler } from '../../hal/thread-priority.ts';
import { chooseOpus, opusRate } from '../audio/codecs/opus.ts';
import { chooseAcoustics } from '../audio/echo/choose.ts';
import { systemClock, wallClock } from '../lib/clock.ts';
import { markerOf } from '../lib/dscp.ts';
import { wallClockError } from '../lib/kept-clock.ts';
import { systemRandom } from '../lib/random.ts';
import { diskFiles } from './disk-files.ts';
import { Engine } from './engine.ts';
import { UdpMulticast } from './multicast.ts';
import { loadPolledSockets } from './polled-sockets.ts';
import type { MediaCommand, MediaEvent, MediaSettings } from './protocol.ts';
import { UdpNetwork } from './udp.ts';

if (parentPort === null) throw new Error('this file is the entry of the media thread');
const control = parentPort;
const settings: MediaSettings = workerData;

// A frame does not wait for what else the machine does, the control thread's garbage collectors included.
goFirst(linuxScheduler);

const audio = openAudio(settings.audio, systemClock);
const engine = new Engine({
  clock: systemClock,
  wallClock,
  random: systemRandom,
  network: new UdpNetwork(settings.rtpPorts, systemRandom, markerOf(settings.dscp), loadPolledSockets(systemClock)),
  multicast: new UdpMulticast(settings.paging?.interfaceHost),
  files: diskFiles,
  settings,
  opus: await chooseOpus(opusRate(audio.format.rate)),
  rate: audio.format.rate,
  audioCounters: () => audio.counters,
  playbackDelayMs: () => audio.playbackDelayMs(),
  heardInMs: () => audio.heardInMs?.() ?? audio.playbackDelayMs(),
  setCardGain: (loudspeakerDb, microphoneDb) => audio.setGain(loudspeakerDb, microphoneDb),
  wallClockErrorMs: wallClockError(),
  acoustics: settings.acoustics && (await chooseAcoustics(settings.acoustics, audio.format.rate)),
  emit,
});

function emit(event: MediaEvent) {
  if (event.is === 'packets') {
    // Handed over, not copied once more.
    const buffers = event.packets.map(({ bytes }) => bytes.buffer);
    return control.postMessage(event, buffers);
  }
  if (event.is !== 'stopped') return control.postMessage(event);
  // The card first, so that `stopped` means that everything is free.
  void audio.stop().then(() => {
    control.postMessage(event);
    control.close();
  });
}

control.on('message', (command: MediaCommand) => engine.handle(command));
engine.start();
audio.start(
  (captured, toPlay, lineOut) => engine.process(captured, toPlay, lineOut),
  status => engine.audioStatus(status),
);
