import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { scratchFile, type Lab } from '../lab.ts';
import { freePort } from '../ports.ts';
import { processesOf } from '../process-usage.ts';
import { needProgram } from '../programs.ts';
import type { Processes, Started } from '../processes.ts';
import { until } from '../wait.ts';
import { startEtcd } from './etcd.ts';
import { PostgresLine, POSTGRES_USER, type PostgresPlace } from './postgres-line.ts';

/** Three PostgreSQL under Patroni on etcd: each at a loopback address of its own, all at the same two ports. */
export interface PatroniTrio {
  readonly members: readonly PatroniMember[];
  /** Of PostgreSQL. */
  readonly port: number;
  /** Of Patroni's REST API. */
  readonly restPort: number;
  /** Waits until one leads and all others have what it writes. @returns who leads */
  settled(): Promise<PatroniMember>;
}

/** Patroni with its PostgreSQL. */
export interface PatroniMember {
  readonly name: string;
  readonly host: string;
  /** The status of its REST API's answer; 0 when there is none. */
  status(path: string): Promise<number>;
  /** kill -9 of both, Patroni first. */
  kill(): Promise<void>;
  /** Has another one lead; this one must lead now. @throws Error when Patroni does not do it */
  giveUpLead(): Promise<void>;
}

const HOSTS = ['127.0.0.51', '127.0.0.52', '127.0.0.53'];
const GONE_WITHIN_MS = 10_000;
const settling = { withinMs: 120_000, everyMs: 50 };
const ANSWER_WITHIN_MS = 2_000;
const SWITCH_WITHIN_MS = 60_000;
/** PostgreSQL refuses to run as root: then it is nobody's. */
const user = process.getuid?.() === 0 ? 65_534 : undefined;

/** Starts etcd and the three; the second and the third follow the first when this resolves. */
export async function startPatroni(lab: Lab, processes: Processes): Promise<PatroniTrio> {
  const etcd = await startEtcd(lab, processes);
  const [port, restPort] = [await freePort(HOSTS), await freePort(HOSTS)];
  // Another user passes through the first to what is its own.
  if (user !== undefined) chmodSync(lab.folder, 0o711);
  const folder = scratchFile(lab, 'patroni');
  makeFolder(folder);
  processes.endAlso(() => processesOf(folder));
  const cluster = { lab, processes, folder, port, restPort, etcd: new URL(etcd.url).host };
  const members: Member[] = [];
  for (const [index, host] of HOSTS.entries()) {
    const member = new Member(cluster, { name: `pg-${index}`, host });
    members.push(member);
    await member.start();
    // The first makes the database that the others copy.
    const leads = async () => (await member.status('/primary')) === 200;
    const wait = { ...settling, fault: 'the first Patroni does not lead' };
    if (index === 0) await Promise.race([until(lab, leads, wait), member.died]);
  }
  const trio: PatroniTrio = {
    members,
    port,
    restPort,
    async settled() {
      let leader: PatroniMember | undefined;
      const isSo = async () => {
        const leads = await Promise.all(members.map((member) => member.status('/primary')));
        leader = members[leads.indexOf(200)];
        return leader !== undefined && (await followersOf({ host: leader.host, port })) === members.length - 1;
      };
      await until(lab, isSo, { ...settling, fault: 'not all others follow a leader' });
      if (leader === undefined) throw new Error('nobody leads');
      return leader;
    },
  };
  await Promise.race([trio.settled(), ...members.map(({ died }) => died)]);
  return trio;
}

/** How many have all that it writes: Patroni counts one as running before it follows. */
async function followersOf(place: PostgresPlace): Promise<number> {
  let line: PostgresLine | undefined;
  try {
    line = await PostgresLine.connect(place);
    return Number(await line.ask("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"));
  } catch {
    return 0;
  } finally {
    line?.close();
  }
}

interface Cluster {
  readonly lab: Lab;
  readonly processes: Processes;
  readonly folder: string;
  readonly port: number;
  readonly restPort: number;
  /** `host:port`. */
  readonly etcd: string;
}

class Member implements PatroniMember {
  readonly name: string;
  readonly host: string;
  readonly #cluster: Cluster;
  readonly #home: string;
  #patroni: Started | undefined;

