/** Names to addresses. */
import { expect, test } from 'vitest';
import type { Address } from '../../../../firmware/lib/address.ts';
import { systemResolve } from '../../../../firmware/sip/locate/system.ts';

const find = (host: string, port?: number) =>
  new Promise<{ addresses: readonly Address[]; why: string | undefined }>(resolve =>
    systemResolve(host, port, (addresses, why) => resolve({ addresses, why })),
  );

test.each(['192.0.2.1', '2001:db8::1'])('%s is itself, at once', host => {
  let found: readonly Address[] = [];
  systemResolve(host, undefined, addresses => {
    found = addresses;
  });
  expect(found).toEqual([{ host, port: 5060 }]);
});

test('a name has the port that was asked for', async () => {
  const { addresses } = await find('localhost', 5070);
  expect(addresses.length).toBeGreaterThan(0);
  expect(addresses.every(({ port }) => port === 5070)).toBe(true);
});

test('a name that cannot be found says why', async () => {
  const { addresses, why } = await find('no-such-host.invalid');
  expect(addresses).toEqual([]);
  expect(why).toContain('no-such-host.invalid');
});
