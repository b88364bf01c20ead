/** The architecture as a table: which room may import which. `scripts/check` obeys it. */

/** A room may import itself and what stands beside it; nothing else of the project. */
export const mayImport: Record<string, readonly string[]> = {
  hal: [],
  'firmware/lib': ['hal/contracts.ts'],
  'firmware/config': ['firmware/lib', 'hal/contracts.ts'],
  // A session's body is opaque to SIP: it knows neither descriptions nor sound, nor they it.
  'firmware/sip': ['firmware/lib'],
  'firmware/sdp': ['firmware/lib'],
  'firmware/rtp': ['firmware/lib'],
  'firmware/audio': ['firmware/lib'],
  'firmware/paging': ['firmware/lib', 'firmware/rtp', 'firmware/audio'],
  'firmware/io': ['firmware/lib', 'hal/contracts.ts'],
  'firmware/media': [
    'firmware/lib',
    'firmware/sdp',
    'firmware/rtp',
    'firmware/audio',
    'firmware/paging',
    'hal/contracts.ts',
    'hal/audio',
    'hal/thread-priority.ts',
  ],
  'firmware/controller': [
    'firmware/lib',
    'firmware/config',
    'firmware/io',
    'firmware/sip',
    'firmware/media',
    'firmware/paging',
    'hal/contracts.ts',
  ],
  'firmware/supervise': ['firmware/lib', 'firmware/controller', 'hal/contracts.ts'],
  'firmware/rpc': ['firmware/lib', 'firmware/config', 'firmware/io', 'firmware/controller'],
  'firmware/report': ['firmware/lib', 'firmware/config', 'firmware/io', 'firmware/controller', 'firmware/rpc'],
  'firmware/cli': [
    'firmware/lib',
    'firmware/config',
    'firmware/io',
    'firmware/controller',
    'firmware/rpc',
    // A trace is read as SIP and as session descriptions.
    'firmware/sip/message',
    'firmware/sdp',
    'firmware/self-test',
  ],
  // Stands in for a device that does not run.
  'firmware/self-test': ['firmware/*', 'hal'],
  'firmware/device.ts': ['firmware/*', 'hal'],
  'firmware/wiring.ts': ['firmware/config', 'firmware/controller', 'hal'],
  'firmware/probe-alone.ts': ['firmware/*'],
  'firmware/run.ts': ['firmware/*', 'hal', 'provisioning'],
  'firmware/main.ts': ['firmware/*', 'hal'],
  provisioning: ['firmware/lib', 'firmware/config', 'firmware/io/actions.ts', 'hal/boards'],
  test: ['*'],
  scripts: ['*'],
};

/** Raw time, chance and environment have one home each; anywhere else they are an error. */
export const bannedGlobals: readonly { pattern: RegExp; say: string; homes: readonly string[] }[] = [
  {
    pattern: /\b(?:Date\.now|performance\.now|setTimeout|setInterval|setImmediate|process\.hrtime)\b|\bnew Date\(\)/,
    say: 'time comes from an injected Clock or WallClock',
    homes: ['firmware/lib/clock.ts', 'hal/audio/packages-child.ts'],
  },
  {
    pattern: /\bMath\.random\b|\brandomBytes\b|\brandomInt\b|\brandomUUID\b|\bgetRandomValues\b/,
    say: 'chance comes from an injected Random',
    homes: ['firmware/lib/random.ts'],
  },
  {
    pattern: /\bprocess\.(?:env|exit|argv|stdout|stderr|stdin|on|once|cwd)\b|\bconsole\./,
    say: 'the environment is read in main.ts and handed down',
    homes: ['firmware/main.ts', 'provisioning/server/main.ts', 'hal/audio/packages-child.ts'],
  },
];

/** Where the bans hold; tests and scripts may do as they like. */
export const guarded: readonly string[] = ['hal', 'firmware', 'provisioning'];
