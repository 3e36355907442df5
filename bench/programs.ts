import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

interface Program {
  /** Names it goes by, the best first. */
  readonly names: readonly string[];
  /** Of Debian and Ubuntu. */
  readonly packages: readonly string[];
  readonly versionFlag: string;
  /** Where in what it then says its version is. */
  readonly version: RegExp;
}

const programs = {
  haproxy: {
    names: ['haproxy'],
    packages: ['haproxy'],
    versionFlag: '-v',
    version: /version (\S+)/i,
  },
  nginx: {
    names: ['nginx'],
    packages: ['nginx', 'libnginx-mod-stream'],
    versionFlag: '-v',
    version: /nginx\/(\S+)/,
  },
  go: { names: ['go'], packages: ['golang-go'], versionFlag: 'version', version: /go(\d\S*)/ },
  socat: { names: ['socat'], packages: ['socat'], versionFlag: '-V', version: /version (\S+)/ },
  stunnel: {
    names: ['stunnel4', 'stunnel'],
    packages: ['stunnel4'],
    versionFlag: '-version',
    version: /^stunnel (\S+)/m,
  },
  'redis-server': {
    names: ['redis-server'],
    packages: ['redis-server'],
    versionFlag: '--version',
    version: /v=(\S+)/,
  },
  'redis-benchmark': {
    names: ['redis-benchmark'],
    packages: ['redis-tools'],
    versionFlag: '--version',
    version: /redis-benchmark (\S+)/,
  },
  iperf3: { names: ['iperf3'], packages: ['iperf3'], versionFlag: '-v', version: /iperf (\S+)/ },
  etcd: { names: ['etcd'], packages: ['etcd-server'], versionFlag: '--version', version: /etcd Version: (\S+)/ },
  patroni: { names: ['patroni'], packages: ['patroni'], versionFlag: '--version', version: /patroni (\S+)/ },
  postgres: {
    names: ['postgres'],
    packages: ['postgresql'],
    versionFlag: '--version',
    version: /\(PostgreSQL\) (\S+)/,
  },
  dnsmasq: { names: ['dnsmasq'], packages: ['dnsmasq-base'], versionFlag: '--version', version: /version (\S+)/ },
  openssl: { names: ['openssl'], packages: ['openssl'], versionFlag: 'version', version: /OpenSSL (\S+)/ },
} as const satisfies Record<string, Program>;

export type ProgramName = keyof typeof programs;

export const programNames = Object.keys(programs) as readonly ProgramName[];

/** The path of a program, or undefined when it is not on this machine. */
export function findProgram(name: ProgramName): string | undefined {
  // Debian keeps daemons where the PATH of people other than root does not look.
  const usual = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'].filter(Boolean);
  // What is beside it is needed, too: a link to it in PATH does not lead there.
  const folders = name === 'postgres' ? [...postgresFolders(), ...usual] : usual;
  return programs[name].names
    .flatMap((candidate) => folders.map((folder) => join(folder, candidate)))
    .find(isExecutable);
}

const POSTGRES_ROOT = '/usr/lib/postgresql';

/** Debian keeps each version of PostgreSQL in a folder of its own. The newest is the first. */
function postgresFolders(): readonly string[] {
  if (!existsSync(POSTGRES_ROOT)) return [];
  const versions = readdirSync(POSTGRES_ROOT).sort((one, other) => Number(other) - Number(one));
  return versions.map((version) => join(POSTGRES_ROOT, version, 'bin'));
}

/** @throws when it is not on this machine, with what to install. */
export function needProgram(name: ProgramName): string {
  const path = findProgram(name);
  if (path === undefined) throw new Error(`${name} is not on this machine: ${howToInstall([name])}`);
  return path;
}

export function howToInstall(names: readonly ProgramName[]): string {
  const packages = new Set(names.flatMap((name): readonly string[] => programs[name].packages));
  return `apt-get install --no-install-recommends ${[...packages].join(' ')}`;
}

/** What a program says of its version; undefined when it is not there or says nothing of the kind. */
export async function programVersion(name: ProgramName): Promise<string | undefined> {
  const path = findProgram(name);
  if (path === undefined) return undefined;
  const said = await outputOf(path, [programs[name].versionFlag]);
  return programs[name].version.exec(said)?.[1];
}

/** Both outputs of a command that ends by itself; what it wrote also when it failed. */
export function outputOf(path: string, args: readonly string[], cwd?: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(path, args, { timeout: 10_000, ...(cwd === undefined ? {} : { cwd }) }, (_error, stdout, stderr) => {
      resolve(stdout + stderr);
    });
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
