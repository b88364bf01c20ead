/** What we can do, told to whom asks with OPTIONS (RFC 3261 §11.2). */
import type { Address } from '../lib/address.ts';
import { type Core, contactAt } from './core.ts';
import { supportedAtAll } from './extensions.ts';
import type { Reply } from './transaction/reply.ts';

export const optionsReply = (core: Core, source: Address): Reply => ({
  headers: [
    ['Contact', contactAt(undefined, core.transport.localFor(source))],
    ['Allow', core.allow],
    ['Allow-Events', core.allowEvents],
    ['Accept', 'application/sdp'],
    ['Accept-Encoding', 'identity'],
    ['Accept-Language', 'en'],
    ['Supported', supportedAtAll],
  ],
});
