/** What a press means: that depends on what the device is doing. */

export type PressMeaning = 'do its action' | 'answer' | 'hang up' | 'nothing';

/**
 * A frightened person presses again and again: a press soon after the call began must not end it. Later it hangs up,
 * where the configuration lets a press do that at all (`hangUpAfterMs` 0: never).
 */
export function pressMeaning(
  call: { state: 'none' | 'ringing' | 'active'; forMs: number },
  rules: { hangUpAfterMs: number; answers: boolean },
): PressMeaning {
  if (call.state === 'none') return 'do its action';
  if (call.state === 'ringing') return rules.answers ? 'answer' : 'nothing';
  return rules.hangUpAfterMs > 0 && call.forMs >= rules.hangUpAfterMs ? 'hang up' : 'nothing';
}
