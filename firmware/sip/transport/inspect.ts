/** Opens a TCP or TLS connection only to look at it: whether it can be had, and whose certificate is shown. */
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type PeerCertificate, type SecureContext, type TLSSocket } from 'node:tls';
import type { Clock } from '../../lib/clock.ts';
import type { Hop } from '../hop.ts';
import { explainTls, namesOf, whyNotFor } from './certificate.ts';
import { connectLimitMs } from './connection.ts';
import { explainConnect } from './streams.ts';

export interface Inspected {
  /** Until the connection was there. Milliseconds. */
  openMs: number;
  /** Why it cannot be used. */
  why?: string;
  /** The certificate, in words; absent where TLS was not reached. */
  tls?: string;
}

/** `done` is called once, later. */
export type Inspect = (to: Hop, done: (found: Inspected) => void) => void;

export function inspectConnection(
  { clock, localAddress, context }: { clock: Clock; localAddress: string | undefined; context: () => SecureContext },
  to: Hop,
  done: (found: Inspected) => void,
) {
  const startedMs = clock.now();
  let openMs = 0;
  let socket: Socket | undefined;
  let over = false;
  const finish = (found: Omit<Inspected, 'openMs'>) => {
    if (over) return;
    over = true;
    cancel();
    socket?.destroy();
    done({ openMs, ...found });
  };
  const cancel = clock.after(connectLimitMs, () => finish({ why: 'no connection in time' }), 'inspection');
  const { host, port, transport, domain = host } = to;
  const plain = connect({ host, port, ...(localAddress !== undefined && { localAddress }) });
  socket = plain;
  plain.on('error', error => finish({ why: explainConnect(error, to) }));
  plain.once('connect', () => {
    openMs = clock.now() - startedMs;
    if (transport !== 'tls') return finish({});
    try {
      const secure: TLSSocket = connectTls({
        socket: plain,
        secureContext: context(),
        minVersion: 'TLSv1.2',
        // Looked at, not used: a certificate that is refused shall be shown too.
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined,
        ...(isIP(domain) === 0 && { servername: domain }),
      });
      socket = secure;
      secure.on('error', error => finish({ tls: '', why: explainTls(error, domain) ?? explainConnect(error, to) }));
      secure.once('secureConnect', () => finish(judge(secure, domain)));
    } catch (error) {
      finish({ tls: '', why: (error as Error).message });
    }
  });
}

function judge(socket: TLSSocket, domain: string): Omit<Inspected, 'openMs'> {
  const certificate = socket.getPeerCertificate();
  // Node tells the code itself, whatever its type says.
  const code = socket.authorizationError as unknown as string | undefined;
  const refused = socket.authorized ? undefined : explain(String(code), domain);
  const why = refused ?? whyNotFor(domain, certificate);
  const tls = `${socket.getProtocol() ?? 'TLS'}, ${describe(certificate)}`;
  return { tls, ...(why !== undefined && { why }) };
}

const explain = (code: string, domain: string) =>
  explainTls(Object.assign(new Error(code), { code }), domain) ?? `the certificate of ${domain} is refused: ${code}`;

/** `certificate for pbx.example.org, signed by Example CA, valid until 2027-01-31`. */
function describe(certificate: PeerCertificate): string {
  const names = namesOf(certificate).slice(0, 4).join(', ');
  const until = new Date(certificate.valid_to);
  const signer = [certificate.issuer?.CN ?? certificate.issuer?.O ?? 'nobody'].flat().join(', ');
  const date = Number.isNaN(until.getTime()) ? certificate.valid_to : until.toISOString().slice(0, 10);
  return `certificate for ${names === '' ? 'no name' : names}, signed by ${signer}, valid until ${date}`;
}
