import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { CertificateFiles } from './certificates.ts';
import { endWithProcess } from './end-with.ts';
import { EtcdApi } from './etcd-api.ts';
import { reservePorts } from './ports.ts';
import type { Scope } from './scope.ts';

export interface EtcdOptions {
  /** Serve https with this certificate, and let in only clients whose certificate the same authority signed. */
  readonly tls?: { readonly caPath: string; readonly server: CertificateFiles; readonly client: CertificateFiles };
  /** Further command line arguments. */
  readonly args?: readonly string[];
}

/** A real etcd, for as long as a test lasts. */
export interface EtcdNode {
  readonly port: number;
  /** `http://127.0.0.1:port`, or https. */
  readonly url: string;
  /** Writes and reads; does not go through the code under test. */
  readonly api: EtcdApi;
  /** kill -9. */
  kill(): Promise<void>;
  /** Starts it again on the same ports with the same data; resolves when it answers. */
  restart(): Promise<void>;
  /** After `kill`: throws its data away. */
  wipe(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. */
  freeze(): void;
  thaw(): void;
}

/** Starts one etcd on free loopback ports; it is ended when the test is. */
export async function startEtcd(t: Scope, options: EtcdOptions = {}): Promise<EtcdNode> {
  const [node] = await startNodes(t, 1, options);
  if (node === undefined) throw new Error('no etcd was started');
  return node;
}

/** Starts a cluster of `size` members. */
export async function startEtcdCluster(t: Scope, size: number): Promise<readonly EtcdNode[]> {
  return await startNodes(t, size, {});
}

const START_TIMEOUT_MS = 30_000;
const ATTEMPTS = 5;

async function startNodes(t: Scope, size: number, options: EtcdOptions): Promise<readonly EtcdNode[]> {
  for (let attempt = 1; ; attempt += 1) {
    const nodes = await prepare(t, size, options);
    try {
      await Promise.all(nodes.map(async (node) => node.restart()));
      return nodes;
    } catch (error) {
      await Promise.all(nodes.map(async (node) => node.kill()));
      // Between giving a port up and etcd taking it, another test may have got it.
      if (attempt === ATTEMPTS || !String(error).includes('address already in use')) throw error;
    }
  }
}

async function prepare(t: Scope, size: number, options: EtcdOptions): Promise<readonly RealEtcd[]> {
  const reserved = await reservePorts(2 * size);
  const names = Array.from({ length: size }, (_, index) => `n${index}`);
  const cluster = names.map((name, index) => `${name}=http://127.0.0.1:${reserved.ports[2 * index + 1] ?? 0}`).join();
  const nodes: RealEtcd[] = [];
  for (const [index, name] of names.entries()) {
    const directory = await mkdtemp(join(tmpdir(), 'attache-etcd-'));
    const [port = 0, peerPort = 0] = reserved.ports.slice(2 * index, 2 * index + 2);
    const node = new RealEtcd({ name, port, peerPort, cluster, directory, etcd: options });
    t.after(() => node.dispose());
    nodes.push(node);
  }
  await reserved.release();
  return nodes;
}

interface NodeOptions {
  readonly name: string;
  readonly port: number;
  readonly peerPort: number;
  readonly cluster: string;
  readonly directory: string;
  readonly etcd: EtcdOptions;
}

class RealEtcd implements EtcdNode {
  readonly port: number;
  readonly url: string;
  readonly api: EtcdApi;
  readonly #options: NodeOptions;
  #child: ChildProcess | undefined;
  #output = '';

  constructor(options: NodeOptions) {
    const { tls } = options.etcd;
    this.#options = options;
    this.port = options.port;
    this.url = `${tls ? 'https' : 'http'}://127.0.0.1:${options.port}`;
    this.api = new EtcdApi(this.url, tls ? { caPath: tls.caPath, ...tls.client } : undefined);
  }

  async restart(): Promise<void> {
    const child = spawn('etcd', this.#args(), { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    this.#output = '';
    endWithProcess(child);
    child.stderr.on('data', (chunk: Buffer) => {
      this.#output = (this.#output + chunk.toString()).slice(-4000);
    });
    let failure: Error | undefined;
    child.on('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT';
      failure = missing ? new Error('these tests need etcd: apt-get install etcd-server', { cause: error }) : error;
    });
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!(await this.api.healthy())) {
      if (failure !== undefined) throw failure;
      if (child.exitCode !== null) throw new Error(`etcd ended with ${child.exitCode}:\n${this.#output}`);
      if (performance.now() > deadline) throw new Error(`etcd did not come up:\n${this.#output}`);
      await pause(20);
    }
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  async wipe(): Promise<void> {
    await rm(join(this.#options.directory, 'data'), { recursive: true, force: true });
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  async dispose(): Promise<void> {
    await this.kill();
    await rm(this.#options.directory, { recursive: true, force: true });
  }

  #args(): string[] {
    const { name, peerPort, cluster, directory, etcd } = this.#options;
    const peer = `http://127.0.0.1:${peerPort}`;
    const { tls, args = [] } = etcd;
    return [
      ...['--name', name, '--data-dir', join(directory, 'data'), '--log-level', 'error', '--logger', 'zap'],
      ...['--listen-client-urls', this.url, '--advertise-client-urls', this.url],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', cluster],
      ...(tls ? ['--cert-file', tls.server.certPath, '--key-file', tls.server.keyPath] : []),
      ...(tls ? ['--client-cert-auth', '--trusted-ca-file', tls.caPath] : []),
      ...args,
    ];
  }
}
