import { beforeEach, describe, expect, test } from 'vitest';
import type { Media, MediaCommand } from '../../../firmware/media/protocol.ts';
import { StreamsAhead } from '../../../firmware/media/streams-ahead.ts';

let sent: MediaCommand[];
let ahead: StreamsAhead;

beforeEach(() => {
  sent = [];
  const media: Media = { send: command => sent.push(command), onEvent() {}, start() {}, stop: async () => {} };
  ahead = new StreamsAhead(media);
});

const opened = (stream: string, rtpPort: number) =>
  ahead.onMediaEvent({ is: 'opened', stream, rtpPort, rtcpPort: rtpPort + 1 });

describe('streams opened ahead', () => {
  test('a call gets ports that are taken already', () => {
    ahead.fill('192.0.2.7', 2);
    expect(sent).toEqual([
      { do: 'open', stream: 'call-1', host: '192.0.2.7' },
      { do: 'open', stream: 'call-2', host: '192.0.2.7' },
    ]);
    expect(opened('call-2', 4000)).toBe(true);
    expect(ahead.take()).toEqual({ stream: 'call-2', ports: { rtpPort: 4000, rtcpPort: 4001 } });
  });

  test('a call that comes before they are there opens its own', () => {
    ahead.fill('192.0.2.7', 2);
    expect(ahead.take()).toEqual({ stream: 'call-3', ports: undefined });
  });

  test('what a call has taken is its own: its events go by', () => {
    ahead.fill('192.0.2.7', 1);
    opened('call-1', 4000);
    ahead.take();
    expect(ahead.onMediaEvent({ is: 'silent', stream: 'call-1', forMs: 30_000 })).toBe(false);
  });

  test('each one taken is replaced, and there are never more than two, nor more than calls', () => {
    ahead.fill('192.0.2.7', 1);
    ahead.fill('192.0.2.7', 1);
    expect(sent).toHaveLength(1);
    opened('call-1', 4000);
    ahead.take();
    ahead.fill('192.0.2.7', 8);
    ahead.fill('192.0.2.7', 8);
    expect(sent.map(command => 'stream' in command && command.stream)).toEqual(['call-1', 'call-2', 'call-3']);
  });

  test('one that fails, or dies with the media thread, is forgotten until the next is asked for', () => {
    ahead.fill('192.0.2.7', 2);
    opened('call-1', 4000);
    expect(ahead.onMediaEvent({ is: 'failed', stream: 'call-1', doing: 'start', why: 'the thread died' })).toBe(true);
    expect(ahead.onMediaEvent({ is: 'failed', stream: 'call-2', doing: 'open', why: 'no port is free' })).toBe(true);
    expect(ahead.take()).toEqual({ stream: 'call-3', ports: undefined });
    ahead.fill('192.0.2.7', 2);
    expect(sent).toHaveLength(4);
  });
});
