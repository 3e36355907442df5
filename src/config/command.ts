import { ConfigError } from '../core/errors.ts';
import { commandNames, commandRow, type CommandName } from './commands.ts';
import { shells, type Shell } from './completion.ts';
import { readFlags, type ReadFlags } from './gather/flags.ts';
import type { Flags } from './gather/given-flags.ts';
import { expected, oneOf, type Kind } from './table/kind.ts';
import { commandsElsewhere } from './gather/named-elsewhere.ts';
import { didYouMean, nearest } from './gather/nearest.ts';
import { count, duration } from './table/plain-kinds.ts';
import { flagOf } from './table/settings.ts';

/** What a command line asks for. */
export type Command =
  | { readonly kind: 'run'; readonly flags: Flags }
  | {
      readonly kind: 'check';
      readonly flags: Flags;
      readonly json: boolean;
      readonly files: boolean;
      readonly online: boolean;
      /** The running attache that it is compared with, as typed. */
      readonly against: string | undefined;
    }
  | AskingCommand
  | { readonly kind: 'completion'; readonly shell: Shell }
  /** Undefined: of the whole program. */
  | { readonly kind: 'help'; readonly of: CommandName | undefined }
  | { readonly kind: 'version' };

/** One that asks an attache that runs. */
export type AskingCommand = { readonly flags: Flags } & (
  | { readonly kind: 'healthcheck' | 'quit' | 'reload' }
  | { readonly kind: 'status'; readonly watch: boolean; readonly json: boolean; readonly check: boolean }
  | ({ readonly kind: 'connections'; readonly id: number | undefined; readonly json: boolean } & ConnectionsWanted)
  | { readonly kind: 'drain' | 'undrain'; readonly candidate: string; readonly service: string | undefined }
  | { readonly kind: 'loglevel'; readonly level: string }
  | { readonly kind: 'apply'; readonly file: string }
  /** 0: no limit. */
  | { readonly kind: 'wait'; readonly timeoutMs: number }
);

/** Which connections are to be listed. */
export interface ConnectionsWanted {
  /** Those that ended, in place of open ones. */
  readonly closed: boolean;
  /** Of those, the ones that did not end well. */
  readonly failed: boolean;
  readonly service: string | undefined;
  /** At most this many. */
  readonly limit: number | undefined;
}

const DEFAULT_WAIT_MS = 30_000;
/** Commands of the seed that are `run` with a mode. */
const MODES: Readonly<Partial<Record<string, string>>> = { 'tls-client': 'client', 'tls-server': 'server' };

/**
 * Reads a command line: `[command] [flags]`, where the command is `run` unless it is named.
 *
 * Faulty flags are no error here: they are in `flags.faults`, for `loadConfig` to report together with the
 * environment's.
 *
 * @param argv what follows the program's own name
 * @throws ConfigError for an unknown command, and for one without what it needs
 */
export function parseCommand(argv: readonly string[]): Command {
  const [first] = argv;
  const isNamed = first !== undefined && !first.startsWith('-');
  const kind = isNamed ? commandNamed(first) : 'run';
  if (kind === 'version') return { kind };
  if (kind === 'help') return { kind, of: commandNames.find((name) => name === argv[1]) };
  const { switches: known, values, argument: named } = commandRow(kind);
  const own = { switches: known ?? [], values: Object.keys(values ?? {}), argument: named?.name };
  const read = readFlags(isNamed ? argv.slice(1) : argv, own);
  if (read.kind === 'help') return { kind: 'help', of: isNamed ? kind : undefined };
  if (read.kind === 'version') return { kind: read.kind };
  const { flags, switches } = read;
  switch (kind) {
    case 'run':
    case 'healthcheck':
    case 'reload':
    case 'quit':
      return { kind, flags };
    case 'check':
      return {
        kind,
        flags,
        json: switches.has('json'),
        files: !switches.has('no-files'),
        online: switches.has('online'),
        against: read.values.get('against'),
      };
    case 'status':
      return { kind, flags, watch: switches.has('watch'), json: switches.has('json'), check: switches.has('check') };
    case 'connections':
      return connections(read);
    case 'wait': {
      const timeout = ownValue(read, 'timeout', duration);
      return { kind, flags: timeout.flags, timeoutMs: timeout.value ?? DEFAULT_WAIT_MS };
    }
    case 'drain':
    case 'undrain':
      return { kind, flags, candidate: argumentOf(read, kind), service: read.values.get('service') };
    case 'loglevel':
      return { kind, flags, level: argumentOf(read, kind) };
    case 'apply':
      return { kind, flags, file: argumentOf(read, kind) };
    case 'completion':
      return { kind, shell: shellNamed(argumentOf(read, kind)) };
    case 'register':
      return { kind: 'run', flags: registering(read) };
    case 'tls-client':
    case 'tls-server':
      break;
  }
  const mode = { name: 'TLS_MODE', text: MODES[kind] ?? '', origin: kind, fromFlag: true };
  return { kind: 'run', flags: { ...flags, given: [mode, ...flags.given] } };
}

