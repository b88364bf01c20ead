import { expect, test } from 'vitest';
import { EventLog } from '../../../firmware/controller/event-log.ts';
import { Recorder } from '../../../firmware/controller/recorder.ts';
import { silentLog } from '../../../firmware/lib/log.ts';
import type { Media, MediaCommand } from '../../../firmware/media/protocol.ts';

function rig(folder: string | undefined, callIsUp = true) {
  const sent: MediaCommand[] = [];
  const media: Media = {
    send: command => sent.push(command),
    onEvent: () => {},
    start: () => {},
    stop: () => Promise.resolve(),
  };
  const recorder = new Recorder({
    wallClock: () => Date.UTC(2026, 10, 22, 15, 7, 33),
    events: new EventLog('session', () => 0, silentLog),
    media: () => media,
    folder: { next: (folder, name, bytes, limit) => (bytes > limit ? { why: 'too much' } : `${folder}/${name}`) },
    settings: () => ({ folder, longest: 60_000, limit: 5 }),
    rate: 16_000,
    callIsUp: () => callIsUp,
    changed: () => {},
  });
  return { recorder, sent };
}

test('nothing is recorded where no folder is named', () => {
  const { recorder, sent } = rig(undefined);
  expect(recorder.record('call')).toMatchObject({ done: false, code: 'not allowed' });
  expect(sent).toEqual([]);
});

test('a call is recorded while there is one', () => {
  expect(rig('/r', false).recorder.record('call')).toMatchObject({ done: false, why: 'there is no call to record' });
  const { recorder, sent } = rig('/r');
  expect(recorder.record('call', 10_000)).toEqual({ done: true });
  const file = '/r/20261122T150733.000Z-call.wav';
  expect(sent).toEqual([{ do: 'tap', what: 'call', file, limitMs: 10_000 }]);
  expect(recorder.status()).toEqual({ what: 'call', file });
  expect(recorder.stop()).toEqual({ done: true });
  recorder.onMediaEvent({ is: 'recorded', file, forMs: 900 });
  expect(recorder.status()).toBeUndefined();
  expect(recorder.stop()).toMatchObject({ done: false, why: 'nothing is being recorded' });
});

test('begun before the sound was ready, it goes on', () => {
  const { recorder } = rig('/r');
  recorder.record('microphone');
  recorder.onMediaEvent({ is: 'ready', opus: 'none' });
  expect(recorder.status()).toMatchObject({ what: 'microphone' });
});

test('never longer than allowed', () => {
  const { recorder, sent } = rig('/r', false);
  recorder.record('microphone', 3_600_000);
  expect(sent).toMatchObject([{ limitMs: 60_000 }]);
});
