/** What the device asks of its server, and what it makes of each answer, on virtual time. */
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../firmware/config/document.ts';
import { ConfigStore, type Provisioned } from '../../../firmware/config/store.ts';
import { silentLog } from '../../../firmware/lib/log.ts';
import {
  ProvisioningClient,
  type ProvisioningSettings,
  printStatus,
  type Verdict,
} from '../../../provisioning/client/client.ts';
import { seeded } from '../../sim/seeded.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { TornFiles } from '../config/torn-files.ts';

interface Asked {
  atMs: number;
  url: string;
  headers: Record<string, string>;
}
type Answer = Response | Error | 'nothing';

const json = (body: unknown, headers: Record<string, string> = {}, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } });
const empty = (status: number, headers: Record<string, string> = {}) => new Response(null, { status, headers });
const redirect = (location: string) => empty(302, { location });

const hourMs = 3_600_000;
const wallStart = Date.parse('2026-01-01T00:00:00Z');
const stored: Provisioned = { revision: 'old', etag: '"old"', fetchedAt: '', document: { device: { name: 'Old' } } };

/** A client on virtual time against answers in order; the last one is repeated. */
function world(
  answers: ((signal: AbortSignal) => Answer)[],
  options: { current?: Provisioned; settings?: Partial<ProvisioningSettings>; seed?: number } = {},
) {
  const clock = new VirtualClock();
  const asked: Asked[] = [];
  const documents: JsonObject[] = [];
  const statuses: string[] = [];
  const files = new TornFiles();
  let verdict: () => Verdict | Promise<Verdict> = () => ({ accepted: true });
  const client = new ProvisioningClient(
    {
      url: 'https://fleet.example.org/',
      deviceId: 'front',
      token: 'secret',
      intervalMs: hourMs,
      timeoutMs: 10_000,
      userAgent: 'porter/1',
      ...options.settings,
    },
    {
      clock,
      wallClock: () => wallStart + clock.now(),
      random: seeded(options.seed ?? 1),
      log: silentLog,
      store: new ConfigStore('/state', files),
      async fetch(url, { headers, signal }) {
        const answer = (answers[asked.length] ?? answers.at(-1)!)(signal!);
        asked.push({ atMs: clock.now(), url, headers: headers as Record<string, string> });
        if (answer instanceof Response) return answer;
        if (answer instanceof Error) throw answer;
        return await new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason)));
      },
      onDocument(document) {
        documents.push(document);
        return verdict();
      },
      onStatus: status => statuses.push(printStatus(status)),
    },
    options.current,
  );
  /** Lets time pass, one task after the other, and each exchange finish. */
  async function pass(ms: number) {
    const untilMs = clock.now() + ms;
    do {
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    } while (clock.step(untilMs));
    clock.advance(untilMs - clock.now());
  }
  return {
    client,
    clock,
    asked,
    documents,
    statuses,
    files,
    pass,
    judge(next: typeof verdict) {
      verdict = next;
    },
  };
}

