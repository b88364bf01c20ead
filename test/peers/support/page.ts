/** Somebody who pages by multicast: a tone in packets of 20 ms, PCMA. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { g711Encoder } from '../../../firmware/audio/codecs/g711.ts';
import { systemClock } from '../../../firmware/lib/clock.ts';
import { writeRtp } from '../../../firmware/rtp/packet.ts';
import { sine } from '../../sim/tone.ts';
import { HOST } from './device.ts';

const SAMPLES = 160;

/** Resolves once all of it has been sent; answers how many packets that were. */
export async function sendPage(page: { address: string; port: number; hz: number; seconds: number }): Promise<number> {
  const { address, port, hz, seconds } = page;
  const socket = createSocket('udp4');
  socket.bind(0, HOST);
  await once(socket, 'listening');
  socket.setMulticastInterface(HOST);
  const encoder = g711Encoder('PCMA');
  const tone = sine(hz, 8_000, 8_000, 1);
  const payload = new Uint8Array(SAMPLES);
  const bytes = new Uint8Array(12 + SAMPLES);
  const packets = seconds * 50;
  const beganMs = systemClock.now();
  for (let index = 0; index < packets; index++) {
    const at = (index * SAMPLES) % tone.length;
    encoder.encode(tone.subarray(at, at + SAMPLES), payload);
    writeRtp(
      bytes,
      { payloadType: 8, marker: index === 0, sequence: index, timestamp: index * SAMPLES, ssrc: 7 },
      payload,
    );
    socket.send(Uint8Array.from(bytes), port, address);
    // By the clock and not after the last: each timer is a little late, and a receiver would have to follow that.
    const waitMs = beganMs + 20 * (index + 1) - systemClock.now();
    await new Promise<void>(next => void systemClock.after(Math.max(0, waitMs), next));
  }
  socket.close();
  return packets;
}
