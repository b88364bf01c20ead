/** `porter paging test`: whether multicast arrives here, group by group, and what to do where it does not. */
import type { Clock } from '../../hal/contracts.ts';
import type { Media, MediaEvent, QuerierReport } from '../media/protocol.ts';
import type { Status } from './contracts.ts';

/** How long the media thread may take. Milliseconds. */
const ANSWER_MS = 3_000;

export interface PagingTest {
  groups: Record<string, GroupFinding>;
  querier: QuerierReport;
}

export interface GroupFinding {
  /** What is sent to it on this machine is heard here. */
  arrives: boolean;
  /** Why it is not joined. */
  why?: string;
  /** Packets that have come from elsewhere since the start, whatever became of them. */
  packets: number;
}

type Done = (result: PagingTest | { why: string }) => void;

export class PagingTests {
  readonly #parts: { clock: Clock; media: () => Media; status: () => Pick<Status['paging'], 'groups'> };
  readonly #waiting = new Set<Done>();

  constructor(parts: { clock: Clock; media: () => Media; status: () => Pick<Status['paging'], 'groups'> }) {
    this.#parts = parts;
  }

  /** `done` is called once, in time. */
  ask(done: Done) {
    const { clock, media, status } = this.#parts;
    if (Object.keys(status().groups).length === 0)
      return done({ why: 'no paging groups are configured (paging.groups)' });
    const once: Done = result => {
      cancel();
      if (this.#waiting.delete(once)) done(result);
    };
    const cancel = clock.after(ANSWER_MS, () => once({ why: 'the media thread does not answer' }), 'paging test');
    this.#waiting.add(once);
    // The counters first: what has come until now.
    media().send({ do: 'report' });
    media().send({ do: 'test groups' });
  }

  stop() {
    for (const done of [...this.#waiting]) done({ why: 'the device is stopping' });
  }

  onMediaEvent(event: MediaEvent) {
    if (event.is !== 'groups tested') return;
    const { groups } = this.#parts.status();
    const found = Object.entries(groups).map(([name, { why, ...counters }]): [string, GroupFinding] => {
      const { packets, malformed, otherSource, otherTalker, otherCodec, notAuthentic } = counters;
      const all = packets + malformed + otherSource + otherTalker + otherCodec + notAuthentic;
      return [name, { arrives: event.arrived.includes(name), ...(why !== undefined && { why }), packets: all }];
    });
    const result = { groups: Object.fromEntries(found), querier: event.querier };
    for (const done of [...this.#waiting]) done(result);
  }
}
