import { setTimeout as pause } from 'node:timers/promises';
import { startAttache, type Attache } from '../support/attache.ts';
import { openDescriptors, residentKb } from '../support/kernel.ts';
import { readyz } from '../support/readyz.ts';
import type { Scope } from '../support/scope.ts';
import { freePort } from '../support/tcp.ts';
import { eventually } from '../support/wait.ts';
import { PROBE_PREFIX, probeArgs, proberOf, type Probe } from '../support/prober.ts';
import { DIRECTORY } from './registry.ts';

/** Of all services: above what most faults last. */
export const HOLD_TIMEOUT = '10s';
/** Those over the registry. */
export const SERVICES = ['ordered', 'rotating'] as const;
/** The one that goes to whoever leads. */
export const PRIMARY_SERVICE = 'primary';

const QUIET_LIMIT_MS = 30_000;

/** Those that stay as they are, in the shape of `SERVICES`. @param servers `host:port` of those of which one leads */
export function lastingServices(servers: readonly string[]): readonly object[] {
  const src = '127.0.0.1:0';
  return [
    { name: 'ordered', src, srv: DIRECTORY },
    { name: 'rotating', src, srv: DIRECTORY, balance: 'round-robin', retries: 2 },
    { name: PRIMARY_SERVICE, src, dst: servers, health_check: 'redis-primary' },
  ];
}

/** Memory and descriptors of the program when nobody is connected, after a full collection. */
export interface Quiet extends Probe {
  readonly residentKb: number;
  readonly descriptors: number;
}

const DESCRIPTOR_SAMPLES = 20;

/** The program that is judged: two services over the same registry, one that follows a role, with the probe loaded. */
export class Program {
  readonly attache: Attache;
  readonly httpPort: number;
  readonly pid: number;
  /** Has it collect its garbage and asks what is left. */
  readonly probe: () => Promise<Probe>;

  private constructor(attache: Attache, httpPort: number) {
    this.attache = attache;
    this.httpPort = httpPort;
    this.pid = attache.child.pid ?? 0;
    this.probe = proberOf(attache);
  }

  /** @param servicesFile with the services, which it follows */
  static async start(scope: Scope, etcdUrl: string, servicesFile: string): Promise<Program> {
    const httpPort = await freePort();
    const attache = startAttache(scope, {
      nodeArgs: probeArgs,
      env: {
        DSC: etcdUrl,
        HTTP_ADDR: `127.0.0.1:${httpPort}`,
        HOLD_TIMEOUT,
        SERVICES_FILE: servicesFile,
      },
    });
    // The last that it begins with.
    await attache.line(({ msg }) => msg === 'HTTP server listening');
    return new Program(attache, httpPort);
  }

  /** Of the services' listeners. */
  async ports(): Promise<readonly number[]> {
    return await Promise.all(SERVICES.map((service) => this.attache.port(service)));
  }

  async primaryPort(): Promise<number> {
    return this.attache.port(PRIMARY_SERVICE);
  }

  get residentKb(): number {
    return residentKb(this.pid);
  }

  get descriptors(): number {
    return openDescriptors(this.pid);
  }

  get isRunning(): boolean {
    const { exitCode, signalCode } = this.attache.child;
    return exitCode === null && signalCode === null;
  }

  /** Lines on stderr that are not the probe's. */
  get complaints(): readonly string[] {
    return this.#stderr.filter((line) => !line.startsWith(PROBE_PREFIX));
  }

  /**
   * Waits until no connection is left, and until no more than `descriptors` are open, and measures. When they do not go
   * down to that the measurement says so.
   */
  async quiet(descriptors = Infinity): Promise<Quiet> {
    const idle = async () => {
      const answer = await readyz(this.httpPort);
      const connections = (answer?.services as { readonly connections?: number }[] | undefined) ?? [];
      return connections.length > 0 && connections.every((service) => service.connections === 0);
    };
    await eventually(idle, 'no connection is left in the program', QUIET_LIMIT_MS);
    await eventually(() => this.descriptors <= descriptors, 'descriptors').catch(() => undefined);
    const probe = await this.probe();
    return { ...probe, residentKb: this.residentKb, descriptors: await this.#leastDescriptors() };
  }

  /** A health check has one open while it goes on. */
  async #leastDescriptors(): Promise<number> {
    let least = Infinity;
    for (let sample = 0; sample < DESCRIPTOR_SAMPLES; sample += 1) {
      least = Math.min(least, this.descriptors);
      await pause(20);
    }
    return least;
  }

  /** Rejects when the program ends without having been told to. */
  async died(): Promise<never> {
    const exit = await this.attache.exited;
    throw new Error(`the program ended by itself with ${exit}: ${this.complaints.slice(-10).join('\n')}`);
  }

  /** SIGTERM, and what it exits with. */
  async stop(): Promise<number | NodeJS.Signals> {
    this.attache.child.kill('SIGTERM');
    return await this.attache.exited;
  }

  get #stderr(): readonly string[] {
    // The last piece may be half a line.
    return this.attache.stderr().split('\n').slice(0, -1);
  }
}