describe('what is asked', () => {
  test('the device by its id, with token, agent, and nothing conditional the first time', async () => {
    const { client, asked, pass } = world([() => json({})]);
    client.start();
    await pass(0);
    expect(asked).toEqual([
      {
        atMs: 0,
        url: 'https://fleet.example.org/v1/devices/front/config',
        headers: { accept: 'application/json', 'user-agent': 'porter/1', authorization: 'Bearer secret' },
      },
    ]);
  });

  test('with the ETag and revision of what is in use, some time after the start', async () => {
    const { client, asked, pass, statuses } = world([() => empty(304)], { current: stored });
    client.start();
    await pass(30_000);
    expect(asked[0]!.headers).toMatchObject({ 'if-none-match': '"old"', 'porter-revision': 'old' });
    expect(statuses).toEqual(['unchanged']);
  });

  test('again after about the interval, never in step with another device', async () => {
    const times = async (seed: number) => {
      const { client, asked, pass } = world([() => empty(304)], { current: stored, seed });
      client.start();
      await pass(5 * hourMs);
      return asked.map(({ atMs }) => atMs);
    };
    const [one, other] = [await times(1), await times(2)];
    expect(one.length).toBeGreaterThanOrEqual(4);
    for (let index = 1; index < one.length; index++) {
      const pauseMs = one[index]! - one[index - 1]!;
      expect(pauseMs).toBeGreaterThanOrEqual(0.9 * hourMs);
      expect(pauseMs).toBeLessThanOrEqual(1.1 * hourMs);
    }
    expect(one).not.toEqual(other);
  });

  test('at once when told to, and once more when told during an exchange', async () => {
    const { client, asked, pass, clock } = world([() => 'nothing', () => json({})], { settings: { timeoutMs: 5000 } });
    client.start();
    await pass(1000);
    client.checkNow();
    client.checkNow();
    await pass(4000);
    expect(asked.map(({ atMs }) => atMs)).toEqual([0, 5000]);
    client.checkNow();
    await pass(0);
    expect(asked).toHaveLength(3);
    expect(clock.armed).toEqual(['provisioning']);
  });
});

describe('a new document', () => {
  test('is taken into use and kept, and its ETag asked for from then on', async () => {
    const { client, asked, documents, statuses, files, pass } = world([
      () => json({ device: { name: 'New' } }, { etag: '"r7"' }),
      () => empty(304),
    ]);
    client.start();
    await pass(0);
    expect(documents).toEqual([{ device: { name: 'New' } }]);
    expect(statuses).toEqual(['applied']);
    expect(client.status).toEqual({ is: 'applied', revision: 'r7' });
    expect((await new ConfigStore('/state', files).load()).latest).toEqual({
      revision: 'r7',
      etag: '"r7"',
      fetchedAt: '2026-01-01T00:00:00.000Z',
      document: { device: { name: 'New' } },
    });
    await pass(1.2 * hourMs);
    expect(asked[1]!.headers).toMatchObject({ 'if-none-match': '"r7"', 'porter-revision': 'r7' });
    expect(statuses).toEqual(['applied', 'unchanged']);
  });

  test('without ETag gets a revision from its content', async () => {
    const { client, asked, statuses, pass } = world([() => json({ a: 1, b: 2 }), () => json({ b: 2, a: 1 })]);
    client.start();
    await pass(0);
    expect(client.status).toMatchObject({ is: 'applied', revision: expect.stringMatching(/^[0-9a-f]{16}$/) });
    await pass(1.2 * hourMs);
    expect(asked[1]!.headers).not.toHaveProperty('if-none-match');
    expect(statuses).toEqual(['applied', 'unchanged']);
  });

  test('that is the one in use is not handed on', async () => {
    const { client, documents, statuses, pass } = world([() => json(stored.document, { etag: '"other"' })], {
      current: stored,
    });
    client.start();
    await pass(30_000);
    expect([documents, statuses]).toEqual([[], ['unchanged']]);
  });

  test('that is refused leaves everything as it is, is told with its reasons, and is not judged twice', async () => {
    const answers = [
      () => json({ bad: 1 }, { etag: '"bad"' }),
      () => empty(304),
      () => empty(503),
      () => empty(304),
      () => json(stored.document, { etag: '"old"' }),
    ];
    const { client, asked, documents, statuses, files, pass, judge } = world(answers, { current: stored });
    judge(() => ({ accepted: false, reasons: ['bad: there is no such setting', 'and more'] }));
    client.start();
    await pass(30_000);
    expect(statuses).toEqual(['refused: bad: there is no such setting; and more']);
    expect(files.paths).toEqual([]);
    await pass(1.2 * hourMs);
    expect(asked[1]!.headers).toMatchObject({
      'if-none-match': '"bad"',
      'porter-revision': 'old',
      'porter-refused': 'bad',
    });
    expect(documents).toHaveLength(1);
    expect(client.status.is).toBe('refused');
    await pass(3 * hourMs);
    expect(statuses.slice(1)).toEqual([
      'unreachable: the server is not available (503)',
      'refused: bad: there is no such setting; and more',
      'unchanged',
    ]);
    const count = asked.length;
    client.checkNow();
    await pass(0);
    expect(asked[count]!.headers['if-none-match']).toBe('"old"');
    expect(asked[count]!.headers).not.toHaveProperty('porter-refused');
  });

  test('on which the device itself fails counts as refused', async () => {
    const { client, files, pass, judge } = world([() => json({ a: 1 })]);
    judge(() => Promise.reject(new Error('boom')));
    client.start();
    await pass(0);
    expect(client.status).toMatchObject({ is: 'refused', reasons: ['the device failed to take it over: boom'] });
    expect(files.paths).toEqual([]);
  });

  test('that cannot be kept is used, told, and fetched again to be kept', async () => {
    const { client, asked, documents, statuses, files, pass } = world([() => json({ a: 1 }, { etag: '"r1"' })]);
    files.fail = { at: 2, code: 'ENOSPC' };
    client.start();
    await pass(0);
    expect([documents.length, statuses]).toEqual([1, ['applied, not kept: ENOSPC']]);
    await pass(1.2 * hourMs);
    expect(asked[1]!.headers).not.toHaveProperty('if-none-match');
    expect([documents.length, statuses.at(-1)]).toEqual([1, 'unchanged']);
    expect((await new ConfigStore('/state', files).load()).latest?.revision).toBe('r1');
  });
});

