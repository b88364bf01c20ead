/** A peer on the virtual network that says exactly what a test tells it to: proxies, forks, routers, strangers. */
import type { Address } from '../../firmware/lib/address.ts';
import type { Message, Request, Response } from '../../firmware/sip/message/message.ts';
import { parseMessage } from '../../firmware/sip/message/parse.ts';
import { printMessage } from '../../firmware/sip/message/print.ts';
import { makeResponse, type Reply } from '../../firmware/sip/transaction/reply.ts';
import type { LossyNetwork } from './lossy-network.ts';

export class ScriptedPeer {
  readonly address: Address;
  /** Everything that came, in order. */
  readonly received: Message[] = [];
  /** Called for each request that comes. */
  onRequest: (request: Request) => void = () => {};
  readonly #network: LossyNetwork;
  #from: Address | undefined;

  constructor(network: LossyNetwork, address: Address) {
    this.address = address;
    this.#network = network;
    network.attach(address, (bytes, from) => {
      const message = parseMessage(bytes);
      if (message.kind === 'malformed') throw new Error(`the user agent sent nonsense: ${message.why}`);
      this.#from = from;
      this.received.push(message);
      if (message.kind === 'request') this.onRequest(message);
    });
  }

  requests(method: string): Request[] {
    return this.received.filter(
      (message): message is Request => message.kind === 'request' && message.method === method,
    );
  }

  responses(status?: number): Response[] {
    return this.received.filter(
      (message): message is Response =>
        message.kind === 'response' && (status === undefined || message.status === status),
    );
  }

  /** Statuses that came back, 100 left out. */
  get statuses(): number[] {
    return this.responses()
      .map(({ status }) => status)
      .filter(status => status !== 100);
  }

  reply(request: Request, status: number, { tag = 'peer', ...reply }: Reply & { tag?: string } = {}) {
    this.send(printMessage(makeResponse(request, status, tag, reply)));
  }

  /** Text with bare line ends, to whoever spoke last or to `to`. */
  say(text: string, to?: Address) {
    this.send(new TextEncoder().encode(text.trimStart().replaceAll(/\r?\n/g, '\r\n')), to);
  }

  send(bytes: Uint8Array, to = this.#from) {
    if (to === undefined) throw new Error('nobody has spoken yet');
    this.#network.send(bytes, this.address, to);
  }
}
