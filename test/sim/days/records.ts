/** What one side was told of one call, and what the user agent must never do with it. */
import type { CallEnd, CallHandler, Call as SipCall } from '../../../firmware/sip/contracts.ts';

export class CallRecord {
  readonly owner: string;
  readonly heard: string[] = [];
  readonly ends: CallEnd[] = [];
  call: SipCall | undefined;
  /** Its side has lost its power: nobody is told any more. */
  isLost = false;
  /** It was hung up, and its end was not told before that returned. */
  wasToldLate = false;

  constructor(owner: string) {
    this.owner = owner;
  }

  hangUp() {
    this.call?.hangUp();
    if (this.ends.length === 0) this.wasToldLate = true;
  }

  get isUp() {
    return this.ends.length === 0 && !this.isLost;
  }

  get isAnswered() {
    return this.heard.includes('answered');
  }

  /** Answered on this side, whether the ACK has come or not. */
  get isTalking() {
    return this.call?.state === 'answered' || this.call?.state === 'confirmed';
  }

  /** How it went, in one word for the statistics. */
  get outcome() {
    if (this.isLost && this.ends.length === 0) return 'lost with its side';
    const end = this.ends[0];
    if (end === undefined) return 'open';
    if (this.isAnswered) return 'answered';
    if (end.by === 'refusal') return `refused ${end.status}`;
    return end.by === 'failure' ? 'failed' : 'given up';
  }

  /** Notes what is told and hands it on. */
  handler(does: Partial<CallHandler> = {}): CallHandler {
    const note = (what: string) => void this.heard.push(what);
    return {
      onProgress: (status, reason, body) => {
        note(`progress ${status}`);
        does.onProgress?.(status, reason, body);
      },
      onAnswered: body => {
        note('answered');
        does.onAnswered?.(body);
      },
      onOffer: (body, answer) => {
        note('offer');
        does.onOffer?.(body, answer);
      },
      onReoffered: result => {
        note('body' in result ? 'reoffered' : `reoffered ${result.status}`);
        does.onReoffered?.(result);
      },
      onRefresh: does.onRefresh ?? (() => ({ contentType: 'application/sdp', bytes: Buffer.from('offer') })),
      onKey: key => note(`key ${key}`),
      ...(does.onTransfer && {
        onTransfer: (transfer, answer) => {
          note('transfer asked');
          does.onTransfer!(transfer, answer);
        },
      }),
      onTransferred: status => note(`transferred ${status}`),
      onEnded: end => {
        this.ends.push(end);
        note(`ended by ${end.by}`);
        does.onEnded?.(end);
      },
    };
  }
}

/** What is wrong with a call that should be over; nothing where all is well. */
export function faultsOf(record: CallRecord): string[] {
  const { owner, heard, ends, isLost, call } = record;
  const about = `${owner}, ${call?.direction} call with ${call?.remote.uri}: ${heard.join(', ')}`;
  const faults: string[] = [];
  const say = (what: string) => faults.push(`${what} (${about})`);
  if (ends.length > 1) say(`ended ${ends.length} times`);
  if (ends.length === 0 && !isLost) say('has no outcome');
  if (record.wasToldLate) say('was hung up, and not told to be over at once');
  if (ends.length > 0 && !heard.at(-1)!.startsWith('ended')) say('something was told after the end');
  if (heard.filter(line => line === 'answered').length > 1) say('answered twice');
  if (ends.length > 0 && !isLost && call !== undefined && call.state !== 'ended') say(`ended, yet ${call.state}`);
  const answered = heard.indexOf('answered');
  const needsDialog = heard.findIndex(line => /^(reoffered|transferred)/.test(line));
  if (needsDialog >= 0 && call?.direction === 'outgoing' && answered < 0) say('told of a dialog that was never there');
  return faults;
}
