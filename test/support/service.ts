import type { TestContext } from 'node:test';
import { orderedPolicy, type Policy } from '../../src/balancing/policies.ts';
import { formatAddress, type Address } from '../../src/core/address.ts';
import { Admission } from '../../src/proxy/admission.ts';
import { permitAll } from '../../src/core/dial-policy.ts';
import type { AttacheEvent, ConnectionClosedEvent, Observer } from '../../src/core/observer.ts';
import type { CandidateSource, SourceSink } from '../../src/discovery/source.ts';
import { Service } from '../../src/proxy/service.ts';
import type { ServiceParts } from '../../src/proxy/service-parts.ts';
import type { DialSettings } from '../../src/transport/engine.ts';
import { systemResolver } from '../../src/names/system-resolver.ts';
import { testEngine } from './engine.ts';
import { eventually } from './wait.ts';

/** A source whose set a test changes by hand. */
export class ManualSource implements CandidateSource {
  #sink: SourceSink | undefined;
  #set: readonly Address[];

  constructor(set: readonly Address[]) {
    this.#set = set;
  }

  start(sink: SourceSink): void {
    this.#sink = sink;
    this.put(this.#set);
  }

  put(set: readonly Address[]): void {
    this.#set = set;
    this.#sink?.state({ status: 'synced', lastOkAt: Date.now() });
    this.#sink?.candidates(set);
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

export interface TestService {
  readonly service: Service;
  readonly source: ManualSource;
  /** Port of the first listener. */
  readonly port: number;
  readonly events: readonly AttacheEvent[];
  /** The access records so far. */
  readonly closed: () => readonly ConnectionClosedEvent[];
  /** Waits for the n-th finished connection (from 1). */
  readonly closedOne: (n?: number) => Promise<ConnectionClosedEvent>;
  readonly ports: () => readonly number[];
}

export interface TestServiceOptions extends Partial<Omit<ServiceParts, 'dialing' | 'policy' | 'source'>> {
  readonly candidates: readonly Address[];
  readonly policy?: () => Policy;
  readonly dialing?: Partial<DialSettings>;
  readonly observe?: Observer;
}

/**
 * Whether a connection of the service dials `candidate`, or has reached it. The kernel's list of dials does not tell: what
 * fills a black hole is on it, too, and leaves it at any time.
 */
export function isDialed(service: Service, candidate: Address): boolean {
  return [...service.open].some(({ facts }) => facts.candidate === formatAddress(candidate));
}

/** One service on a free port, with everything at its default, closed with the test. */
export async function startService(t: TestContext, options: TestServiceOptions): Promise<TestService> {
  const { candidates, dialing, observe, ...rest } = options;
  const events: AttacheEvent[] = [];
  const source = new ManualSource(candidates);
  let id = 0;
  const service = new Service({
    name: 'test',
    listeners: [{ kind: 'tcp', host: '127.0.0.1', port: 0 }],
    policy: orderedPolicy,
    maxFails: 3,
    failTimeoutMs: 10_000,
    holdTimeoutMs: 0,
    idleTimeoutMs: 0,
    halfCloseTimeoutMs: 60_000,
    maxConnections: 0,
    admission: new Admission({ most: Infinity, onChange: () => undefined }),
    onChange: 'reset',
    onChangeTimeoutMs: 30_000,
    resetJitterMs: 0,
    ...rest,
    // One that nobody asks for is not begun: it has descriptors of its own.
    engine: rest.engine ?? testEngine(),
    source,
    dialing: {
      connectTimeoutMs: 5_000,
      keepAliveMs: 30_000,
      family: 4,
      policy: permitAll,
      resolver: systemResolver(),
      ...dialing,
    },
    observer: (event) => {
      events.push(event);
      observe?.(event);
    },
    nextId: () => (id += 1),
  });
  t.after(() => service.close());
  await service.start();
  const ports = () =>
    service.status.listeners.map(({ status }) =>
      status.phase === 'listening' && status.address.kind === 'tcp' ? status.address.port : 0,
    );
  const closed = () => events.filter((event) => event.type === 'connection-closed');
  return {
    service,
    source,
    port: ports()[0] ?? 0,
    events,
    closed,
    closedOne: async (n = 1) => {
      await eventually(() => closed().length >= n, `${n} finished connections, got ${closed().length}`);
      const event = closed()[n - 1];
      if (event === undefined) throw new Error('unreachable');
      return event;
    },
    ports,
  };
}
