/** What the media thread is started with, from the configuration and the board. */
import type { AudioSpec, Board } from '../../hal/contracts.ts';
import type { Config } from '../config/schema.ts';
import type { MediaSettings } from '../media/protocol.ts';
import { pagingSettings } from './paging-settings.ts';

/** `instanceId`: `urn:uuid:…` of this device, where it has one. */
export function mediaSettings(config: Config, { definition }: Board, instanceId?: string): MediaSettings {
  const { device, audio, media, calls } = config;
  const board = definition.audio;
  const { side } = audio.lineOut;
  return {
    audio: {
      driver: audio.driver ?? board.driver,
      capture: audio.capture ?? board.capture,
      playback: audio.playback ?? board.playback,
      rate: audio.rate ?? board.rate,
      periodMs: audio.period ?? board.periodMs,
      bufferMs: audio.buffer ?? board.bufferMs,
      captureFile: audio.captureFile ?? board.captureFile,
      playbackFile: audio.playbackFile ?? board.playbackFile,
      microphoneSide: audio.microphoneSide ?? board.microphoneSide ?? 'both',
      loudspeakerSide: audio.loudspeakerSide ?? board.loudspeakerSide ?? 'both',
      mixer: mixerOf(audio.mixer),
      ...(side !== 'none' && { lineOutSide: side }),
    },
    rtpPorts: media.rtpPorts,
    dscp: media.dscp,
    jitter: { minMs: media.jitter.min, maxMs: media.jitter.max },
    silentAfterMs: media.silentAfter,
    country: audio.country,
    keysInSound: calls.dtmf.inSound,
    opus: media.opus,
    loudspeakerDb: audio.loudspeaker,
    microphoneDb: audio.microphone,
    acoustics: {
      echo: audio.echo ?? definition.acoustics?.echo ?? 'auto',
      noiseSuppression: audio.noiseSuppression ?? definition.acoustics?.noiseSuppression ?? true,
      automaticGain: audio.automaticGain ?? definition.acoustics?.automaticGain ?? false,
      volumeFollowsNoise: { upToDb: audio.volumeFollowsNoise.upTo, quietDb: audio.volumeFollowsNoise.quiet },
    },
    lineOut: side === 'none' ? undefined : { plays: audio.lineOut.plays, gainDb: audio.lineOut.gain },
    cname: device.id,
    serial: instanceId === undefined ? undefined : Number.parseInt(instanceId.slice(-8), 16),
    paging: pagingSettings(config),
  };
}

const mixerOf = ({ use, card, loudspeaker, microphone }: Config['audio']['mixer']): AudioSpec['mixer'] => ({
  off: !use,
  ...(card !== undefined && { card }),
  ...(loudspeaker !== undefined && { loudspeaker }),
  ...(microphone !== undefined && { microphone }),
});
