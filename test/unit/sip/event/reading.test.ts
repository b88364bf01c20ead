/** What is read from presence documents and lists of calls, as servers and telephones write them. */
import { describe, expect, test } from 'vitest';
import { dialogPackage } from '../../../../firmware/sip/event/dialog-info.ts';
import { presenceDocument } from '../../../../firmware/sip/event/presence.ts';
import { availabilityIn, DialogReader } from '../../../../firmware/sip/event/reading.ts';
import { seeded } from '../../../sim/seeded.ts';
import { spoil } from '../../../sim/spoil.ts';

const body = (xml: string) => ({ contentType: '', bytes: new TextEncoder().encode(xml) });
const pidf = (inside: string) =>
  availabilityIn(
    body(`<?xml version="1.0"?>\n<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:a@b">${inside}</presence>`),
  );

describe('a presence document', () => {
  test.each([
    ['<tuple id="1"><status><basic>open</basic></status></tuple>', 'available'],
    ['<tuple id="1"><status><basic> closed\n</basic></status></tuple>', 'away'],
    [
      '<tuple><status><basic>closed</basic></status></tuple><tuple><status><basic>open</basic></status></tuple>',
      'available',
    ],
    ['<p:tuple id="1"><p:status><p:basic>OPEN</p:basic></p:status></p:tuple>', 'available'],
    // Asterisk
    [
      '<note>On the phone</note><tuple id="1"><contact priority="1">sip:a@b</contact><status><basic>open</basic></status></tuple>',
      'busy',
    ],
    ['<note>Ready</note><tuple id="1"><status><basic>open</basic></status></tuple>', 'available'],
    // RPID, in both of its places
    [
      '<tuple id="1"><status><basic>open</basic></status></tuple><dm:person><rpid:activities><rpid:on-the-phone/></rpid:activities></dm:person>',
      'busy',
    ],
    [
      '<dm:person><rpid:activities><rpid:away></rpid:away></rpid:activities></dm:person><tuple><status><basic>open</basic></status></tuple>',
      'away',
    ],
    ['<tuple><status><basic>open</basic></status></tuple><!-- <rpid:activities><rpid:busy/> -->', 'available'],
    ['<tuple><status><basic>open</basic><busy/></status></tuple>', 'available'],
    ['', 'unknown'],
    ['<tuple><status><basic>perhaps</basic></status></tuple>', 'unknown'],
    ['<tuple><status><basic>open', 'available'],
    ['<', 'unknown'],
    ['<!-- <basic>open</basic>', 'unknown'],
  ] as const)('%s', (inside, availability) => {
    expect(pidf(inside)).toBe(availability);
  });

  test('of our own is read as it was meant', () => {
    const call = {
      id: 'a',
      localTag: 'l',
      remoteTag: undefined,
      direction: 'incoming',
      state: 'ringing',
      account: undefined,
      remote: { uri: 'sip:x' },
    } as const;
    const facts = { entity: 'sip:a@b', calls: [], isOpen: true };
    expect(availabilityIn(body(presenceDocument(facts)))).toBe('available');
    expect(availabilityIn(body(presenceDocument({ ...facts, calls: [call] })))).toBe('busy');
    expect(availabilityIn(body(presenceDocument({ ...facts, isOpen: false })))).toBe('away');
    const write = dialogPackage.open();
    const reader = new DialogReader();
    const read = (calls: (typeof call)[]) => reader.read(body(write({ ...facts, calls })));
    expect([read([]), read([call]), read([])]).toEqual(['available', 'busy', 'available']);
  });
});

describe('a list of calls', () => {
  const info = (version: number, state: 'full' | 'partial', ...dialogs: [id: string, state: string][]) =>
    body(
      `<dialog-info version="${version}" state='${state}' entity="sip:a@b">${dialogs
        .map(([id, each]) => `<dialog id="${id}" direction="recipient"><state event="x">${each}</state></dialog>`)
        .join('')}</dialog-info>`,
    );

  test.each(['trying', 'proceeding', 'early', 'confirmed'])('with one that is %s is busy', state => {
    expect(new DialogReader().read(info(0, 'full', ['a', state]))).toBe('busy');
  });

  test('is followed through partial documents', () => {
    const reader = new DialogReader();
    expect(reader.read(info(1, 'full', ['a', 'confirmed']))).toBe('busy');
    expect(reader.read(info(2, 'partial', ['b', 'early']))).toBe('busy');
    expect(reader.read(info(3, 'partial', ['a', 'terminated']))).toBe('busy');
    expect(reader.read(info(4, 'partial', ['b', 'terminated']))).toBe('available');
  });

  test('that has been overtaken is not looked at, until the versions begin anew', () => {
    const reader = new DialogReader();
    reader.read(info(7, 'full', ['a', 'confirmed']));
    expect(reader.read(info(6, 'full'))).toBe('busy');
    reader.reset();
    expect(reader.read(info(0, 'full'))).toBe('available');
  });

  test('of a thousand calls is not remembered whole', () => {
    const many = Array.from({ length: 1_000 }, (_, index) => [`id-${index}`, 'confirmed'] as [string, string]);
    expect(new DialogReader().read(info(0, 'full', ...many))).toBe('busy');
  });

  test.each(['', 'no xml', '<dialog id="a"><state>confirmed</state></dialog>', '<<<>>>', '<dialog-info'])(
    '%j is none',
    text => {
      expect(new DialogReader().read(body(text))).toBe('unknown');
    },
  );
});

test('spoiled documents are read as something, and never throw', () => {
  const random = seeded(1);
  const documents = [
    '<presence xmlns="urn:ietf:params:xml:ns:pidf"><tuple id="1"><status><basic>open</basic></status></tuple></presence>',
    '<dialog-info version="1" state="full"><dialog id="a"><state>early</state></dialog></dialog-info>',
  ].map(text => new TextEncoder().encode(text));
  const all = ['available', 'busy', 'away', 'unknown'];
  for (let count = 0; count < 2_000; count++) {
    const spoiled = { contentType: '', bytes: spoil(documents[count % 2]!, random) };
    expect(all).toContain(availabilityIn(spoiled));
    expect(all).toContain(new DialogReader().read(spoiled));
  }
});
