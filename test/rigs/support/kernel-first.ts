/** Builds the rig's kernel before two files would both do so. That it cannot be built is told by their tests. */
import { rigKernel } from '../../../scripts/rigs/uml/kernel.ts';

/** `scripts/rig arm64` runs by itself, without it. */
const UNWANTED = process.env.PORTER_RIG === 'arm64';

export async function setup() {
  if (UNWANTED) return;
  try {
    await rigKernel(line => process.stderr.write(`porter: ${line}\n`));
  } catch {}
}
