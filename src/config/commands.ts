/** One command of the program: everything that help, completion and the reading of a command line need to know. */
export interface CommandRow {
  /** One line. */
  readonly does: string;
  /** Its own flags without a value. */
  readonly switches?: readonly string[];
  /** Its own flags with a value, each with the name of that value. */
  readonly values?: Readonly<Record<string, string>>;
  /** What may stand behind it without a flag, by its name; `required`: it has to. */
  readonly argument?: { readonly name: string; readonly required: boolean };
  /** It reads the whole configuration; the others ask one that runs, or nobody. */
  readonly configures?: true;
}

/** Every command, in the order of the help. */
export const commandTable = {
  run: { does: 'proxy until SIGTERM or SIGINT (the default command)', configures: true },
  'tls-client': { does: 'run with TLS_MODE=client: plain in, mutual TLS out', configures: true },
  'tls-server': { does: 'run with TLS_MODE=server: mutual TLS in, plain out', configures: true },
  register: {
    does: 'only register servers in etcd or a directory while they are healthy: --srv /srv/redis/debug --address 10.0.1.134:6379; --check redis; or services with REGISTER and without SRC',
    values: { srv: 'DIRECTORY', address: 'HOST:PORT', check: 'CHECK' },
    configures: true,
  },
  check: {
    does: 'check the settings, and the certificates and keys they name (--no-files: not these); print the effective settings; --online: ask the registry, S3 and each candidate, exit 1 when one fails; --against http://127.0.0.1:29092: what would change in the attache that runs there, exit 1 when something would; --json',
    switches: ['online', 'json', 'no-files'],
    values: { against: 'URL' },
    configures: true,
  },
  healthcheck: { does: 'ask /readyz of the running attache; exit 0 (ready) or 1 (not ready)' },
  wait: {
    does: 'wait until the running attache is ready, at most --timeout 30s (0: no limit); exit 0 (ready) or 1 (not ready)',
    values: { timeout: 'DURATION' },
  },
  status: {
    does: 'print the services and candidates of the running attache; --watch repeats it; --json; --check: exit 1 unless all serve',
    switches: ['watch', 'json', 'check'],
  },
  connections: {
    does: 'print the newest open connections of the running attache; --closed: ended ones; --failed: failed ones; --id 42: the story of one',
    switches: ['closed', 'failed', 'json'],
    values: { id: 'NUMBER', service: 'NAME', limit: 'NUMBER' },
  },
  drain: {
    does: 'give a candidate no new connections; open connections stay; --service: in that service only',
    values: { service: 'NAME' },
    argument: { name: 'CANDIDATE', required: true },
  },
  undrain: {
    does: 'give a drained candidate new connections again',
    values: { service: 'NAME' },
    argument: { name: 'CANDIDATE', required: true },
  },
  loglevel: {
    does: 'change LOG_LEVEL of the running attache until a restart',
    argument: { name: 'LEVEL', required: true },
  },
  apply: {
    does: 'make the running attache go over to the services of a JSON file (-: stdin); exit 1 if it refuses them',
    argument: { name: 'FILE', required: true },
  },
  reload: { does: 'make the running attache read its certificates and keys again; exit 1 if it refuses them' },
  quit: { does: 'stop the running attache as SIGTERM does' },
  completion: {
    does: 'print the completion script of a shell: bash, zsh or fish',
    argument: { name: 'SHELL', required: true },
  },
  help: {
    does: 'print this text, or the help of one command (also --help, -h)',
    argument: { name: 'COMMAND', required: false },
  },
  version: { does: 'print the version (also --version, -v)' },
} as const satisfies Readonly<Record<string, CommandRow>>;

export type CommandName = keyof typeof commandTable;

export const commandNames = Object.keys(commandTable) as readonly CommandName[];

/** The row of a command as any row. */
export function commandRow(name: CommandName): CommandRow {
  return commandTable[name];
}

/** `attache drain CANDIDATE [--service NAME]`, and what it does; without a newline at the end. */
export function commandHelp(name: CommandName): string {
  const { does, switches = [], values = {}, argument, configures } = commandRow(name);
  const flags = [
    ...(argument === undefined ? [] : [argument.required ? argument.name : `[${argument.name}]`]),
    ...switches.map((flag) => `[--${flag}]`),
    ...Object.entries(values).map(([flag, value]) => `[--${flag} ${value}]`),
  ];
  const settings =
    configures === true
      ? 'Every setting is also a flag of this command. attache help lists them.'
      : 'It finds the running attache through HTTP_ADDR or ADMIN_ADDR (variable or flag: --http-addr, --admin-addr).';
  const asks = !['help', 'version', 'completion'].includes(name);
  return [
    `Usage: attache ${[name, ...flags].join(' ')}`,
    `${does[0]?.toUpperCase() ?? ''}${does.slice(1)}.`,
    ...(asks ? [settings] : []),
  ].join('\n\n');
}
