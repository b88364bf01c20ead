/** What a person reads of `porter paging test`. */
import { expect, test } from 'vitest';
import { showPagingTest } from '../../../firmware/cli/show-paging-test.ts';

const joined = { arrives: true, packets: 99 };

test('all is well', () => {
  const shown = showPagingTest({
    groups: { all: joined },
    querier: { is: 'heard', from: '192.0.2.1', agoMs: 34_000 },
  });
  expect(shown).toEqual([
    '✓ all   joined; 99 packets of others so far',
    '✓ IGMP  192.0.2.1 asked who is a member, 34 s ago',
  ]);
});

test('nothing arrives, and why that may be', () => {
  const shown = showPagingTest({
    groups: {
      all: { arrives: false, packets: 0 },
      yard: { arrives: true, packets: 0 },
      roof: { arrives: false, packets: 0, why: 'no network leads to it' },
    },
    querier: { is: 'none', forMs: 260_000, leftMs: 0 },
  }).join('\n');
  expect(shown).toContain('✗ all   no multicast arrives here: not even what this machine sends to the');
  expect(shown).toContain('✓ yard  joined; nothing has come from others yet');
  expect(shown).toContain('✗ roof  no network leads to it');
  expect(shown).toContain('✗ IGMP  nobody has asked who is a member for 260 s: this network has no');
  for (const advice of ['! A firewall of this machine', '! Where nothing has come', '! Switches that watch IGMP'])
    expect(shown).toContain(advice);
});
