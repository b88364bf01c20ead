/**
 * The life of one call as the device sees it: state → event → next state and effects. An empty cell means ignore.
 *
 *   outgoing  opening → calling → ringback → talking → ending → ended
 *   incoming  opening → ringing ───────────→ talking → ending → ended
 */

export type State = 'opening' | 'calling' | 'ringback' | 'ringing' | 'talking' | 'ending' | 'ended';

export type Event =
  /** The media thread has ports for this call, or has none. */
  | 'sound opened'
  | 'sound failed'
  /** A provisional response that means somebody is being told. */
  | 'progress'
  /** Outgoing: a 200. */
  | 'answered'
  /** Incoming: a button, a rule or a person says yes. */
  | 'answer'
  | 'hang up'
  | 'ring limit'
  | 'talk limit'
  /** Nothing has come from the peer for as long as the configuration allows. */
  | 'peer silent'
  /** The dialog is over: the last word of SIP about this call. */
  | 'ended';

export type Effect =
  | 'invite'
  | 'ring'
  | 'accept'
  | 'start talking'
  | 'play ringback'
  | 'end session'
  | 'refuse: no sound'
  | 'refuse: nobody answers'
  | 'fall silent'
  | 'say why'
  | 'say it is over'
  | 'finish';

export type Table = Record<State, Partial<Record<Event, readonly [next: State, ...effects: Effect[]]>>>;

const over = ['ended', 'fall silent', 'finish'] as const;
const talked = ['ended', 'say it is over', 'finish'] as const;
const failed = ['ended', 'say why', 'finish'] as const;
const hangUp = ['ending', 'fall silent', 'end session'] as const;

const talking: Table['talking'] = {
  'hang up': hangUp,
  'talk limit': hangUp,
  'peer silent': hangUp,
  ended: talked,
};

export const outgoing: Table = {
  opening: {
    'sound opened': ['calling', 'invite'],
    'sound failed': failed,
    'hang up': over,
  },
  calling: {
    progress: ['ringback', 'play ringback'],
    answered: ['talking', 'fall silent', 'start talking'],
    'hang up': hangUp,
    ended: failed,
  },
  ringback: {
    answered: ['talking', 'fall silent', 'start talking'],
    'hang up': hangUp,
    ended: failed,
  },
  ringing: {},
  talking,
  ending: { ended: ['ended', 'finish'] },
  ended: {},
};

export const incoming: Table = {
  opening: {
    'sound opened': ['ringing', 'ring'],
    'sound failed': ['ending', 'refuse: no sound'],
    'hang up': hangUp,
    ended: over,
  },
  calling: {},
  ringback: {},
  ringing: {
    answer: ['talking', 'fall silent', 'accept', 'start talking'],
    'hang up': hangUp,
    'ring limit': ['ending', 'fall silent', 'refuse: nobody answers'],
    ended: over,
  },
  talking,
  ending: { ended: ['ended', 'finish'] },
  ended: {},
};
