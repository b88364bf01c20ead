/** What Node itself takes to answer: a socket that gives back the header fields it got, and reads nothing. Run by `sip-calls.ts` with a port. */
import { createSocket } from 'node:dgram';

const host = '127.0.0.1';
const port = Number(process.argv[2]);
const socket = createSocket({ type: 'udp4', lookup: (literal, _options, found) => found(null, literal, 4) });

socket.on('message', (bytes, from) => {
  const text = bytes.toString('latin1');
  const line = (name: string) => {
    const at = text.indexOf(`\r\n${name}: `) + 2;
    return text.slice(at, text.indexOf('\r\n', at));
  };
  const answer = (status: string, cseq = line('CSeq')) => {
    const echoed = [line('Via'), line('From'), `${line('To')};tag=bare`, line('Call-ID'), cseq];
    const own = [`Contact: <sip:bare@${host}:${port}>`, 'Content-Length: 0', '', ''];
    socket.send([`SIP/2.0 ${status}`, ...echoed, ...own].join('\r\n'), from.port, from.address);
  };
  if (text.startsWith('INVITE ')) answer(text.includes('answer-after') ? '200 OK' : '180 Ringing');
  else if (text.startsWith('CANCEL ')) {
    answer('200 OK');
    answer('487 Request Terminated', 'CSeq: 1 INVITE');
  } else if (!text.startsWith('ACK ')) answer('200 OK');
});
socket.bind(port, host);
