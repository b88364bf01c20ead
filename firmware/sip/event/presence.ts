/** The event package `presence`: whether this device is there, and free (RFC 3856, RFC 3863, RFC 4480). */
import type { Facts, Package } from './package.ts';
import { escaped, xmlHead } from './xml.ts';

const pidfType = 'application/pidf+xml';

export const presencePackage: Package = {
  name: 'presence',
  contentType: pidfType,
  gist: facts => (isBusy(facts) ? 'busy' : 'free'),
  open: () => presenceDocument,
};

const isBusy = ({ calls }: Facts) => calls.some(({ state }) => state !== 'ended');

const namespaces = [
  'xmlns="urn:ietf:params:xml:ns:pidf"',
  'xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"',
  'xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid"',
].join(' ');

export function presenceDocument(facts: Facts): string {
  const { entity, isOpen } = facts;
  const busy = isBusy(facts);
  // Who talks is there all the same (RFC 3863 §4.1.4); that it is busy stands beside it, for people and for machines.
  const note = busy ? '<note>On the phone</note>' : '';
  const activity = busy
    ? '<dm:person id="device"><rpid:activities><rpid:on-the-phone/></rpid:activities></dm:person>'
    : '';
  const tuple = `<tuple id="sip"><status><basic>${isOpen ? 'open' : 'closed'}</basic></status><contact>${escaped(entity)}</contact>${note}</tuple>`;
  return `${xmlHead}<presence ${namespaces} entity="${escaped(entity)}">${tuple}${activity}</presence>\n`;
}
