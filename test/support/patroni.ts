import { execFile } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { startEtcd, type EtcdNode } from './etcd.ts';
import { OTHER_UID } from './other-user.ts';
import { reservePorts } from './ports.ts';
import { faultyProcess, type FaultyProcess } from './process-faults.ts';
import type { Scope } from './scope.ts';
import { eventually } from './wait.ts';

/** Real PostgreSQL under real Patroni: each server at a loopback address of its own, all at the same two ports. */
export interface PatroniWorld {
  readonly etcd: EtcdNode;
  readonly nodes: readonly PatroniNode[];
  /** Of PostgreSQL. */
  readonly port: number;
  /** Of Patroni's REST API. */
  readonly restPort: number;
  /** `host:port` of every PostgreSQL. */
  readonly addresses: readonly string[];
  /** Who leads, once one does and its REST API says so. */
  leader(): Promise<PatroniNode>;
  /** Has another one lead, and waits until it does. @returns it */
  switchover(): Promise<PatroniNode>;
  /** One leads, all others follow it, and one of them has each write before it is confirmed. */
  settled(nodes?: readonly PatroniNode[]): Promise<void>;
}

/** Patroni with its PostgreSQL. */
export interface PatroniNode {
  readonly name: string;
  readonly host: string;
  /** Of its PostgreSQL. */
  readonly address: string;
  /** The status of a GET of its REST API; 0 when it does not answer. */
  status(path: string): Promise<number>;
  /** Patroni alone stops: its PostgreSQL goes on, and knows nothing of another leader. */
  freeze(): void;
  thaw(): void;
  /** Whether its PostgreSQL is there. */
  isRunning(): boolean;
  /** kill -9 of both. */
  kill(): Promise<void>;
  /** Both again, after `kill`. */
  start(): Promise<void>;
  /** What its PostgreSQL has written. */
  log(): string;
}

const SIZE = 3;
const SCOPE = 'attache';
const SETTLE_MS = 90_000;
const USER = 'postgres';

/** Starts etcd and the three servers; ready when the second and the third follow the first. */
export async function startPatroni(t: Scope): Promise<PatroniWorld> {
  const etcd = await startEtcd(t);
  const reserved = await reservePorts(2);
  const [port = 0, restPort = 0] = reserved.ports;
  await reserved.release();
  const folder = mkdtempSync(join(tmpdir(), 'attache-patroni-'));
  own(folder);
  const nodes = Array.from({ length: SIZE }, (_, n) => {
    const host = `127.0.0.${41 + n}`;
    return prepare(t, { name: `pg-${n}`, host, port, restPort, folder, etcdPort: etcd.port });
  });
  // Ended here, too: scopes end what they hold in different orders.
  t.after(async () => {
    await Promise.all(nodes.map((node) => node.kill()));
    rmSync(folder, { recursive: true, force: true });
  });
  const world: PatroniWorld = {
    etcd,
    nodes,
    port,
    restPort,
    addresses: nodes.map(({ address }) => address),
    async leader() {
      let found: PatroniNode | undefined;
      const look = async () => {
        const statuses = await Promise.all(nodes.map((node) => node.status('/primary')));
        found = nodes[statuses.indexOf(200)];
        return found !== undefined;
      };
      await eventually(look, 'one leads', SETTLE_MS);
      if (found === undefined) throw new Error('nobody leads');
      return found;
    },
    async switchover() {
      const before = await world.leader();
      const asked = { leader: before.name };
      const begin = async () => {
        const { status } = await call({ host: before.host, restPort, path: '/switchover', body: asked });
        return status === 200;
      };
      // Refused while no other may lead.
      await eventually(begin, 'a switchover is done', SETTLE_MS);
      return world.leader();
    },
    async settled(wanted = nodes) {
      const follow = async () => {
        const statuses = await Promise.all(wanted.map((node) => node.status('/replica')));
        const copies = await Promise.all(wanted.map((node) => node.status('/sync')));
        return statuses.filter((status) => status === 200).length === wanted.length - 1 && copies.includes(200);
      };
      await eventually(follow, 'all others follow the leader', SETTLE_MS);
    },
  };
  await nodes[0]?.start();
  await world.leader();
  await Promise.all(nodes.slice(1).map((node) => node.start()));
  await world.settled();
  return world;
}

/**
 * Runs SQL with the real client, on a connection of its own.
 *
 * @returns its rows, one a line
 * @throws Error with what the client printed
 */
export async function psql(place: { readonly host?: string; readonly port: number }, sql: string): Promise<string> {
  const { host = '127.0.0.1', port } = place;
  const { stdout } = await promisify(execFile)(psqlFile(), psqlArguments({ host, port }, sql), {
    env: psqlEnvironment(),
    timeout: 40_000,
    killSignal: 'SIGKILL',
  });
  return stdout.trim();
}

export function psqlFile(): string {
  return join(binaries(), 'psql');
}

