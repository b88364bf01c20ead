/** A registrar with an address on the virtual network: a user agent that serves REGISTER. */
import type { Address } from '../../firmware/lib/address.ts';
import { Registrar, type RegistrarSettings } from '../desk/registrar.ts';
import type { LossyNetwork } from './lossy-network.ts';
import { seeded } from './seeded.ts';
import { Phone, type PhoneOptions } from './sip-phone.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface SipDesk {
  phone: Phone;
  registrar: Registrar;
}

export function sipDesk(
  clock: VirtualClock,
  network: LossyNetwork,
  address: Address,
  settings: Partial<RegistrarSettings> = {},
  options: Partial<PhoneOptions> = {},
): SipDesk {
  const all: RegistrarSettings = { realm: 'desk.example', passwords: { front: 'secret' }, ...settings };
  const registrar = new Registrar({ clock, random: seeded(99) }, all);
  const phone = new Phone(clock, network, {
    address,
    seed: 3,
    methods: { REGISTER: transaction => registrar.serve(transaction) },
    ...options,
  });
  return { phone, registrar };
}
