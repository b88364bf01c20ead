/** `porter sip`: what a technician asks of the telephone line, under one name. */
import type { AddCommand } from '../environment.ts';
import { addSipProbe } from './sip-probe.ts';
import { addSipStatus } from './sip-status.ts';
import { addSipTrace } from './sip-trace.ts';

export const addSip: AddCommand = (porter, environment) => {
  const sip = porter.command('sip').description('look at the telephone line: its messages, its servers');
  addSipProbe(sip, environment);
  addSipStatus(sip, environment);
  addSipTrace(sip, environment);
};
