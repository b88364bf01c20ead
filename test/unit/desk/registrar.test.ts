/** The desk's registrar: who may register, for how long, and where a user is then. */
import { describe, expect, test } from 'vitest';
import { answerChallenge } from '../../../firmware/sip/digest/client.ts';
import type { RegistrarSettings } from '../../desk/registrar.ts';
import { LossyNetwork, presets } from '../../sim/lossy-network.ts';
import { ScriptedPeer } from '../../sim/scripted-peer.ts';
import { seeded } from '../../sim/seeded.ts';
import { sipDesk } from '../../sim/sip-desk.ts';
import { Phone } from '../../sim/sip-phone.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

const deskAddress = { host: '192.0.2.10', port: 5060 };
const frontAddress = { host: '192.0.2.20', port: 5060 };

function world(settings: Partial<RegistrarSettings> = {}) {
  const clock = new VirtualClock();
  const network = new LossyNetwork(clock, seeded(1), presets.perfect);
  const changes: string[] = [];
  const { registrar } = sipDesk(clock, network, deskAddress, {
    onRegistered: (user, contact) => changes.push(`+ ${user} ${contact}`),
    onUnregistered: (user, contact) => changes.push(`- ${user} ${contact}`),
    ...settings,
  });
  return { clock, network, registrar, changes };
}

function device({ clock, network }: ReturnType<typeof world>, password = 'secret', expiresMs = 60_000) {
  const account = { aor: 'sip:front@192.0.2.10', register: true, password, expiresMs };
  const phone = new Phone(clock, network, { address: frontAddress, account });
  clock.advance(100);
  return phone;
}

test.each([['MD5'], ['SHA-256'], ['SHA-512-256']] as const)(
  'a device with the right password is found (%s)',
  algorithm => {
    const desk = world({ algorithms: [algorithm] });
    device(desk);
    expect(desk.registrar.contactFor('front')).toBe('sip:front@192.0.2.20:5060');
    expect(desk.changes).toEqual(['+ front sip:front@192.0.2.20:5060']);
  },
);

test('a wrong password, and a user that does not exist, are refused alike', () => {
  for (const passwords of [{ front: 'other' }, {}] as Record<string, string>[]) {
    const desk = world({ passwords });
    const phone = device(desk);
    expect(phone.registrations.at(-1)).toMatchObject({ is: 'failed', status: 401 });
    expect(desk.registrar.contactFor('front')).toBeUndefined();
  }
});

test('too short a time is refused with 423, and the device obeys', () => {
  const desk = world({ leastS: 90 });
  expect(device(desk).registrations.at(-1)).toMatchObject({ is: 'registered', untilMs: 90_006 });
});

test('a device that went away is not found after its time', () => {
  const desk = world();
  const phone = device(desk);
  phone.unplug();
  desk.clock.advance(61_000);
  expect(desk.registrar.contactFor('front')).toBeUndefined();
});

describe('a REGISTER written by hand', () => {
  let sequence = 100;

  /** Answers the challenge and returns the final response. */
  function register(desk: ReturnType<typeof world>, contacts: readonly string[], expires = '60', user = 'front') {
    const peer = new ScriptedPeer(desk.network, frontAddress);
    const send = (authorization: string) => {
      sequence++;
      peer.say(
        [
          'REGISTER sip:192.0.2.10 SIP/2.0',
          `Via: SIP/2.0/UDP 192.0.2.20;branch=z9hG4bK${sequence}`,
          `From: <sip:${user}@192.0.2.10>;tag=1`,
          `To: <sip:${user}@192.0.2.10>`,
          `Call-ID: ${sequence}`,
          `CSeq: ${sequence} REGISTER`,
          ...contacts.map(contact => `Contact: ${contact}`),
          `Expires: ${expires}`,
          authorization,
          '\n',
        ]
          .filter(line => line !== '')
          .join('\n'),
        deskAddress,
      );
      desk.clock.advance(10);
    };
    send('');
    const challenges = peer.responses(401)[0]!.headers.all('WWW-Authenticate');
    const answer = answerChallenge({
      challenges,
      method: 'REGISTER',
      uri: 'sip:192.0.2.10',
      username: 'front',
      password: 'secret',
      cnonce: 'c',
      nonceCount: 1,
    });
    send(`Authorization: ${answer!.header}`);
    return peer.responses().at(-1)!;
  }

  test('without Contact asks what there is', () => {
    const desk = world();
    device(desk);
    const { status, headers } = register(desk, []);
    expect(status).toBe(200);
    expect(headers.all('Contact')).toEqual(['<sip:front@192.0.2.20:5060>;expires=60']);
  });

  test('for somebody else is refused', () => {
    expect(register(world(), ['<sip:x@192.0.2.20>'], '60', 'boss').status).toBe(403);
  });

  test('of * with Expires 0 takes all back; of * otherwise is wrong', () => {
    const desk = world();
    expect(register(desk, ['<sip:a@192.0.2.20>', '<sip:b@192.0.2.20>']).headers.all('Contact').length).toBe(2);
    expect(register(desk, ['*']).status).toBe(400);
    expect(desk.registrar.contactFor('front')).toBe('sip:b@192.0.2.20');
    expect(register(desk, ['*'], '0').status).toBe(200);
    expect(desk.registrar.contactFor('front')).toBeUndefined();
  });

  test('with one bad Contact changes nothing', () => {
    const desk = world();
    expect(register(desk, ['<sip:a@192.0.2.20>', '<tel:1>']).status).toBe(400);
    expect(register(desk, ['<sip:a@192.0.2.20>', '<sip:b@192.0.2.20>;expires=1']).status).toBe(423);
    expect(desk.registrar.contactFor('front')).toBeUndefined();
  });

  test('keeps no more than eight bindings of a user', () => {
    const contacts = Array.from({ length: 12 }, (_, index) => `<sip:${index}@192.0.2.20>`);
    expect(register(world(), contacts).headers.all('Contact').length).toBe(8);
  });
});
