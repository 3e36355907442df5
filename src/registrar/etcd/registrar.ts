import type { EtcdEndpoint, EtcdTlsPaths } from '../../etcd/endpoint.ts';
import { faultOf, etcdFaultText } from '../../etcd/fault.ts';
import { loadEtcdLibrary } from '../../etcd/library.ts';
import { runEtcdLoop } from '../../etcd/loop.ts';
import type { SessionEnd } from '../../etcd/session-end.ts';
import type { EtcdTiming } from '../../etcd/timing.ts';
import type { Registrar, Registration, RegistrationListener, RegistryEntry } from '../registration.ts';
import { Waker } from '../waker.ts';
import { LeasedEntry } from './entry.ts';
import { runLeaseSession, type LeaseSessionOptions } from './lease-session.ts';

export interface EtcdRegistrarOptions extends Pick<LeaseSessionOptions, 'username' | 'password' | 'lookup' | 'random'> {
  readonly endpoints: readonly EtcdEndpoint[];
  readonly tlsPaths: EtcdTlsPaths;
  readonly timing: EtcdTiming;
  /** How long an entry outlives this process, ms; etcd counts whole seconds. */
  readonly ttlMs: number;
}

type Life =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly done: Promise<void> }
  | { readonly kind: 'closed'; readonly done: Promise<void> };

/** Keeps entries in etcd under one lease. Opens nothing before the first entry is wanted. */
export class EtcdRegistrar implements Registrar {
  readonly #options: EtcdRegistrarOptions;
  readonly #entries = new Set<LeasedEntry>();
  readonly #waker = new Waker();
  readonly #former: string[] = [];
  readonly #leaving = new AbortController();
  readonly #stop = new AbortController();
  #isUp = false;
  #life: Life = { kind: 'idle' };

  constructor(options: EtcdRegistrarOptions) {
    this.#options = options;
  }

  register(entry: RegistryEntry, listener: RegistrationListener): Registration {
    const wake = () => {
      if (this.#life.kind === 'idle' && registration.isWanted) this.#life = { kind: 'running', done: this.#run() };
      this.#waker.wake();
    };
    const registration = new LeasedEntry(entry, { listener, wake });
    this.#entries.add(registration);
    return registration;
  }

  async close(): Promise<void> {
    if (this.#life.kind === 'idle') this.#life = { kind: 'closed', done: Promise.resolve() };
    if (this.#life.kind === 'running') {
      this.#life = { kind: 'closed', done: this.#life.done };
      for (const entry of this.#entries) entry.want(false);
      this.#leaving.abort();
      // Without a session there is nobody to ask: the lease expires.
      if (!this.#isUp) this.#stop.abort();
      const timer = setTimeout(() => this.#stop.abort(), 2 * this.#options.timing.callMs);
      await this.#life.done;
      clearTimeout(timer);
    }
    await this.#life.done;
  }

  async #run(): Promise<void> {
    const { endpoints, timing, random } = this.#options;
    await runEtcdLoop({
      endpoints,
      timing,
      random,
      signal: this.#stop.signal,
      run: (endpoint) => this.#session(endpoint),
      onFault: () => undefined,
      onUnreachable: () => undefined,
    });
  }

  async #session(endpoint: EtcdEndpoint): Promise<SessionEnd> {
    const { password } = this.#options;
    let end: SessionEnd;
    try {
      const library = await loadEtcdLibrary();
      end = await runLeaseSession({
        ...this.#options,
        library,
        endpoint,
        entries: this.#entries,
        waker: this.#waker,
        former: this.#former,
        leaving: this.#leaving.signal,
        signal: this.#stop.signal,
        granted: () => (this.#isUp = true),
      });
    } catch (error) {
      // The package cannot be loaded; a session does not throw.
      end = { kind: 'failed', fault: faultOf(error, { endpoint: endpoint.label, secrets: [password] }) };
    }
    this.#isUp = false;
    if (end.kind === 'stopped' || this.#leaving.signal.aborted) return { kind: 'stopped' };
    const error = etcdFaultText(end.fault);
    for (const entry of this.#entries) entry.lost(error);
    return end;
  }
}
