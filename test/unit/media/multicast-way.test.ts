/** Groups of IPv4 and IPv6 on a machine with several network ports. */
import { describe, expect, test } from 'vitest';
import { bindAddress, multicastWay } from '../../../firmware/media/multicast-way.ts';

const at = (address: string, internal = false) => ({ address, internal });
const machine = {
  lo: [at('127.0.0.1', true), at('::1', true)],
  eth0: [at('192.0.2.10'), at('2001:db8::10'), at('fe80::1')],
  wlan0: [at('198.51.100.7'), at('fe80::2')],
  usb0: [at('203.0.113.1')],
};

describe('a port that is named by an address', () => {
  test.each([
    [4, '192.0.2.10', '192.0.2.10', '192.0.2.10'],
    [6, '2001:db8::10', '::%eth0', '2001:db8::10'],
    // As people write it.
    [6, '2001:DB8:0::10', '::%eth0', '2001:DB8:0::10'],
    // Of the other family than the group.
    [6, '192.0.2.10', '::%eth0', undefined],
    [4, '2001:db8::10', '192.0.2.10', '192.0.2.10'],
    [6, '127.0.0.1', '::%lo', undefined],
  ] as const)('IPv%i at %s: %s', (family, host, name, from) => {
    expect(multicastWay(family, host, machine)).toEqual({ interface: name, from });
  });

  test('that nobody has just now is left to the machine, as far as it can be', () => {
    expect(multicastWay(4, '192.0.2.99', machine)).toEqual({ interface: '192.0.2.99', from: '192.0.2.99' });
    expect(multicastWay(6, '192.0.2.99', machine)).toEqual({ interface: undefined, from: undefined });
  });

  test('may be left out: the routes lead there', () => {
    for (const family of [4, 6] as const)
      expect(multicastWay(family, undefined, machine)).toEqual({ interface: undefined, from: undefined });
  });
});

describe('a group of the link alone', () => {
  test.each([
    ['ff02::7', '198.51.100.7', 'ff02::7%wlan0'],
    ['ff12::7', '2001:db8::10', 'ff12::7%eth0'],
    ['FF02::7', undefined, 'FF02::7%eth0'],
    ['ff02::7%wlan0', '192.0.2.10', 'ff02::7%wlan0'],
    // These go further than the link, and mean the same everywhere.
    ['ff15::7', '192.0.2.10', 'ff15::7'],
    ['ff05::7', undefined, 'ff05::7'],
    ['239.1.1.1', '192.0.2.10', '239.1.1.1'],
  ])('%s with the port %s is bound at %s', (group, host, bound) => {
    expect(bindAddress(group, host, machine)).toBe(bound);
  });

  test('is bound as it is where no port has IPv6', () => {
    expect(bindAddress('ff02::7', undefined, { usb0: machine.usb0 })).toBe('ff02::7');
  });
});
