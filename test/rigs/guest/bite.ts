/** A device that feeds the watchdog, for longer than that waits, and then stands still. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bench } from '../../peers/support/bench.ts';
import { HOST, startDevice } from '../../peers/support/device.ts';
import { passes } from '../../peers/support/until.ts';
import { PiHeader } from './pi-header.ts';

/** Twice what the firmware sets (15 s). Milliseconds. */
const FED_MS = 30_000;
const STILL_MS = 60_000;

const tell = (what: string) => appendFileSync(join(process.env.rig_share!, 'told'), `${what}\n`, { flush: true });

// Made, so that its lines are there; nobody asks it anything.
new PiHeader();
const device = await startDevice(new Bench(), {
  config: {
    board: { name: 'raspberry-pi-4', watchdog: true },
    sip: { accounts: { own: { uri: `sip:front@${HOST}`, register: false } } },
  },
});
await passes(FED_MS);
tell('fed');
process.kill(device.pid!, 'SIGSTOP');
await passes(STILL_MS);
tell('nothing has bitten');
