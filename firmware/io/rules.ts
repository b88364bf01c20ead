/** What a press means: that depends on what the device is doing. */

export type PressMeaning = 'do its action' | 'answer' | 'hang up' | 'nothing';

/**
 * A frightened person presses again and again: a press soon after the call began must not end it. Later it hangs up,
 * where the configuration lets a press do that at all (`hangUpAfterMs` 0: never). Knocked at: another call rings while
 * this one is up.
 */
export function pressMeaning(
  call: { state: 'none' | 'ringing' | 'active' | 'knocked at'; forMs: number },
  rules: { hangUpAfterMs: number; answers: boolean; answersKnock: boolean },
): PressMeaning {
  if (call.state === 'none') return 'do its action';
  if (call.state === 'ringing') return rules.answers ? 'answer' : 'nothing';
  if (call.state === 'knocked at' && rules.answersKnock) return 'answer';
  return rules.hangUpAfterMs > 0 && call.forMs >= rules.hangUpAfterMs ? 'hang up' : 'nothing';
}
