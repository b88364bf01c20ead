/** `porter paging test` for a person: each group with ✓ or ✗, then who asks for members, and what to do. Pure. */
import type { GroupFinding, PagingTest } from '../controller/paging-test.ts';
import { count, plain, wrap } from './text.ts';

/** Lines of at most 80 columns (a single longer word stays whole). */
export function showPagingTest({ groups, querier }: PagingTest): string[] {
  const names = Object.keys(groups);
  const width = Math.max(...names.map(name => name.length), 'IGMP'.length) + 4;
  const line = (mark: string, name: string, text: string) => wrap(text, width, `${mark} ${name}`.padEnd(width));
  return [
    ...names.flatMap(name => line(isGood(groups[name]!) ? '✓' : '✗', name, finding(groups[name]!))),
    ...line(querier.is === 'heard' ? '✓' : querier.is === 'none' ? '✗' : '?', 'IGMP', asks(querier)),
    ...advice({ groups, querier }).flatMap(text => wrap(text, 2, '! ')),
  ].map(plain);
}

export const isGood = ({ arrives, why }: GroupFinding) => arrives && why === undefined;

function finding({ arrives, why, packets }: GroupFinding): string {
  if (why !== undefined) return why;
  if (!arrives) return 'no multicast arrives here: not even what this machine sends to the group';
  return `joined; ${packets === 0 ? 'nothing has come from others yet' : `${count(packets, 'packet')} of others so far`}`;
}

const seconds = (ms: number) => `${Math.round(ms / 1000)} s`;

function asks(querier: PagingTest['querier']): string {
  switch (querier.is) {
    case 'heard':
      return `${querier.from} asked who is a member, ${seconds(querier.agoMs)} ago`;
    case 'none':
      return `nobody has asked who is a member for ${seconds(querier.forMs)}: this network has no querier`;
    case 'not yet':
      return `nobody has asked who is a member for ${seconds(querier.forMs)}; ask again in ${seconds(querier.leftMs)}`;
    case 'unknown':
      return querier.why;
  }
}

function advice({ groups, querier }: PagingTest): string[] {
  const found = Object.values(groups);
  const said: string[] = [];
  if (found.some(({ arrives, why }) => !arrives && why === undefined))
    said.push('A firewall of this machine keeps it away, or paging.interface is the wrong port.');
  if (found.some(group => isGood(group) && group.packets === 0))
    said.push(
      'Where nothing has come: page the group once, and ask again. If still nothing has, a switch or router on the way keeps it away, or address and port are others.',
    );
  if (querier.is === 'none')
    said.push(
      'Switches that watch IGMP (snooping) forget members where nobody asks. This device says by itself every 30 to 60 s that it is one; if pages stop all the same, switch on a querier in one switch, or switch snooping off.',
    );
  return said;
}