describe('what goes wrong is told, and nothing is taken from it', () => {
  const long = `"${'x'.repeat(1024 * 1024)}"`;
  const typed = (type: string, body = '{}') => new Response(body, { headers: { 'content-type': type } });
  test.each<[string, () => Answer, string]>([
    [
      'no connection',
      () =>
        Object.assign(new TypeError('fetch failed'), {
          cause: { code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 127.0.0.1:1' },
        }),
      'connect ECONNREFUSED 127.0.0.1:1',
    ],
    [
      'a bad certificate',
      () => Object.assign(new TypeError('fetch failed'), { cause: new Error('self-signed certificate') }),
      'self-signed certificate',
    ],
    ['404', () => json({ error: 'x' }, {}, 404), 'the server does not know this device (404)'],
    ['401', () => empty(401), 'the server wants another token (401)'],
    ['500', () => empty(500), 'the server has a fault; see its log (500)'],
    ['an odd status', () => empty(206), 'unexpected status 206'],
    ['304 without being asked', () => empty(304), '304 to an unconditional request'],
    [
      'HTML',
      () => typed('text/html; charset=utf-8', '<h1>Log in</h1>'),
      'the answer is no JSON, its content type is text/html',
    ],
    ['no type', () => typed(''), 'the answer is no JSON, its content type is none'],
    ['half a document', () => typed('application/json', '{"a":'), 'the document is not JSON'],
    ['a list', () => json([]), 'the document is not a JSON object'],
    ['too long a document', () => typed('application/json', long), 'the document is longer than 1048576 bytes'],
    [
      'a redirection to http',
      () => redirect('http://fleet.example.org/'),
      'a redirection from https:// to http:// is not followed',
    ],
    [
      'a redirection to a file',
      () => redirect('file:///etc/passwd'),
      'a redirection from https:// to file:// is not followed',
    ],
    ['a redirection without target', () => empty(302), 'a redirection that leads nowhere'],
    ['a redirection in a circle', () => redirect('/again'), 'more than 3 redirections'],
  ])('%s', async (_, answer, why) => {
    const { client, documents, pass } = world([answer]);
    client.start();
    await pass(0);
    expect(client.status).toEqual({ is: 'unreachable', why });
    expect(documents).toEqual([]);
  });

  test('silence, after the timeout', async () => {
    const { client, pass } = world([() => 'nothing']);
    client.start();
    await pass(9999);
    expect(client.status.is).toBe('waiting');
    await pass(1);
    expect(client.status).toEqual({ is: 'unreachable', why: 'no answer within 10000 ms' });
  });

  test('a body that stops half way, after the timeout', async () => {
    const half = (signal: AbortSignal) => {
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode('{"a":'));
          // As fetch does with the body of an aborted exchange.
          signal.addEventListener('abort', () => controller.error(signal.reason));
        },
      });
      return new Response(body, { headers: { 'content-type': 'application/json' } });
    };
    const { client, pass } = world([half]);
    client.start();
    await pass(10_000);
    expect(client.status).toEqual({ is: 'unreachable', why: 'no answer within 10000 ms' });
  });
});

