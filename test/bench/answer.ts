/** How soon the device answers: INVITE to 180 where it rings, INVITE to 200 where it answers a page by itself. */
import { passes, until } from '../peers/support/until.ts';
import { baresipVersion, peerName, startBaresip } from './baresip.ts';
import type { Benchmark } from './benchmark.ts';
import { startPorter } from './porter.ts';
import { longSpeech } from './speech.ts';
import { type Station, startStation } from './station.ts';

const CALLS = 200;
/** No call lasts so long. Seconds. */
const ANSWERED_S = 10;
/** Calls are begun so far apart, or when the last one is over. Milliseconds. */
const EVERY_MS = 60;
/** The first calls run through code that is not compiled yet; they are told apart. */
const FIRST_CALLS = 20;
const PAYLOAD = '8 PCMA/8000';

export const answer: Benchmark = {
  name: 'answer',
  title: 'INVITE to 180 and to 200',
  how:
    `${CALLS} calls one after the other, one begun every ${EVERY_MS} ms, by the project's own user agent on loopback; ` +
    'timed where its socket sends the INVITE and where the answer arrives. A page is answered by itself and hung up at ' +
    `once; a ringing call is cancelled. ${FIRST_CALLS} calls before them are counted separately, as a device just ` +
    'started. The peer answers every call by itself, or rings.',
  async run(sheet, bench) {
    const station = await startStation(bench, ['porter', 'peer', 'ringing-peer']);
    const porter = await startPorter(bench, { user: 'porter', registrarPort: station.port });
    await porter.ready();
    const wav = longSpeech(bench, ANSWERED_S);
    const peerSpec = { registrarPort: station.port, source: `aufile,${wav}`, rate: 16_000 };
    const peer = baresipVersion === undefined ? undefined : await startBaresip(bench, { ...peerSpec, user: 'peer' });
    const ringing =
      baresipVersion === undefined
        ? undefined
        : await startBaresip(bench, { ...peerSpec, user: 'ringing-peer', rings: true });
    for (const user of baresipVersion === undefined ? ['porter'] : ['porter', 'peer', 'ringing-peer'])
      await until(`${user} is registered`, () => station.registeredMs.get(user));

    for (const { name, status, page, other } of [
      { name: 'INVITE to 200, a page', status: 200, page: true, other: peer },
      { name: 'INVITE to 180, it rings', status: 180, page: false, other: ringing },
    ]) {
      sheet.tell(name);
      const first = await calls(station, { target: porter.uri, status, page, count: FIRST_CALLS });
      if (other !== undefined) await calls(station, { target: other.uri, status, page, count: FIRST_CALLS });
      const ours = await calls(station, { target: porter.uri, status, page, count: CALLS });
      const theirs = other === undefined ? [] : await calls(station, { target: other.uri, status, page, count: CALLS });
      sheet.add(name, 'ms', ours, { peer: { name: peerName, values: theirs } });
      sheet.add(`${name}: the first ${FIRST_CALLS}`, 'ms', first);
    }
  },
};

interface Series {
  target: string;
  status: number;
  page: boolean;
  count: number;
}

/** Milliseconds, one for each call. Throws where a call fails. */
async function calls(station: Station, { target, status, page, count }: Series): Promise<number[]> {
  const values: number[] = [];
  for (let index = 0; index < count; index++) {
    const nextMs = performance.now() + EVERY_MS;
    const ladder = station.call(target, { page, payload: PAYLOAD });
    const which = `call ${index + 1} to ${target}`;
    const detail = () => `${[...ladder.after]} ${ladder.end ?? ''}`;
    await until(`${status} for ${which}`, () => ladder.after.has(status), { detail });
    if (status === 200) await until(`${which} is up`, () => ladder.answered, { detail });
    ladder.hangUp();
    await until(`${which} is over`, () => ladder.ended, { detail });
    values.push(ladder.after.get(status)!);
    await passes(Math.max(0, nextMs - performance.now()));
  }
  return values;
}
