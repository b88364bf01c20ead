/** What Linksys and Cisco SPA telephones say on the control address: a page starts or stops on another address. */

const LINKSYS_BYTES = 16;
const COMMANDS = { start: 6, stop: 7 } as const;
/** Below are ports of services. */
const LEAST_PORT = 1024;

export interface LinksysCommand {
  command: keyof typeof COMMANDS;
  /** Of this page: the time at which it was begun. The command is sent twice. */
  id: number;
  /** Where its RTP goes. */
  host: string;
  port: number;
}

/** Undefined where it is malformed, or names an address that is no multicast. */
export function parseLinksys(bytes: Uint8Array): LinksysCommand | undefined {
  if (bytes.length !== LINKSYS_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const code = view.getUint32(4);
  const command = code === COMMANDS.start ? 'start' : code === COMMANDS.stop ? 'stop' : undefined;
  const port = view.getUint32(12);
  const isMulticast = bytes[8]! >= 224 && bytes[8]! <= 239;
  if (command === undefined || !isMulticast || port < LEAST_PORT || port > 65_535) return undefined;
  return { command, id: view.getUint32(0), host: bytes.subarray(8, 12).join('.'), port };
}

export function printLinksys({ command, id, host, port }: LinksysCommand): Uint8Array {
  const bytes = new Uint8Array(LINKSYS_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, id);
  view.setUint32(4, COMMANDS[command]);
  bytes.set(host.split('.').map(Number), 8);
  view.setUint32(12, port);
  return bytes;
}
