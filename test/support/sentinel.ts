import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CertificateFiles } from './certificates.ts';
import { reservePorts } from './ports.ts';
import { faultyProcess, type FaultyProcess } from './process-faults.ts';
import { RedisInline } from './redis-inline.ts';
import type { Scope } from './scope.ts';
import { eventually } from './wait.ts';

export interface SentinelWorldOptions {
  /** Redis servers, of which the first is the primary; default 3. */
  readonly servers?: number;
  /** Default 3. */
  readonly sentinels?: number;
  /** How long a primary is silent before the Sentinels take it for lost; default 500. */
  readonly downAfterMs?: number;
  /** A failover that was begun and failed is begun again after twice this; default 10,000. */
  readonly failoverTimeoutMs?: number;
  /** What clients of Sentinels have to say. */
  readonly password?: string;
  /** Further lines of the configuration of each Sentinel. */
  readonly lines?: readonly string[];
  /** Sentinels listen with this certificate at a second port, and ask for one. */
  readonly tls?: CertificateFiles & { readonly caPath: string };
}

/** Real Redis of which one is the primary, and real Sentinels that agree on which. */
export interface SentinelWorld {
  readonly servers: readonly SentinelRedis[];
  readonly sentinels: readonly SentinelProcess[];
  /** Asks a Sentinel, by default the first; an array comes as its items, one a line. */
  sentinel(command: string, asked?: SentinelProcess): Promise<string>;
  /** The port of whom a Sentinel says that it is the primary; by default the first. */
  primaryPort(asked?: SentinelProcess): Promise<number>;
  /** Has another server lead, and waits until the first Sentinel says so. @returns its port */
  failover(): Promise<number>;
}

export interface SentinelRedis extends FaultyProcess {
  readonly port: number;
  readonly address: string;
  /** What `ROLE` says of it: `master` or `slave`; undefined: nothing, for now. */
  role(): Promise<string | undefined>;
}

export interface SentinelProcess extends FaultyProcess {
  readonly port: number;
  readonly address: string;
  /** Only with `tls`. */
  readonly tlsAddress: string;
}

/** The name that the Sentinels have for the primary. */
export const PRIMARY = 'main';
const SETTLE_MS = 40_000;

/** Starts them, and waits until everybody knows everybody. */
export async function startSentinelWorld(t: Scope, options: SentinelWorldOptions = {}): Promise<SentinelWorld> {
  const { servers: serverCount = 3, sentinels: sentinelCount = 3, password } = options;
  const folder = mkdtempSync(join(tmpdir(), 'attache-sentinel-'));
  const reserved = await reservePorts(serverCount + 2 * sentinelCount);
  const ports = reserved.ports;
  const [first = 0] = ports;
  await reserved.release();
  const servers = ports.slice(0, serverCount).map((port) => redis(t, port, { folder, primary: first }));
  const sentinels = ports.slice(serverCount, serverCount + sentinelCount).map((port, index) => {
    const tlsPort = ports[serverCount + sentinelCount + index] ?? 0;
    return sentinel(t, { port, tlsPort, folder, primary: first }, options);
  });
  // Killed here, too: scopes end what they hold in different orders.
  t.after(async () => {
    await Promise.all([...servers, ...sentinels].map((one) => one.kill()));
    rmSync(folder, { recursive: true, force: true });
  });
  await servers[0]?.start();
  await Promise.all(servers.slice(1).map((server) => server.start()));
  await Promise.all(sentinels.map((one) => one.start()));
  const [usual] = sentinels;
  const world: SentinelWorld = {
    servers,
    sentinels,
    sentinel: (command, asked = usual) => lines(asked?.port ?? 0, command, password),
    async primaryPort(asked) {
      const [, port] = (await world.sentinel(`SENTINEL get-master-addr-by-name ${PRIMARY}`, asked)).split('\n');
      return Number(port);
    },
    async failover() {
      const before = await world.primaryPort();
      // A Sentinel refuses while it does not know a replica that may lead.
      const begun = async () => (await world.sentinel(`SENTINEL FAILOVER ${PRIMARY}`).catch(() => '')) === 'OK';
      await eventually(begun, 'a failover begins', SETTLE_MS);
      await eventually(async () => (await world.primaryPort()) !== before, 'another leads', SETTLE_MS);
      return world.primaryPort();
    },
  };
  const isReady = async (one: SentinelProcess) => {
    const told = (await world.sentinel(`SENTINEL master ${PRIMARY}`, one).catch(() => '')).split('\n');
    const valueOf = (key: string) => told[told.indexOf(key) + 1];
    return (
      valueOf('num-slaves') === `${serverCount - 1}` &&
      valueOf('num-other-sentinels') === `${sentinelCount - 1}` &&
      valueOf('flags') === 'master'
    );
  };
  for (const one of sentinels) await eventually(() => isReady(one), 'the Sentinels know everybody', SETTLE_MS);
  return world;
}

