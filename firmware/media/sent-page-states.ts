/**
 * The life of a page that this device sends: state → event → next state and effect. An empty cell means ignore.
 *
 *   opening → announcing → gong → speaking → leaving → ended
 */

export type State = 'opening' | 'announcing' | 'gong' | 'speaking' | 'leaving' | 'ended';

export type Event =
  /** There is a port to send from, or none can be had. */
  | 'opened'
  | 'failed'
  /** Receivers have been told, where the format tells them. */
  | 'announced'
  | 'gong over'
  /** Whoever began it, the end of the file, or the limit of its time. */
  | 'stop'
  /** Receivers have been told that it is over. */
  | 'left';

export type Effect = 'strike the gong' | 'speak' | 'finish';

export const sentPage: Readonly<Record<State, Partial<Record<Event, readonly [next: State, effect?: Effect]>>>> = {
  opening: { opened: ['announcing'], failed: ['ended', 'finish'], stop: ['ended', 'finish'] },
  announcing: { announced: ['gong', 'strike the gong'], stop: ['leaving'] },
  gong: { 'gong over': ['speaking', 'speak'], stop: ['leaving'] },
  speaking: { stop: ['leaving'] },
  leaving: { left: ['ended', 'finish'] },
  ended: {},
};
