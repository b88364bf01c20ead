/** Settings: SIP accounts and the socket. */
import { field, section } from '../field.ts';
import { duration, ipAddress, line, named, sipServer, sipUri, whole, yesOrNo } from '../types.ts';

const needs = 're-register';

const account = section({
  uri: field(sipUri(), { help: 'Address of record: who this device is to the PBX.', needs }),
  displayName: field(line(64).optional(), { help: 'Shown on the telephone that is called.', needs }),
  registrar: field(sipServer().optional(), { help: 'Where to register. By default the host of `uri`.', needs }),
  outboundProxy: field(sipServer().optional(), { help: 'Every request goes here first (RFC 3261 §8.1.2).', needs }),
  username: field(line(128).optional(), { help: 'For digest authentication. By default the user of `uri`.', needs }),
  password: field(line(128).optional(), { help: 'For digest authentication.', secret: true, needs }),
  register: field(yesOrNo().prefault(true), { help: 'False: calls from peer to peer, nothing is registered.', needs }),
  anonymous: field(yesOrNo().prefault(false), {
    help: 'Calls do not tell who calls; only the server learns it (RFC 3323, RFC 3325).',
    needs,
  }),
  expires: field(duration(10_000, 86_400_000).prefault('5 min'), {
    help: 'How long a registration is asked to last (RFC 3261 §10.2.1.1).',
    needs,
  }),
});

export const sip = section({
  listen: section({
    host: field(ipAddress().prefault('0.0.0.0'), { help: 'Local address of the SIP socket.', needs: 'restart sip' }),
    port: field(whole(0, 65_535).prefault(5060), {
      help: 'Local UDP port of the SIP socket; 0 takes any free one.',
      needs: 'restart sip',
    }),
  }).prefault({}),
  maxCalls: field(whole(1, 8).prefault(1), {
    help: 'Calls at one time; one more is answered 486 Busy Here.',
    needs: 'restart sip',
  }),
  sessionTimer: field(duration(0, 86_400_000).prefault('30 min'), {
    help: 'How long a call lasts without a sign of life (RFC 4028), 90 s at least. `0 s`: only where the peer asks.',
    needs: 'restart sip',
  }),
  accounts: field(named(account).prefault({}), { help: 'SIP accounts by name.', needs }),
});
