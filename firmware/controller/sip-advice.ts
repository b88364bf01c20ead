/** What an answer of a SIP server means to whoever stands before the device, and what to do about it: one table. Pure data. */

export interface Outcome {
  /** Absent: there was no answer. */
  status?: number;
  /** The reason phrase, or in our words why there was none. */
  why: string;
  /** The account has one to answer a challenge with. */
  hasPassword?: boolean;
}

export interface Advice {
  meaning: string;
  advice: string;
}

interface Row extends Advice {
  /** A status, or what our own words contain. */
  when: number | RegExp;
}

const TABLE: readonly Row[] = [
  // ---- answers
  { when: 200, meaning: 'the server agrees', advice: '' },
  {
    when: 301,
    meaning: 'the account has moved to another server',
    advice: 'Ask whoever runs the PBX for the new address; set it as registrar or in uri.',
  },
  {
    when: 302,
    meaning: 'the server sends us to another server',
    advice: 'Ask whoever runs the PBX which server this account shall use; set it as registrar.',
  },
  {
    when: 400,
    meaning: 'the server does not understand what we send',
    advice: 'Record it with porter sip trace --full and show it to the maker of the PBX.',
  },
  {
    when: 401,
    meaning: 'user name or password is wrong',
    advice: 'Compare username and password of the account with the PBX; username may differ from the number.',
  },
  {
    when: 403,
    meaning: 'the server knows us and refuses: locked, wrong password, or not allowed from this address',
    advice: 'Look in the PBX whether the account is locked, bound to another address, or banned after wrong passwords.',
  },
  {
    when: 404,
    meaning: 'the PBX has no such user',
    advice: 'Compare the user in uri with the extension in the PBX; also the domain behind the @.',
  },
  {
    when: 405,
    meaning: 'the server takes no registrations',
    advice: 'The address is a trunk or a phone, no registrar: set registrar, or register to false.',
  },
  {
    when: 407,
    meaning: 'a proxy on the way does not accept user name or password',
    advice: 'Compare username and password of the account with the PBX; username may differ from the number.',
  },
  {
    when: 408,
    meaning: 'a server on the way got no answer in time',
    advice: 'The PBX answers, what stands behind it does not: look there, or for a wrong outbound proxy.',
  },
  {
    when: 416,
    meaning: 'the server does not take this kind of address',
    advice: 'Write the address with sip: in place of sips:.',
  },
  {
    when: 420,
    meaning: 'the server does not have what we ask for',
    advice: 'Record it with porter sip trace --full and show it to the maker of the PBX.',
  },
  {
    when: 423,
    meaning: 'the server wants registrations that last longer',
    advice: 'Make expires of the account longer.',
  },
  {
    when: 480,
    meaning: 'whom we ask for is not there now: not registered, or silent',
    advice: 'Look in the PBX whether that telephone is registered, and not in do-not-disturb.',
  },
  {
    when: 483,
    meaning: 'the message goes round in circles',
    advice: 'Two servers send it to each other: look at the routes of the PBX.',
  },
  { when: 486, meaning: 'whom we ask for is busy', advice: 'Nothing is wrong with the line.' },
  {
    when: 488,
    meaning: 'no codec, or no encryption, in common',
    advice: 'Compare media.codecs with the codecs that the PBX allows for this account.',
  },
  {
    when: 500,
    meaning: 'the server has a fault of its own',
    advice: 'Look into the log of the PBX. The device goes on trying.',
  },
  {
    when: 502,
    meaning: 'the server got nonsense from a server behind it',
    advice: 'Look into the log of the PBX. The device goes on trying.',
  },
  {
    when: 503,
    meaning: 'the server is overloaded or being serviced',
    advice: 'Wait, or look at the PBX. The device goes on trying, and other servers of the domain first.',
  },
  {
    when: 504,
    meaning: 'the server could not reach a server behind it',
    advice: 'Look at the network and the name service of the PBX.',
  },
  { when: 603, meaning: 'the call, or the account, was declined', advice: 'Ask whoever runs the PBX for the reason.' },
  {
    when: 606,
    meaning: 'the server does not accept our address or what we offer',
    advice: 'Look whether the PBX sees the device behind a NAT, and which transports it allows.',
  },

  // ---- no answer: the name
  {
    when: /no such host|no address found/,
    meaning: 'the name of the server does not exist',
    advice: 'Correct the name in uri or registrar, or the name server of this device.',
  },
  {
    when: /name not resolved|DNS does not answer|DNS: E/,
    meaning: 'the name server does not answer',
    advice: 'Look at the network and the name servers of this device, or write the address of the PBX as numbers.',
  },
  {
    when: /there is no such service/,
    meaning: 'DNS says that this domain has no SIP service',
    advice: 'Ask whoever runs the domain; or name the server itself as registrar.',
  },
  // ---- no answer: TLS
  {
    when: /signed by nobody/,
    meaning: 'the certificate of the server comes from an authority that this device does not know',
    advice: 'Put the certificate of that authority into a file and name it in sip.tls.ca.',
  },
  {
    when: /has expired/,
    meaning: 'the certificate of the server is no longer valid, or the clock of this device is wrong',
    advice: 'Look at the clock (date, NTP); if it is right, renew the certificate of the PBX.',
  },
  {
    when: /not valid yet/,
    meaning: 'the certificate of the server is not valid yet, or the clock of this device is wrong',
    advice: 'Look at the clock (date, NTP).',
  },
  {
    when: /the certificate of \S+ (?:is for|names no SIP domain)/,
    meaning: 'the certificate of the server is for another name',
    advice: 'Write the name of the certificate into uri or registrar, or have the certificate made for this name.',
  },
  {
    when: /does not speak TLS/,
    meaning: 'there is a server, and it does not speak TLS at this port',
    advice: 'TLS is usually at port 5061; or set transport to tcp or udp.',
  },
  {
    when: /refused our TLS/,
    meaning: 'the server does not accept our side of TLS',
    advice: 'It may want a certificate of this device: sip.tls.certificate and sip.tls.key.',
  },
  {
    when: /sip\.tls\.\w+: \S+ cannot be read|files of sip\.tls cannot be used/,
    meaning: 'our own files for TLS cannot be used',
    advice: 'Look at the path, the owner and the contents (PEM) of the files in sip.tls.',
  },
  // ---- no answer: the way
  {
    when: /no network/,
    meaning: 'this device has no network',
    advice: 'Look at the cable, the switch, and whether the device has an address.',
  },
  {
    when: /refuses TCP connections/,
    meaning: 'the machine is there, and nothing listens at that port over TCP',
    advice: 'Is the PBX running, and at this port? Or set transport to udp.',
  },
  {
    when: /no route to/,
    meaning: 'the network does not lead there',
    advice: 'Look at the address, the gateway and the VLAN of this device.',
  },
  {
    when: /broke the connection|closed by the peer/,
    meaning: 'the server took the connection and closed it',
    advice: 'A firewall, a limit of the PBX, or the wrong port (TLS is usually at 5061).',
  },
  {
    when: /no connection in time/,
    meaning: 'nothing answers at that address over TCP',
    advice: 'Look at the address, the port, and firewalls on the way; or set transport to udp.',
  },
  {
    when: /UDP is switched off/,
    meaning: 'the account wants UDP, which is switched off here',
    advice: 'Add udp to sip.listen.transports, or set transport of the account.',
  },
  {
    when: /is taken by another program|may not be|no address of this/,
    meaning: 'this device cannot open its own SIP port',
    advice: 'See the line above: another program, another address, or rights.',
  },
  {
    when: /no answer/,
    meaning: 'nothing comes back: wrong address or port, PBX down, or a firewall that swallows it',
    advice: 'Ping the PBX, look at its port, and try transport tcp.',
  },
  {
    when: /could not send/,
    meaning: 'the message could not be sent',
    advice: 'Look at the address and the network of this device.',
  },
];

