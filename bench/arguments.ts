import { parseArgs } from 'node:util';
import { peerNames, type PeerName } from './names.ts';
import { usualWorkloadNames, workloadNames, type WorkloadName } from './names.ts';

export interface Settings {
  /** Peers to measure, where they are on this machine. */
  readonly against: readonly PeerName[];
  readonly only: readonly WorkloadName[];
  /** Readings of each; undefined is what each workload takes by itself. */
  readonly rounds: number | undefined;
  /** The node that runs attache. */
  readonly node: string;
  /** Length of one reading of requests. */
  readonly seconds: number;
  /** Carried by one bulk reading, in 10^9 bytes. */
  readonly gigabytes: number;
  /** Of the workload `idle`; of `registry` the most followers. */
  readonly connections: number;
  /** Settings of attache beyond those that the bench sets itself. */
  readonly set: Readonly<Record<string, string>>;
  /** Folder for the results; undefined is the project's own. */
  readonly out: string | undefined;
}

export type Command = { readonly kind: 'run'; readonly settings: Settings } | { readonly kind: 'help' };

/** An argument that cannot be used; the message names it, what was expected and what was got. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
}

const unusual = workloadNames.slice(usualWorkloadNames.length).join(',');
const defaults = { seconds: 1, gigabytes: 1, connections: 5_000 } as const;

const options = {
  against: { type: 'string' },
  only: { type: 'string' },
  rounds: { type: 'string' },
  node: { type: 'string' },
  seconds: { type: 'string' },
  gigabytes: { type: 'string' },
  connections: { type: 'string' },
  set: { type: 'string', multiple: true },
  out: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/**
 * Reads the arguments of the bench. `node` is what runs attache when `--node` is not given.
 * @throws {ArgumentError}
 */
export function parseArguments(argv: readonly string[], node: string): Command {
  const values = read(argv);
  if (values.help === true) return { kind: 'help' };
  return {
    kind: 'run',
    settings: {
      against: list('--against', values.against, peerNames),
      only: values.only === undefined ? usualWorkloadNames : list('--only', values.only, workloadNames),
      rounds: number('--rounds', values.rounds, { least: 1, most: 100, whole: true, otherwise: undefined }),
      node: text('--node', values.node) ?? node,
      seconds: number('--seconds', values.seconds, { least: 0.2, most: 60, otherwise: defaults.seconds }),
      gigabytes: number('--gigabytes', values.gigabytes, { least: 0.01, most: 100, otherwise: defaults.gigabytes }),
      connections: number('--connections', values.connections, {
        least: 10,
        most: 100_000,
        whole: true,
        otherwise: defaults.connections,
      }),
      set: set(values.set ?? []),
      out: text('--out', values.out),
    },
  };
}

export function helpText(): string {
  return `npm run bench -- [options]: attache and other proxies side by side

  --against LIST    peers, of ${peerNames.join(',')} (default: all that are found)
  --only LIST       workloads, of ${workloadNames.join(',')}
                    (default: all but ${unusual})
  --rounds N        readings of each (default 3; of bulk and tls 2, of idle and scale 1)
  --node PATH       node that runs attache (default: the one that runs this)
  --seconds N       length of one reading of requests (default ${defaults.seconds})
  --gigabytes N     carried by one reading of bulk (default ${defaults.gigabytes})
  --connections N   of idle, and the most followers of registry (default ${defaults.connections})
  --set NAME=VALUE  a further setting of attache; may be repeated
  --out FOLDER      where results go (default bench/results)
`;
}

function read(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    if (error instanceof TypeError && 'code' in error) throw new ArgumentError(error.message);
    throw error;
  }
}

function list<T extends string>(name: string, value: string | undefined, known: readonly T[]): readonly T[] {
  if (value === undefined) return known;
  const wanted = value.split(',').map((item) => item.trim());
  for (const item of wanted) {
    if (!known.some((one) => one === item)) {
      throw new ArgumentError(`${name}: expected some of ${known.join(',')}, got ${JSON.stringify(item)}`);
    }
  }
  return known.filter((one) => wanted.includes(one));
}

interface Bounds<T> {
  readonly least: number;
  readonly most: number;
  readonly whole?: boolean;
  readonly otherwise: T;
}

function number<T>(name: string, value: string | undefined, bounds: Bounds<T>): number | T {
  if (value === undefined) return bounds.otherwise;
  const parsed = /^\d+([.]\d+)?$/.test(value) ? Number(value) : NaN;
  const right = parsed >= bounds.least && parsed <= bounds.most && (bounds.whole !== true || Number.isInteger(parsed));
  if (right) return parsed;
  const kind = bounds.whole === true ? 'a whole number' : 'a number';
  throw new ArgumentError(
    `${name}: expected ${kind} from ${bounds.least} to ${bounds.most}, got ${JSON.stringify(value)}`,
  );
}

function text(name: string, value: string | undefined): string | undefined {
  if (value === '') throw new ArgumentError(`${name}: expected a path, got nothing`);
  return value;
}

function set(given: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map((item) => {
      const [, name, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/s.exec(item) ?? [];
      if (name === undefined || value === undefined) {
        throw new ArgumentError(`--set: expected NAME=VALUE, got ${JSON.stringify(item)}`);
      }
      return [name, value];
    }),
  );
}
