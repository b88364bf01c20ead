/** `porter audio`: what a technician asks of the sound, under one name. */
import type { AddCommand } from '../environment.ts';
import { addAudioGraph } from './audio-graph.ts';

export const addAudio: AddCommand = (porter, environment) => {
  const audio = porter.command('audio').description('look at the sound: its ways through the device');
  addAudioGraph(audio, environment);
};
