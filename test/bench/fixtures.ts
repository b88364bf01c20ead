/** SIP messages of the sizes and shapes that a PBX and a device exchange. */

const lines = (...text: string[]) => `${text.join('\r\n')}\r\n`;

const sdp = lines(
  'v=0',
  'o=- 1848711 1848711 IN IP4 192.0.2.10',
  's=Asterisk',
  'c=IN IP4 192.0.2.10',
  't=0 0',
  'm=audio 14402 RTP/AVP 107 8 0 9 101',
  'a=rtpmap:107 opus/48000/2',
  'a=fmtp:107 useinbandfec=1',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:9 G722/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-16',
  'a=ptime:20',
  'a=maxptime:150',
  'a=sendrecv',
);

export const MESSAGES = {
  'INVITE with SDP':
    lines(
      'INVITE sip:front@192.0.2.31:5060;ob SIP/2.0',
      'Via: SIP/2.0/UDP 192.0.2.10:5060;rport;branch=z9hG4bKPjbc9a1d7e-64c8-4b40-a4d9-7fb2b8bdbdc1',
      'Via: SIP/2.0/UDP 198.51.100.7:5062;received=198.51.100.7;rport=5062;branch=z9hG4bK-524287-1---7a2c3f5e6d1b8a90',
      'Record-Route: <sip:192.0.2.10;lr;ftag=as5f3c2b1a>',
      'From: "Reception desk" <sip:reception@pbx.example.org>;tag=as5f3c2b1a',
      'To: <sip:front@pbx.example.org>',
      'Contact: <sip:reception@192.0.2.10:5060>',
      'Call-ID: 1f6b3a0c-77e1-4d8f-9a5d-2c4ec8e2b1d0',
      'CSeq: 21764 INVITE',
      'Max-Forwards: 69',
      'Allow: OPTIONS, REGISTER, SUBSCRIBE, NOTIFY, PUBLISH, INVITE, ACK, BYE, CANCEL, UPDATE, PRACK, INFO, REFER',
      'Supported: 100rel, timer, replaces, norefersub, histinfo',
      'Session-Expires: 1800',
      'Min-SE: 90',
      'P-Asserted-Identity: "Reception desk" <sip:reception@pbx.example.org>',
      'Call-Info: <sip:pbx.example.org>;answer-after=0',
      'User-Agent: Asterisk PBX 20.9.3',
      'Content-Type: application/sdp',
      `Content-Length: ${sdp.length}`,
      '',
    ) + sdp,
  '200 with SDP':
    lines(
      'SIP/2.0 200 OK',
      'Via: SIP/2.0/UDP 192.0.2.31:5060;rport=5060;received=192.0.2.31;branch=z9hG4bK9f3d2a7c51e84b06',
      'Record-Route: <sip:192.0.2.10;lr>',
      'From: "Front gate" <sip:front@pbx.example.org>;tag=6b1f0e7d',
      'To: <sip:reception@pbx.example.org>;tag=as77c2d9e4',
      'Call-ID: 8d2c7f5b1a3e4690',
      'CSeq: 2 INVITE',
      'Server: Asterisk PBX 20.9.3',
      'Allow: OPTIONS, REGISTER, SUBSCRIBE, NOTIFY, PUBLISH, INVITE, ACK, BYE, CANCEL, UPDATE, PRACK, INFO, REFER',
      'Supported: replaces, timer',
      'Contact: <sip:reception@192.0.2.10:5060>',
      'Content-Type: application/sdp',
      `Content-Length: ${sdp.length}`,
      '',
    ) + sdp,
  REGISTER: lines(
    'REGISTER sip:pbx.example.org SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.31:5060;rport;branch=z9hG4bK4c1d8e2f7a6b5093',
    'Max-Forwards: 70',
    'From: "Front gate" <sip:front@pbx.example.org>;tag=3a9c5d1e',
    'To: <sip:front@pbx.example.org>',
    'Call-ID: 5e7f1b3c9d2a4860',
    'CSeq: 14 REGISTER',
    'Contact: <sip:front@192.0.2.31:5060>;expires=300',
    'Authorization: Digest username="front", realm="pbx.example.org", nonce="1732262400/9f86d081884c7d659a2feaa0c55ad015", ' +
      'uri="sip:pbx.example.org", response="6629fae49393a05397450978507c4ef1", algorithm=MD5, qop=auth, nc=00000001, ' +
      'cnonce="0a4f113b", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
    'Allow: INVITE, ACK, CANCEL, BYE, OPTIONS',
    'User-Agent: porter/0.1.0',
    'Content-Length: 0',
    '',
  ),
} as const;
