import { ConfigError } from '../core/errors.ts';
import { readFlags } from './flags.ts';
import type { Flags } from './gather.ts';
import { expected, oneOf } from './kind.ts';
import { didYouMean, nearest } from './nearest.ts';

/** What a command line asks for. */
export type Command =
  | { readonly kind: 'run'; readonly flags: Flags }
  | { readonly kind: 'check'; readonly flags: Flags; readonly json: boolean }
  | { readonly kind: 'healthcheck'; readonly flags: Flags }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' };

const COMMANDS = ['run', 'tls-client', 'tls-server', 'check', 'healthcheck', 'help', 'version'] as const;
/** Commands of the seed that are `run` with a mode. */
const MODES: Readonly<Partial<Record<string, string>>> = { 'tls-client': 'client', 'tls-server': 'server' };

/**
 * Reads a command line: `[command] [flags]`, where the command is `run` unless it is named.
 *
 * Faulty flags are no error here: they are in `flags.faults`, for `loadConfig` to report together with the
 * environment's.
 *
 * @param argv what follows the program's own name
 * @throws ConfigError for an unknown command
 */
export function parseCommand(argv: readonly string[]): Command {
  const [first] = argv;
  const isNamed = first !== undefined && !first.startsWith('-');
  const kind = isNamed ? commandNamed(first) : 'run';
  if (kind === 'help' || kind === 'version') return { kind };
  const read = readFlags(isNamed ? argv.slice(1) : argv, kind === 'check' ? ['json'] : []);
  if (read.kind !== 'flags') return { kind: read.kind };
  const { flags, switches } = read;
  if (kind === 'check') return { kind, flags, json: switches.has('json') };
  if (kind === 'run' || kind === 'healthcheck') return { kind, flags };
  const mode = { name: 'TLS_MODE', text: MODES[kind] ?? '', origin: kind, fromFlag: true };
  return { kind: 'run', flags: { ...flags, given: [mode, ...flags.given] } };
}

function commandNamed(name: string): (typeof COMMANDS)[number] {
  const command = COMMANDS.find((known) => known === name);
  if (command !== undefined) return command;
  const fault = expected(oneOf(COMMANDS), name);
  const hint = didYouMean(nearest(name, COMMANDS));
  throw new ConfigError([{ setting: 'command', message: `${fault}${hint}` }]);
}