test('a redirection is followed, but the token stays with the server it is for', async () => {
  const { client, asked, documents, pass } = world([
    () => redirect('/v2/front'),
    () => redirect('https://elsewhere.example.org/front'),
    () => json({ a: 1 }),
  ]);
  client.start();
  await pass(0);
  expect(asked.map(({ url, headers }) => [url, headers.authorization])).toEqual([
    ['https://fleet.example.org/v1/devices/front/config', 'Bearer secret'],
    ['https://fleet.example.org/v2/front', 'Bearer secret'],
    ['https://elsewhere.example.org/front', undefined],
  ]);
  expect(documents).toEqual([{ a: 1 }]);
});

describe('after a failure', () => {
  test('comes back in growing, spread steps, and starts anew after a success', async () => {
    const answers = [
      ...Array.from({ length: 4 }, () => () => empty(500)),
      () => json({}, { etag: '"a"' }),
      () => empty(500),
    ];
    const { client, asked, pass } = world(answers);
    client.start();
    await pass(2 * hourMs);
    const pauses = asked.slice(1).map(({ atMs }, index) => atMs - asked[index]!.atMs);
    const within = (pauseMs: number, fullMs: number) => pauseMs >= fullMs / 2 && pauseMs <= fullMs;
    expect(pauses.slice(0, 4).map((pauseMs, step) => within(pauseMs, 5000 * 2 ** step))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(pauses[4]).toBeGreaterThan(0.9 * hourMs);
    expect(within(pauses[5]!, 5000)).toBe(true);
  });

  test('never waits longer than the interval', async () => {
    const { client, asked, pass } = world([() => empty(500)], { settings: { intervalMs: 60_000 } });
    client.start();
    await pass(hourMs);
    const pauses = asked.slice(1).map(({ atMs }, index) => atMs - asked[index]!.atMs);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(60_000);
    expect(asked.length).toBeGreaterThan(50);
  });

  test.each([
    ['120', 120_000],
    [new Date(wallStart + 600_000).toUTCString(), 600_000],
    ['99999999', 24 * hourMs],
    ['soon', 0],
    ['-5', 0],
    [new Date(wallStart - 600_000).toUTCString(), 0],
  ])('Retry-After: %s is honoured, with jitter on top', async (value, leastMs) => {
    const { client, asked, pass } = world([() => empty(503, { 'retry-after': value })]);
    client.start();
    await pass(leastMs + 5000);
    expect(asked).toHaveLength(2);
    expect(asked[1]!.atMs).toBeGreaterThan(leastMs);
  });
});

describe('stop', () => {
  test('disarms what waits', async () => {
    const { client, clock, asked, pass } = world([() => json({})]);
    client.start();
    await pass(0);
    await client.stop();
    expect(clock.idle).toBe(true);
    client.checkNow();
    await pass(10 * hourMs);
    expect(asked).toHaveLength(1);
  });

  test('aborts what runs', async () => {
    const { client, clock, pass, statuses } = world([() => 'nothing']);
    client.start();
    await pass(100);
    client.checkNow();
    await client.stop();
    expect([clock.idle, statuses]).toEqual([true, []]);
  });
});
