/** `porter sip probe --alone`: asks without a device, from a port of its own. Loaded only for that. */
import type { Config } from './config/schema.ts';
import { type ProbeRequest, type ProbeResult, probeTarget, withAdvice } from './controller/sip-probe.ts';
import { systemClock, wallClock } from './lib/clock.ts';
import { silentLog } from './lib/log.ts';
import { systemRandom } from './lib/random.ts';
import { systemResolve, systemServices } from './sip/locate/system.ts';
import { SipSockets } from './sip/transport/sockets.ts';
import { UserAgent } from './sip/user-agent.ts';

/** Until the sockets know their ports. Milliseconds. */
const OPEN_MS = 100;

/** `config`: its accounts, contacts and certificates count; nothing is registered. */
export async function probeAlone(
  request: ProbeRequest,
  config: Config,
  version: string,
): Promise<ProbeResult | { why: string }> {
  const target = probeTarget(request, config);
  if ('why' in target) return target;
  const { accounts, listen, tls } = config.sip;
  const parts = { clock: systemClock, random: systemRandom, log: silentLog };
  const socket = new SipSockets({ listen: { ...listen, port: 0 }, tls: { ...tls, port: 0 } }, parts);
  const userAgent = new UserAgent(
    { ...parts, wallClock, resolve: systemResolve, services: systemServices, transport: socket },
    {
      accounts: Object.entries(accounts).map(([id, { uri, username, password, transport, expires }]) => ({
        id,
        aor: uri,
        register: false,
        expiresMs: expires,
        ...(username !== undefined && { username }),
        ...(password !== undefined && { password }),
        ...(transport !== undefined && { transport }),
      })),
      product: `Porter/${version}`,
      maxCalls: 0,
      ringLimitMs: 1,
      maxRedirects: 0,
    },
    {
      // It has no line: whoever calls hears 486 before anybody is asked.
      onInvite: () => {
        throw new Error('nobody can be called here');
      },
      onRegistration: () => {},
    },
  );
  let failed: string | undefined;
  socket.start(
    (bytes, from) => userAgent.receive(bytes, from),
    why => {
      failed ??= why;
    },
  );
  userAgent.start();
  const { uri, account, transport } = target;
  const hasPassword = account !== undefined && accounts[account]?.password !== undefined;
  await new Promise<void>(resolve => systemClock.after(OPEN_MS, resolve));
  const result = await new Promise<ProbeResult | { why: string }>(resolve => {
    if (failed !== undefined) return resolve({ why: failed });
    userAgent.probe(account, { uri, transport, inspect: (to, done) => socket.inspect(to, done) }, probed =>
      resolve(withAdvice(target, probed, hasPassword)),
    );
  });
  await new Promise<void>(resolve => userAgent.stop(0, resolve));
  socket.stop();
  return result;
}
