/** Reads the blocks of a little-endian pcapng file; throws where a length is wrong. For tests of the writer. */

export interface Block {
  type: number;
  linkType: number | undefined;
  interface: number | undefined;
  atMs: number | undefined;
  bytes: Buffer | undefined;
  comment: string | undefined;
  flags: number | undefined;
}

export function readBlocks(file: Buffer): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < file.length; ) {
    const type = file.readUInt32LE(at);
    const length = file.readUInt32LE(at + 4);
    if (length % 4 !== 0 || file.readUInt32LE(at + length - 4) !== length) throw new Error(`bad block at ${at}`);
    blocks.push(readBlock(type, file.subarray(at + 8, at + length - 4)));
    at += length;
  }
  return blocks;
}

function readBlock(type: number, body: Buffer): Block {
  if (type !== 6) {
    const linkType = type === 1 ? body.readUInt16LE(0) : undefined;
    return {
      type,
      linkType,
      interface: undefined,
      atMs: undefined,
      bytes: undefined,
      comment: undefined,
      flags: undefined,
    };
  }
  const captured = body.readUInt32LE(12);
  const options = new Map<number, Buffer>();
  for (let at = 20 + Math.ceil(captured / 4) * 4; body.readUInt16LE(at) !== 0; ) {
    const length = body.readUInt16LE(at + 2);
    options.set(body.readUInt16LE(at), body.subarray(at + 4, at + 4 + length));
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return {
    type,
    linkType: undefined,
    interface: body.readUInt32LE(0),
    atMs: (body.readUInt32LE(4) * 2 ** 32 + body.readUInt32LE(8)) / 1000,
    bytes: body.subarray(20, 20 + captured),
    comment: options.get(1)?.toString('utf8'),
    flags: options.get(2)?.readUInt32LE(0),
  };
}