  constructor(cluster: Cluster, { name, host }: Pick<PatroniMember, 'name' | 'host'>) {
    this.name = name;
    this.host = host;
    this.#cluster = cluster;
    this.#home = join(cluster.folder, name);
  }

  async start(): Promise<void> {
    const { processes, lab } = this.#cluster;
    makeFolder(this.#home);
    const file = join(this.#home, 'patroni.yml');
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(configuration(this.#cluster, this, this.#home)), { mode: 0o644 });
    this.#patroni = await processes.start({
      program: needProgram('patroni'),
      args: [file],
      output: scratchFile(lab, `${this.name}.log`),
      uid: user,
    });
  }

  /** Rejects when its Patroni ends. */
  get died(): Promise<never> {
    if (this.#patroni === undefined) throw new Error(`${this.name} was not started`);
    return this.#patroni.died;
  }

  async status(path: string): Promise<number> {
    if (this.#patroni === undefined) return 0;
    const asked = this.#call({ method: 'GET', path, withinMs: ANSWER_WITHIN_MS });
    return (await Promise.race([asked, this.#patroni.died.catch(() => undefined)]))?.status ?? 0;
  }

  async kill(): Promise<void> {
    if (this.#patroni === undefined) throw new Error(`${this.name} was not started`);
    const postmaster = Number(readFileSync(join(this.#home, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);
    // 0 and less would be a group of processes.
    if (!Number.isInteger(postmaster) || postmaster < 2) throw new Error(`${this.name} has no PostgreSQL that runs`);
    this.#patroni.child.kill('SIGKILL');
    process.kill(postmaster, 'SIGKILL');
    await this.#patroni.exited;
    // The other processes of PostgreSQL end by themselves when the first is gone.
    const isGone = () => processesOf(this.#home).length === 0;
    await until(this.#cluster.lab, isGone, {
      ...settling,
      withinMs: GONE_WITHIN_MS,
      fault: `${this.name} does not end`,
    });
  }

  async giveUpLead(): Promise<void> {
    const body = JSON.stringify({ leader: this.name });
    const answer = await this.#call({ method: 'POST', path: '/switchover', body, withinMs: SWITCH_WITHIN_MS });
    if (answer?.status !== 200) throw new Error(`no switchover: ${answer?.text ?? 'no answer'}`);
  }

  #call({ method, path, body, withinMs }: Call): Promise<Answer | undefined> {
    return new Promise((resolve) => {
      const place = { host: this.host, port: this.#cluster.restPort };
      const signal = AbortSignal.any([this.#cluster.lab.signal, AbortSignal.timeout(withinMs)]);
      const asked = request({ ...place, method, path, signal, agent: false }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.on('error', () => undefined);
        answer.on('close', () => resolve({ status: answer.statusCode ?? 0, text }));
      });
      asked.on('error', () => resolve(undefined));
      asked.end(body);
    });
  }
}

interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  readonly withinMs: number;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** The times are Patroni's defaults. What is written is not flushed: the disk is not what is measured. */
function configuration({ port, restPort, etcd }: Cluster, { name, host }: PatroniMember, home: string): object {
  const [address, rest] = [`${host}:${port}`, `${host}:${restPort}`];
  return {
    scope: 'bench',
    name,
    restapi: { listen: rest, connect_address: rest },
    etcd3: { hosts: etcd },
    bootstrap: {
      dcs: { ttl: 30, loop_wait: 10, retry_timeout: 10, maximum_lag_on_failover: 1_048_576 },
      initdb: [{ encoding: 'UTF8' }, { locale: 'C' }, 'no-sync'],
    },
    postgresql: {
      listen: address,
      connect_address: address,
      data_dir: join(home, 'data'),
      bin_dir: dirname(needProgram('postgres')),
      pgpass: join(home, 'pgpass'),
      authentication: { superuser: { username: POSTGRES_USER }, replication: { username: 'replicator' } },
      pg_hba: ['host all all 127.0.0.0/8 trust', 'host replication all 127.0.0.0/8 trust'],
      parameters: { unix_socket_directories: home, shared_buffers: '16MB', fsync: false },
    },
  };
}

function makeFolder(path: string): void {
  mkdirSync(path, { mode: 0o700 });
  if (user !== undefined) chownSync(path, user, user);
}
