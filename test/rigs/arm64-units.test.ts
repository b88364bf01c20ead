/** The unit tests of what touches native code and bytes, run by Node for arm64. */
import { arm64System } from '../../scripts/rigs/arm64/system.ts';
import { NATIVE_PARTS, runUnits } from '../../scripts/rigs/arm64/units.ts';
import { asTests, casesOf, endedWell, say } from './in-guest.ts';

/** `scripts/rig arm64 --unit`: these instead; none are all. */
const asked = process.env.PORTER_RIG_UNITS?.split(' ').filter(Boolean);
const { report, output, code } = await runUnits(await arm64System(say), asked ?? NATIVE_PARTS, say);
asTests('unit tests', { cases: [...casesOf(report), endedWell(code === 0)], story: output, measured: [] }, 'on arm64');
