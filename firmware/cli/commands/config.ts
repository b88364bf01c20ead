/** `porter config`: the commands about settings, under one name. */
import type { AddCommand } from '../environment.ts';
import { addConfigCheck } from './config-check.ts';
import { addConfigSchema } from './config-schema.ts';
import { addConfigShow } from './config-show.ts';

export const addConfig: AddCommand = (porter, environment) => {
  const config = porter.command('config').description('check settings, show them and where each comes from');
  addConfigCheck(config, environment);
  addConfigSchema(config, environment);
  addConfigShow(config, environment);
};
