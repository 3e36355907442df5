import { ConfigError } from '../core/errors.ts';
import { readFlags, type OwnFlags, type ReadFlags } from './flags.ts';
import type { Flags } from './gather.ts';
import { expected, oneOf, type Kind } from './kind.ts';
import { didYouMean, nearest } from './nearest.ts';
import { count, duration } from './plain-kinds.ts';

/** What a command line asks for. */
export type Command =
  | { readonly kind: 'run'; readonly flags: Flags }
  | { readonly kind: 'check'; readonly flags: Flags; readonly json: boolean }
  | { readonly kind: 'healthcheck' | 'quit'; readonly flags: Flags }
  | { readonly kind: 'status'; readonly flags: Flags; readonly watch: boolean }
  | { readonly kind: 'connections'; readonly flags: Flags; readonly id: number | undefined }
  /** 0: no limit. */
  | { readonly kind: 'wait'; readonly flags: Flags; readonly timeoutMs: number }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' };

const COMMANDS = [
  'run',
  'tls-client',
  'tls-server',
  'check',
  'healthcheck',
  'wait',
  'status',
  'connections',
  'quit',
  'help',
  'version',
] as const;
const OWN_FLAGS: Readonly<Partial<Record<(typeof COMMANDS)[number], OwnFlags>>> = {
  check: { switches: ['json'] },
  status: { switches: ['watch'] },
  connections: { values: ['id'] },
  wait: { values: ['timeout'] },
};
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
 * @throws ConfigError for an unknown command
 */
export function parseCommand(argv: readonly string[]): Command {
  const [first] = argv;
  const isNamed = first !== undefined && !first.startsWith('-');
  const kind = isNamed ? commandNamed(first) : 'run';
  if (kind === 'help' || kind === 'version') return { kind };
  const read = readFlags(isNamed ? argv.slice(1) : argv, OWN_FLAGS[kind]);
  if (read.kind !== 'flags') return { kind: read.kind };
  const { flags, switches } = read;
  switch (kind) {
    case 'run':
    case 'healthcheck':
    case 'quit':
      return { kind, flags };
    case 'check':
      return { kind, flags, json: switches.has('json') };
    case 'status':
      return { kind, flags, watch: switches.has('watch') };
    case 'connections': {
      const id = ownValue(read, 'id', count);
      return { kind, flags: id.flags, id: id.value };
    }
    case 'wait': {
      const timeout = ownValue(read, 'timeout', duration);
      return { kind, flags: timeout.flags, timeoutMs: timeout.value ?? DEFAULT_WAIT_MS };
    }
    case 'tls-client':
    case 'tls-server':
      break;
  }
  const mode = { name: 'TLS_MODE', text: MODES[kind] ?? '', origin: kind, fromFlag: true };
  return { kind: 'run', flags: { ...flags, given: [mode, ...flags.given] } };
}

/** A flag of the command's own; what is wrong with it is reported with everything else. */
function ownValue<T>(
  { flags, values }: Extract<ReadFlags, { readonly kind: 'flags' }>,
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

function commandNamed(name: string): (typeof COMMANDS)[number] {
  const command = COMMANDS.find((known) => known === name);
  if (command !== undefined) return command;
  const fault = expected(oneOf(COMMANDS), name);
  const hint = didYouMean(nearest(name, COMMANDS));
  throw new ConfigError([{ setting: 'command', message: `${fault}${hint}` }]);
}
