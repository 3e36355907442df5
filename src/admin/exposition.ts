import { Counter, Gauge, Registry } from 'prom-client';
import heap from 'prom-client/lib/metrics/heapSizeAndUsed.js';
import memory from 'prom-client/lib/metrics/osMemoryHeap.js';
import cpu from 'prom-client/lib/metrics/processCpuTotal.js';
import maxDescriptors from 'prom-client/lib/metrics/processMaxFileDescriptors.js';
import openDescriptors from 'prom-client/lib/metrics/processOpenFileDescriptors.js';
import startTime from 'prom-client/lib/metrics/processStartTime.js';
import type { ServiceTraffic } from '../core/open-connection.ts';
import type { Buckets } from './buckets.ts';
import { candidateStates, statesOf } from './candidate-state.ts';
import { metricTable, type MetricName } from './metric-table.ts';
import type { ProcessStatus, ServiceStatus } from './status.ts';
import type { ServiceTally } from './tally.ts';
import { TalliedHistogram } from './tallied-histogram.ts';

export interface Readings {
  readonly status: ProcessStatus;
  readonly traffic: readonly ServiceTraffic[];
  readonly tally: ReadonlyMap<string, ServiceTally>;
  readonly lag: Buckets;
}

type Labels = Readonly<Record<string, string>>;

/**
 * Of what the library knows of a process, these. All of it together costs a tenth of every connection (it observes each
 * garbage collection) and of every scrape (it lists all sockets), and has names that promtool objects to.
 */
const PROCESS_METRICS = [cpu, memory, heap, openDescriptors, maxDescriptors, startTime];

/** Hands plain numbers to the Prometheus library, all anew for each scrape: what has gone is not there any more. */
export class Exposition {
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #histograms = new Map<string, TalliedHistogram>();
  readonly #version: string;

  constructor(version: string) {
    this.#version = version;
    for (const register of PROCESS_METRICS) register(this.#registry);
    for (const [name, { type, help, labels }] of Object.entries(metricTable)) {
      const options = { name, help, labelNames: [...labels], registers: [this.#registry] };
      if (type === 'counter') this.#counters.set(name, new Counter(options));
      else if (type === 'gauge') this.#gauges.set(name, new Gauge(options));
      else this.#histograms.set(name, new TalliedHistogram(options));
    }
  }

  async write({ status, traffic, tally, lag }: Readings): Promise<string> {
    for (const metric of [...this.#counters.values(), ...this.#gauges.values(), ...this.#histograms.values()]) {
      metric.reset();
    }
    this.#set('attache_build_info', { version: this.#version, node_version: process.version }, 1);
    this.#buckets('attache_event_loop_lag_seconds', {}, lag);
    const moving = new Map(traffic.map((one) => [one.service, one]));
    for (const service of status.services) {
      this.#state(service);
      const counted = tally.get(service.name);
      if (counted !== undefined) this.#tallied(service.name, counted);
      this.#traffic(service, moving.get(service.name), counted);
    }
    return this.#registry.metrics();
  }

  #state(status: ServiceStatus): void {
    const { name: service, discovery, tls } = status;
    this.#set('attache_held_connections', { service }, status.held);
    const states = [...statesOf(status).values()];
    for (const state of candidateStates) {
      this.#set('attache_candidates', { service, state }, states.filter((one) => one === state).length);
    }
    // Of a set that the operator listed an age would only look like a fault.
    if (discovery.status !== 'starting' && discovery.lastOkAt !== undefined && !('isFixed' in discovery)) {
      this.#set('attache_discovery_last_success_timestamp_seconds', { service }, discovery.lastOkAt / 1_000);
    }
    if (tls?.notAfterMs !== undefined) {
      this.#set('attache_tls_cert_not_after_seconds', { service }, tls.notAfterMs / 1_000);
    }
  }

  #tallied(service: string, tally: ServiceTally): void {
    this.#add('attache_connections_opened_total', { service }, tally.opened);
    for (const [reason, count] of tally.closed)
      this.#add('attache_connections_closed_total', { service, reason }, count);
    for (const [cause, count] of tally.resets) this.#add('attache_resets_total', { service, cause }, count);
    for (const [candidate, { failures }] of tally.members) {
      for (const [reason, count] of failures) {
        this.#add('attache_connect_failures_total', { service, candidate, reason }, count);
      }
    }
    for (const side of ['client', 'candidate'] as const) {
      for (const [reason, count] of tally.tlsFailures[side]) {
        this.#add('attache_tls_handshake_failures_total', { service, side, reason }, count);
      }
    }
    this.#buckets('attache_connect_duration_seconds', { service }, tally.connectSeconds);
    this.#buckets('attache_connection_duration_seconds', { service }, tally.connectionSeconds);
  }

  /** Bytes of an open connection are read from it, those of one that has ended are in the tally: never in both. */
  #traffic(status: ServiceStatus, moving: ServiceTraffic | undefined, tally: ServiceTally | undefined): void {
    const { name: service } = status;
    for (const candidate of new Set(['', ...status.candidates, ...(moving?.open.keys() ?? [])])) {
      this.#set('attache_open_connections', { service, candidate }, moving?.open.get(candidate) ?? 0);
    }
    const toCandidate = (tally?.bytesToCandidate ?? 0) + (moving?.bytesToCandidate ?? 0);
    const toClient = (tally?.bytesToClient ?? 0) + (moving?.bytesToClient ?? 0);
    this.#add('attache_bytes_total', { service, direction: 'to_candidate' }, toCandidate);
    this.#add('attache_bytes_total', { service, direction: 'to_client' }, toClient);
  }

  #add(name: MetricName, labels: Labels, value: number): void {
    this.#counters.get(name)?.inc(labels, value);
  }

  #set(name: MetricName, labels: Labels, value: number): void {
    this.#gauges.get(name)?.set(labels, value);
  }

  #buckets(name: MetricName, labels: Labels, buckets: Buckets): void {
    this.#histograms.get(name)?.put(labels, buckets);
  }
}