const NO_PASSWORD: Advice = {
  meaning: 'the server wants a password, and the account has none here',
  advice: 'Set password (and username, where it is not the user of uri) of the account.',
};

/** By class, where the status itself has no row (RFC 3261 §8.1.3.2). */
const CLASSES: Readonly<Record<number, Advice>> = {
  1: { meaning: 'the server is busy with it', advice: '' },
  2: { meaning: 'the server agrees', advice: '' },
  3: { meaning: 'the server sends us elsewhere', advice: 'Ask whoever runs the PBX which server to use.' },
  4: {
    meaning: 'the server refuses what we ask',
    advice: 'Record it with porter sip trace --full and look into the log of the PBX.',
  },
  5: {
    meaning: 'the server has a fault of its own',
    advice: 'Look into the log of the PBX. The device goes on trying.',
  },
  6: { meaning: 'it is refused everywhere', advice: 'Ask whoever runs the PBX for the reason.' },
};

/** What it means, and what to do; an empty `advice`: nothing. */
export function adviceOn({ status, why, hasPassword = true }: Outcome): Advice {
  if ((status === 401 || status === 407) && !hasPassword) return NO_PASSWORD;
  const row = TABLE.find(({ when }) =>
    typeof when === 'number' ? when === status : status === undefined && when.test(why),
  );
  if (row !== undefined) return { meaning: row.meaning, advice: row.advice };
  if (status !== undefined) return CLASSES[Math.floor(status / 100)]!;
  return { meaning: why, advice: 'The log of the device may say more; so may porter sip trace.' };
}
