/** Builds the rig's kernel before two files would both do so. That it cannot be built is told by their tests. */
import { rigKernel } from '../../../scripts/rigs/uml/kernel.ts';

export async function setup() {
  try {
    await rigKernel(line => process.stderr.write(`porter: ${line}\n`));
  } catch {}
}
