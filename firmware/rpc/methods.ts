/** The methods that the device offers, once for every way in: the unix socket, MQTT. */
import { z } from 'zod';
import type { Effective } from '../config/layers.ts';
import type { Action, Device, Origin } from '../controller/contracts.ts';
import type { ProbeRequest } from '../controller/sip-probe.ts';
import { isMalformed, parseAction } from '../io/actions.ts';
import { ErrorCode, failure, type Request, type Response, readRequest, result } from './json-rpc.ts';
import { trace } from './trace.ts';

/** What the methods act upon. */
export interface Offered {
  device: Device;
  /** Every effective setting. Secrets are hidden here, in one place. */
  settings(): readonly Effective[];
}

/** Who asks. */
export interface Caller {
  readonly origin: Origin;
  /** Why this caller may not ask for this action; undefined where it may. */
  refuse?(action: Action): string | undefined;
  /**
   * Begins a stream of notifications that lasts until the caller goes; a second one replaces the first. `begin` gets
   * the way to send one, and a way to ask whether the caller reads as fast as it is told; it returns what ends it.
   * Absent where nothing can be followed.
   */
  follow?(begin: (notify: (method: string, params: unknown) => void, keepsUp: () => boolean) => () => void): void;
}

type Answer = (value: unknown) => void;

interface Method {
  params: z.ZodType;
  /** Answers once, perhaps later. What cannot be done is a value, not an exception. */
  run(offered: Offered, caller: Caller, params: never, answer: Answer): void;
}

/** What stands in place of a secret. */
const HIDDEN = '(hidden)';

/** The setting as it may be shown. That a secret is not set is no secret. */
export const hideSecret = (setting: Effective): Effective =>
  setting.secret && setting.value !== undefined ? { ...setting, value: HIDDEN } : setting;

const none = z.strictObject({}).optional();

const METHODS: Readonly<Record<string, Method>> = {
  status: {
    params: none,
    run: ({ device }, _caller, _params, answer) => device.freshStatus(answer),
  },

  names: {
    params: none,
    run: ({ device }, _caller, _params, answer) => answer(device.names()),
  },

  /** Answers an ActionResult: a refusal is a result, so that a caller can tell "no" from "not understood". */
  perform: {
    params: z.strictObject({ action: z.string() }),
    run: ({ device }, caller, { action: text }: { action: string }, answer) => {
      const action = parseAction(text);
      if (isMalformed(action)) return answer({ done: false, code: 'bad request', why: action.malformed });
      const why = caller.refuse?.(action);
      answer(why === undefined ? device.perform(action, caller.origin) : { done: false, code: 'not allowed', why });
    },
  },

  'config.show': {
    params: none,
    run: (offered, _caller, _params, answer) => answer(offered.settings().map(hideSecret)),
  },

  /** From the answer on, every event comes as a notification `event`, until the caller goes. */
  events: {
    params: none,
    run: ({ device }, caller, _params, answer) => {
      answer({ following: caller.follow !== undefined });
      caller.follow?.(notify => device.onEvent(event => notify('event', event)));
    },
  },

  /** The sound's ways through the device; `why` where the media thread does not answer. */
  'audio.graph': {
    params: none,
    run: ({ device }, _caller, _params, answer) => device.audioGraph(answer),
  },

  /** Whether multicast arrives here, group by group. */
  'paging.test': {
    params: none,
    run: ({ device }, _caller, _params, answer) => device.pagingTest(answer),
  },

  /** The telephone line alone, in detail. */
  'sip.status': {
    params: none,
    run: ({ device }, _caller, _params, answer) => answer(device.sipStatus()),
  },

  /** Answers a ProbeResult, within a minute; `why` where there is nothing to ask. */
  'sip.probe': {
    params: z.strictObject({
      target: z.string().min(1).max(1024),
      account: z.string().optional(),
      transport: z.enum(['udp', 'tcp', 'tls']).optional(),
    }),
    run: ({ device }, caller, params: ProbeRequest, answer) => {
      // It sends where the caller likes: the device's own user may have that.
      if (caller.origin === 'cli') device.sipProbe(params, answer);
      else answer({ why: 'only the command line of the device may probe' });
    },
  },

  /**
   * From the answer on, every SIP message comes as a notification `sip`, whole and unmasked, until the caller goes;
   * with `rtp` also RTP and RTCP, as notifications `rtp` of some packets each.
   */
  'sip.trace': {
    params: z.strictObject({ rtp: z.boolean().optional() }).optional(),
    run: ({ device }, caller, params: { rtp?: boolean } | undefined, answer) => {
      answer({ following: caller.follow !== undefined });
      caller.follow?.((notify, keepsUp) => trace(device, { notify, keepsUp, rtp: params?.rtp ?? false }));
    },
  },
};

/**
 * Carries out one request. `done` is called once, perhaps later, with the answer to send: none for a notification.
 * Never throws: a method that does is our fault, and its caller hears "internal error".
 */
export function handle(
  text: string,
  offered: Offered,
  caller: Caller,
  done: (answer: Response | undefined) => void,
): void {
  const request = readRequest(text);
  if ('refused' in request) {
    done(request.refused);
    return;
  }
  const { id } = request;
  let answered = false;
  const reply = (answer: Response) => {
    if (answered) return;
    answered = true;
    done(id === undefined ? undefined : answer);
  };
  try {
    dispatch(request, offered, caller, reply);
  } catch (error) {
    reply(failure(id ?? null, ErrorCode.internal, `internal error: ${error instanceof Error ? error.message : error}`));
  }
}

function dispatch(
  { id = null, method, params }: Request,
  offered: Offered,
  caller: Caller,
  reply: (r: Response) => void,
) {
  const found = Object.hasOwn(METHODS, method) ? METHODS[method] : undefined;
  if (!found) {
    const known = Object.keys(METHODS).join(', ');
    return reply(failure(id, ErrorCode.methodNotFound, `there is no such method; there are: ${known}`));
  }
  const checked = found.params.safeParse(params);
  if (!checked.success) {
    const { path, message } = checked.error.issues[0]!;
    return reply(failure(id, ErrorCode.invalidParams, `${['params', ...path].join('.')}: ${message}`));
  }
  found.run(offered, caller, checked.data as never, value => reply(result(id, value)));
}
