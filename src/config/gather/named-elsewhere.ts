import type { CommandName } from '../commands.ts';

/** What other programs call our settings, as flags and keys: too far from our names for a spelling to be near. */
export const settingsElsewhere: Readonly<Partial<Record<string, string>>> = {
  listen: 'src',
  'listen-address': 'src',
  source: 'src',
  bind: 'src',
  frontend: 'src',
  destination: 'dst',
  target: 'dst',
  upstream: 'dst',
  backend: 'dst',
  server: 'dst',
  servers: 'dst',
  etcd: 'dsc',
  endpoints: 'dsc',
  registry: 'dsc',
  timeout: 'connect-timeout',
  algorithm: 'balance',
  policy: 'balance',
  verbose: 'log-level',
};

/** What other programs call our commands. */
export const commandsElsewhere: Readonly<Partial<Record<string, CommandName>>> = {
  start: 'run',
  serve: 'run',
  proxy: 'run',
  stop: 'quit',
  shutdown: 'quit',
  validate: 'check',
  verify: 'check',
  lint: 'check',
  config: 'check',
  health: 'healthcheck',
  stats: 'status',
  top: 'status',
  ps: 'connections',
  list: 'connections',
};
