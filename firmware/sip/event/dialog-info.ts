/** The event package `dialog`: the calls of this device, for lamps on other telephones (RFC 4235). */
import type { Call } from '../contracts.ts';
import type { CallFacts, Facts, Package } from './package.ts';
import { escaped, xmlHead } from './xml.ts';

/** RFC 4235 §3.7.1. A telephone that rings is `early`: its lamp blinks, and the call can be picked up. */
const states: Record<Call['state'], 'trying' | 'early' | 'confirmed' | 'terminated'> = {
  inviting: 'trying',
  ringing: 'early',
  answered: 'confirmed',
  confirmed: 'confirmed',
  ended: 'terminated',
};

export const dialogPackage: Package = {
  name: 'dialog',
  contentType: 'application/dialog-info+xml',
  gist: ({ calls }) =>
    calls
      .filter(({ state }) => state !== 'ended')
      .map(({ id, state, remoteTag }) => `${id} ${states[state]} ${remoteTag}`)
      .join(),
  open() {
    let version = 0;
    /** What the subscriber believes to go on: its end is told once. */
    let told = new Map<string, CallFacts>();
    return facts => {
      const present = new Map(facts.calls.map(call => [call.id, call]));
      const gone = [...told.values()].filter(({ id }) => !present.has(id));
      const shown = facts.calls.filter(({ id, state }) => state !== 'ended' || told.has(id));
      told = new Map(facts.calls.filter(({ state }) => state !== 'ended').map(call => [call.id, call]));
      const dialogs = [...shown, ...gone.map(call => ({ ...call, state: 'ended' as const }))];
      return dialogInfo(version++, facts, dialogs);
    };
  },
};

function dialogInfo(version: number, { entity }: Facts, calls: readonly CallFacts[]): string {
  // §4.1: always the full state. It is small, and who missed one document misses nothing.
  const head = `version="${version}" state="full" entity="${escaped(entity)}"`;
  const dialogs = calls.map(call => dialog(entity, call)).join('');
  return `${xmlHead}<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" ${head}>${dialogs}</dialog-info>\n`;
}

function dialog(entity: string, { id, localTag, remoteTag, direction, state, remote }: CallFacts): string {
  const attributes = [
    ['id', id],
    ['call-id', id],
    ['local-tag', localTag],
    ...(remoteTag === undefined ? [] : [['remote-tag', remoteTag]]),
    ['direction', direction === 'incoming' ? 'recipient' : 'initiator'],
  ].map(([name, value]) => ` ${name}="${escaped(value!)}"`);
  const display = remote.displayName === undefined ? '' : ` display="${escaped(remote.displayName)}"`;
  return [
    `<dialog${attributes.join('')}><state>${states[state]}</state>`,
    `<local><identity>${escaped(entity)}</identity><target uri="${escaped(entity)}"/></local>`,
    `<remote><identity${display}>${escaped(remote.uri)}</identity><target uri="${escaped(remote.uri)}"/></remote>`,
    '</dialog>',
  ].join('');
}
