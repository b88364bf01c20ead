/** NOTIFY `talk` and `hold` inside a call: the PBX presses a key in our place. */
import { expect, test } from 'vitest';
import { request, stage } from '../stage.ts';

function ringing(remoteControl = true) {
  const all = stage({ remoteControl });
  all.say(request({ body: 'offer' }));
  const to = all.peer.responses(180)[0]!.headers.get('To')!;
  let sequence = 1;
  const notify = (event: string) => {
    sequence++;
    all.say(request({ method: 'NOTIFY', branch: `z9hG4bK-n${sequence}`, to, sequence, more: event }));
  };
  return { ...all, notify };
}

test('is told to whoever has the call, with who sent it', () => {
  const { notify, peer, phone } = ringing();
  notify('Event: talk');
  notify('o: HOLD;x=1');
  expect(peer.statuses).toEqual([180, 200, 200]);
  expect(phone.heard.slice(1)).toEqual(['talk from 192.0.2.2', 'hold from 192.0.2.2']);
});

test('is refused where nobody listens, and so is every other event', () => {
  const deaf = ringing(false);
  deaf.notify('Event: talk');
  expect(deaf.peer.statuses).toEqual([180, 489]);
  const { notify, peer } = ringing();
  notify('Event: conference');
  notify('');
  expect(peer.statuses).toEqual([180, 489, 489]);
  expect(peer.responses(489)[0]!.headers.all('Allow-Events')).toContain('talk');
});

test('a NOTIFY of a REFER that was never sent is of no subscription', () => {
  const { notify, peer } = ringing();
  notify('Event: refer');
  expect(peer.statuses).toEqual([180, 481]);
});