export function psqlArguments(place: { readonly host: string; readonly port: number }, sql: string): readonly string[] {
  return ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-h', place.host, '-p', `${place.port}`, '-U', USER, '-c', sql, USER];
}

export function psqlEnvironment(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', PGCONNECT_TIMEOUT: '30', PGSSLMODE: 'disable', PGAPPNAME: 'app' };
}

const ROOT = '/usr/lib/postgresql';

/** Of the newest PostgreSQL here: Debian has each version in a folder of its own; elsewhere it is in PATH, and this is empty. */
function binaries(): string {
  const versions = existsSync(ROOT) ? readdirSync(ROOT) : [];
  const [newest] = versions
    .filter((version) => existsSync(join(ROOT, version, 'bin', 'postgres')))
    .sort((one, other) => Number(other) - Number(one));
  return newest === undefined ? '' : join(ROOT, newest, 'bin');
}

/** PostgreSQL refuses to run as root. */
const user = process.getuid?.() === 0 ? OTHER_UID : undefined;

function own(path: string): void {
  if (user !== undefined) chownSync(path, user, user);
}

interface NodeOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly restPort: number;
  readonly folder: string;
  readonly etcdPort: number;
}

function prepare(t: Scope, options: NodeOptions): PatroniNode {
  const { name, host, port, restPort, folder } = options;
  const home = join(folder, name);
  const data = join(home, 'data');
  const file = join(home, 'patroni.yml');
  mkdirSync(home);
  own(home);
  writeFileSync(file, stringify(configuration(options, home)));
  own(file);
  const status = async (path: string) => (await call({ host, restPort, path })).status;
  const patroni: FaultyProcess = faultyProcess(t, {
    command: 'patroni',
    args: [file],
    ...(user !== undefined && { uid: user }),
    // It makes its database, or copies another's, before it is ready.
    ready: async () => (await status('/readiness')) === 200,
    startTimeoutMs: SETTLE_MS,
  });
  endWithThis(() => postmaster(data));
  return {
    name,
    host,
    address: `${host}:${port}`,
    status,
    freeze: () => patroni.freeze(),
    thaw: () => patroni.thaw(),
    isRunning: () => postmaster(data) !== undefined,
    async kill() {
      await patroni.kill();
      endPostgres(postmaster(data));
      await eventually(() => postmaster(data) === undefined, 'PostgreSQL is gone', 20_000);
    },
    start: () => patroni.start(),
    log: () => readFileSync(join(home, 'postgres.log'), 'utf8'),
  };
}

function configuration(options: NodeOptions, home: string): object {
  const { name, host, port, restPort, etcdPort } = options;
  return {
    scope: SCOPE,
    name,
    restapi: { listen: `${host}:${restPort}`, connect_address: `${host}:${restPort}` },
    etcd3: { hosts: `127.0.0.1:${etcdPort}` },
    bootstrap: {
      // Short, and yet more than a busy machine takes for one look.
      dcs: { ttl: 10, loop_wait: 1, retry_timeout: 4, synchronous_mode: true },
      initdb: [{ encoding: 'UTF8' }, { locale: 'C' }, 'no-sync'],
    },
    postgresql: {
      listen: `${host}:${port}`,
      connect_address: `${host}:${port}`,
      data_dir: join(home, 'data'),
      bin_dir: binaries(),
      pgpass: join(home, 'pgpass'),
      authentication: {
        superuser: { username: USER },
        replication: { username: 'replicator' },
      },
      pg_hba: ['host all all 127.0.0.0/8 trust', 'host replication all 127.0.0.0/8 trust'],
      parameters: {
        unix_socket_directories: home,
        shared_buffers: '8MB',
        max_connections: 40,
        fsync: false,
        logging_collector: true,
        log_directory: home,
        log_filename: 'postgres.log',
        log_connections: false,
      },
    },
  };
}

interface Call {
  readonly host: string;
  readonly restPort: number;
  readonly path: string;
  /** With one it is a POST. */
  readonly body?: object;
}

/** @returns status 0 when there is no answer */
async function call({ host, restPort, path, body }: Call): Promise<{ readonly status: number }> {
  return new Promise((resolve) => {
    const method = body === undefined ? 'GET' : 'POST';
    const timeout = body === undefined ? 2_000 : 60_000;
    const asked = request({ host, port: restPort, path, method, timeout, agent: false }, (answer) => {
      answer.resume();
      answer.on('close', () => resolve({ status: answer.statusCode ?? 0 }));
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve({ status: 0 }));
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** The first process of a PostgreSQL, which leaves its number behind when it is killed; undefined: it is not there. */
function postmaster(data: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return command.includes(data) ? pid : undefined;
  } catch {
    return undefined;
  }
}

function endPostgres(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself in between.
  }
}

/** Patroni's PostgreSQL is no child of ours: it is ended with this process, too. */
function endWithThis(pid: () => number | undefined): void {
  process.once('exit', () => endPostgres(pid()));
}