interface Place {
  readonly folder: string;
  readonly primary: number;
}

function redis(t: Scope, port: number, { folder, primary }: Place): SentinelRedis {
  const follows = port === primary ? [] : ['--replicaof', '127.0.0.1', `${primary}`];
  const durable = ['--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0', '--dir', folder];
  const server = faultyProcess(t, {
    command: 'redis-server',
    args: ['--port', `${port}`, '--bind', '127.0.0.1', ...durable, '--dbfilename', `${port}.rdb`, ...follows],
    ready: async () => (await roleOf(port)) !== undefined,
  });
  return Object.assign(server, { port, address: `127.0.0.1:${port}`, role: () => roleOf(port) });
}

function sentinel(
  t: Scope,
  { port, tlsPort, folder, primary }: Place & { readonly port: number; readonly tlsPort: number },
  {
    sentinels = 3,
    downAfterMs = 500,
    failoverTimeoutMs = 10_000,
    password,
    lines: further = [],
    tls,
  }: SentinelWorldOptions,
): SentinelProcess {
  const file = join(folder, `sentinel-${port}.conf`);
  const rules = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${PRIMARY} 127.0.0.1 ${primary} ${Math.floor(sentinels / 2) + 1}`,
    `sentinel down-after-milliseconds ${PRIMARY} ${downAfterMs}`,
    `sentinel failover-timeout ${PRIMARY} ${failoverTimeoutMs}`,
    ...(password === undefined ? [] : [`requirepass ${password}`, `sentinel sentinel-pass ${password}`]),
    ...(tls === undefined ? [] : [`tls-port ${tlsPort}`, `tls-cert-file ${tls.chainPath}`]),
    ...(tls === undefined ? [] : [`tls-key-file ${tls.keyPath}`, `tls-ca-cert-file ${tls.caPath}`]),
    ...further,
  ];
  writeFileSync(file, `${rules.join('\n')}\n`);
  const started = faultyProcess(t, {
    command: 'redis-server',
    args: [file, '--sentinel'],
    ready: () =>
      lines(port, 'PING', password).then(
        (answer) => answer === 'PONG',
        () => false,
      ),
  });
  return Object.assign(started, { port, address: `127.0.0.1:${port}`, tlsAddress: `127.0.0.1:${tlsPort}` });
}

async function roleOf(port: number): Promise<string | undefined> {
  const answer = await lines(port, 'ROLE').catch(() => '');
  const [role] = answer.split('\n');
  return role === 'master' || role === 'slave' ? role : undefined;
}

/** One command on a connection of its own; the words of the reply, one a line. */
async function lines(port: number, command: string, password?: string): Promise<string> {
  const connection = await RedisInline.connect(port);
  try {
    connection.socket.setTimeout(1_000);
    if (password !== undefined) await connection.words(`AUTH ${password}`);
    return await connection.words(command);
  } finally {
    connection.close();
  }
}
