/** A desk on the bench that answers at once: the far end of calls whose subject is the device. */
import type { DeskCall } from '../../desk/desk.ts';
import { type RealDeskSettings, realDesk } from '../../desk/real-desk.ts';
import type { Bench } from './bench.ts';
import { HOST } from './device.ts';
import { rtpRange, sipPort } from './ports.ts';
import { until } from './until.ts';

export interface BenchDesk {
  uri: string;
  /** The call that has come, answered. */
  call(): Promise<DeskCall>;
  stop(): Promise<void>;
}

/** It is stopped with the bench at the latest. */
export async function startDesk(
  bench: Bench,
  { codecs = ['PCMA'], card, passwords = {} }: Partial<Pick<RealDeskSettings, 'codecs' | 'card' | 'passwords'>> = {},
): Promise<BenchDesk> {
  const port = await sipPort();
  let call: DeskCall | undefined;
  const desk = realDesk({
    host: HOST,
    port,
    rtpPorts: await rtpRange(),
    ...(card !== undefined && { card }),
    user: 'desk',
    callers: [],
    realm: 'desk',
    passwords,
    codecs,
    onCall: incoming => {
      call = incoming;
      incoming.answer();
    },
    onEvent() {},
  });
  desk.start();
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= desk.stop();
    return stopping;
  };
  bench.onStop(stop);
  return { uri: `sip:desk@${HOST}:${port}`, call: () => until('a call at the desk', () => call), stop };
}

/** A device that knows the desk and registers nowhere: calls go from peer to peer. */
export const knowing = ({ uri }: BenchDesk) => ({
  contacts: { desk: { uri } },
  sip: { accounts: { own: { uri: `sip:front@${HOST}`, register: false } } },
});
