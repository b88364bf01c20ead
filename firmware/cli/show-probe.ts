/** `porter sip probe` for a person: each step with ✓ or ✗, then where it stopped and what to do. Pure. */
import type { ProbeResult } from '../controller/sip-probe.ts';
import { plain, wrap } from './text.ts';

const LABELS: Readonly<Record<ProbeResult['steps'][number]['step'], string>> = {
  name: 'name',
  connection: 'connection',
  tls: 'TLS',
  options: 'OPTIONS',
  authentication: 'password',
};
const LABEL = 14;

/** Lines of at most 80 columns (a single longer word stays whole). */
export function showProbe({ uri, account, reached, steps, meaning, advice }: ProbeResult): string[] {
  return [
    ...wrap(`${uri}${account === undefined ? '' : `, as account ${account}`}`, 2),
    ...steps.flatMap(({ step, done, found }) =>
      wrap(found, LABEL, `${done ? '✓' : '✗'} ${LABELS[step]}`.padEnd(LABEL)),
    ),
    ...(reached ? ['It can be reached.'] : []),
    ...(meaning === undefined ? [] : wrap(`That is: ${meaning}.`, 2)),
    ...(advice === undefined || advice === '' ? [] : wrap(advice, 2, '! ')),
  ].map(plain);
}