type Read = Extract<ReadFlags, { readonly kind: 'flags' }>;

function connections(read: Read): Command {
  const id = ownValue(read, 'id', count);
  const limit = ownValue({ ...read, flags: id.flags }, 'limit', count);
  const [closed, failed, json] = ['closed', 'failed', 'json'].map((name) => read.switches.has(name));
  return {
    kind: 'connections',
    flags: limit.flags,
    id: id.value,
    limit: limit.value,
    // Only those that ended can have ended badly.
    closed: closed === true || failed === true,
    failed: failed === true,
    json: json === true,
    service: read.values.get('service'),
  };
}

/** `register --srv /srv/redis --address 10.0.1.134:6379` as the settings that say the same. */
function registering({ flags, values }: Read): Flags {
  const has = (name: string) => flags.given.some((one) => one.name === name);
  const [srv, address, check] = ['srv', 'address', 'check'].map((name) => values.get(name));
  const said = [
    ['REGISTER', srv, '--srv'],
    ['REGISTER_ADDRESS', address, '--address'],
    // The server is dialed where others dial it, unless it is said.
    ['DST', has('DST') ? undefined : address, '--address'],
    ['HEALTH_CHECK', check, '--check'],
  ] as const;
  const given = said.flatMap(([name, text, origin]) =>
    text === undefined ? [] : [{ name, text, origin, fromFlag: true }],
  );
  const isListening = flags.given.find(({ name }) => name === 'SRC' || name.startsWith('SRC_'));
  const message = 'expected no listener, as the command register only registers; attache run does both';
  const faults = isListening === undefined ? [] : [{ setting: isListening.origin, message }];
  return { given: [...given, ...flags.given], faults: [...flags.faults, ...faults] };
}

/** @throws ConfigError when there is none */
function argumentOf({ argument, flags }: Read, name: CommandName): string {
  if (argument !== undefined) return argument;
  const wanted = commandRow(name).argument?.name ?? '';
  const message = `expected ${wanted} behind it, as in: attache ${name} ${EXAMPLES[wanted] ?? wanted}; got none`;
  throw new ConfigError([...flags.faults, { setting: name, message }]);
}

const EXAMPLES: Readonly<Partial<Record<string, string>>> = {
  CANDIDATE: '10.0.3.144:6379',
  LEVEL: 'debug',
  FILE: 'services.json',
  SHELL: 'bash',
};

/** @throws ConfigError */
function shellNamed(text: string): Shell {
  const shell = shells.find((name) => name === text);
  if (shell !== undefined) return shell;
  throw new ConfigError([{ setting: 'completion', message: expected(oneOf(shells), text) }]);
}

/** A flag of the command's own; what is wrong with it is reported with everything else. */
function ownValue<T>(
  { flags, values }: Read,
  flag: string,
  kind: Kind<T>,
): { readonly flags: Flags; readonly value: T | undefined } {
  const text = values.get(flag);
  if (text === undefined) return { flags, value: undefined };
  const parsed = kind.parse(text);
  if (parsed.ok) return { flags, value: parsed.value };
  const faults = parsed.faults.map((message) => ({ setting: `--${flag}`, message }));
  return { flags: { ...flags, faults: [...flags.faults, ...faults] }, value: undefined };
}

function commandNamed(name: string): CommandName {
  const command = commandNames.find((known) => known === name);
  if (command !== undefined) return command;
  const fault = expected(oneOf(commandNames), name);
  const [, variable] = /^(?:export\s+)?([A-Z][A-Z_]*)=/.exec(name) ?? [];
  const hint =
    variable === undefined
      ? didYouMean(commandsElsewhere[name] ?? nearest(name, commandNames))
      : `; a variable stands before the program, a flag behind it: --${flagOf(variable)}`;
  throw new ConfigError([{ setting: 'command', message: `${fault}${hint}` }]);
}
