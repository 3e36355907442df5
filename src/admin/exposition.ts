import { setImmediate as nextTurn } from 'node:timers/promises';
import { Counter, Gauge, Registry } from 'prom-client';
import type { ServiceTraffic } from '../core/open-connection.ts';
import type { Buckets } from './buckets.ts';
import { candidateStates, statesOf } from './candidate-state.ts';
import { metricTable, type MetricName } from './metric-table.ts';
import type { ProcessStatus, ServiceStatus } from '../core/status.ts';
import { serviceState, serviceStates } from './service-health.ts';
import type { ServiceCounters } from './counters.ts';
import { CountedHistogram } from './counted-histogram.ts';

export interface Readings {
  readonly status: ProcessStatus;
  readonly traffic: readonly ServiceTraffic[];
  readonly counters: ReadonlyMap<string, ServiceCounters>;
  readonly lag: Buckets;
  readonly droppedLogLines: number | undefined;
}

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

/** Those with a sample for each candidate are written in pieces, between which the event loop has its turn. */
const LARGE = [
  'attache_open_connections',
  'attache_connect_failures_total',
  'attache_candidate_health',
] as const satisfies readonly MetricName[];
/** About a millisecond of work. */
const PIECE_SAMPLES = 500;

/**
 * Of what the library knows of a process, these. All of it together costs a tenth of every connection (it observes each
 * garbage collection) and of every scrape (it lists all sockets), and has names that promtool objects to. They are inner files
 * of the library: one that is not there any more is left out.
 */
const processMetrics = await Promise.allSettled([
  import('prom-client/lib/metrics/processCpuTotal.js'),
  import('prom-client/lib/metrics/osMemoryHeap.js'),
  import('prom-client/lib/metrics/heapSizeAndUsed.js'),
  import('prom-client/lib/metrics/processOpenFileDescriptors.js'),
  import('prom-client/lib/metrics/processMaxFileDescriptors.js'),
  import('prom-client/lib/metrics/processStartTime.js'),
]);

/** Hands plain numbers to the Prometheus library, all anew for each scrape: what has gone is not there any more. */
export class Exposition {
  readonly #registry = new Registry();
  /** Of the large ones. */
  readonly #pieces = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #histograms = new Map<string, CountedHistogram>();
  readonly #version: string;

  constructor(version: string) {
    this.#version = version;
    for (const loaded of processMetrics) if (loaded.status === 'fulfilled') addTo(this.#registry, loaded.value.default);
    for (const [name, { type, help, labels }] of Object.entries(metricTable)) {
      const isLarge = (LARGE as readonly string[]).includes(name);
      const options = { name, help, labelNames: [...labels], registers: [isLarge ? this.#pieces : this.#registry] };
      if (type === 'counter') this.#counters.set(name, new Counter(options));
      else if (type === 'gauge') this.#gauges.set(name, new Gauge(options));
      else this.#histograms.set(name, new CountedHistogram(options));
    }
  }

  async write({ status, traffic, counters, lag, droppedLogLines }: Readings): Promise<string> {
    for (const metric of [...this.#counters.values(), ...this.#gauges.values(), ...this.#histograms.values()]) {
      metric.reset();
    }
    this.#set('attache_build_info', { version: this.#version, node_version: process.version }, 1);
    if (status.memory?.limit !== undefined) this.#set('attache_memory_limit_bytes', {}, status.memory.limit);
    if (status.memory !== undefined) {
      this.#set('attache_memory_exhausted', {}, status.memory.state === 'exhausted' ? 1 : 0);
    }
    this.#add('attache_configuration_rejected_total', {}, status.configuration?.rejections ?? 0);
    const followed = status.configuration?.followed;
    if (followed !== undefined) this.#set('attache_services_key_synced', {}, followed.phase === 'synced' ? 1 : 0);
    this.#buckets('attache_event_loop_lag_seconds', {}, lag);
    if (droppedLogLines !== undefined) this.#add('attache_log_lines_dropped_total', {}, droppedLogLines);
    const moving = new Map(traffic.map((one) => [one.service, one]));
    for (const service of status.services) {
      this.#state(service);
      const counted = counters.get(service.name);
      if (counted !== undefined) this.#counted(service.name, counted);
      this.#traffic(service, moving.get(service.name), counted);
    }
    const small = await this.#registry.metrics();
    const open = await this.#inPieces('attache_open_connections', openConnections(status.services, moving));
    const failures = await this.#inPieces('attache_connect_failures_total', connectFailures(status.services, counters));
    const health = await this.#inPieces('attache_candidate_health', candidateHealth(status.services));
    return [small, open, failures, health].join('\n');
  }

  async #inPieces(name: (typeof LARGE)[number], samples: Iterable<Sample>): Promise<string> {
    const metric = this.#gauges.get(name) ?? this.#counters.get(name);
    if (metric === undefined) return '';
    const texts: string[] = [];
    let count = 0;
    const flush = async () => {
      const text = await this.#pieces.getSingleMetricAsString(name);
      metric.reset();
      // The first has the two lines that say what the metric is.
      texts.push(texts.length === 0 ? text : text.split('\n').slice(2).join('\n'));
      count = 0;
    };
    for (const [labels, value] of samples) {
      metric.inc(labels, value);
      count += 1;
      if (count < PIECE_SAMPLES) continue;
      await flush();
      await nextTurn();
    }
    if (count > 0 || texts.length === 0) await flush();
    return `${texts.join('\n')}\n`;
  }

  #state(status: ServiceStatus): void {
    const { name: service, discovery, tls } = status;
    this.#set('attache_held_connections', { service }, status.held);
    const states = [...statesOf(status).values()];
    for (const state of candidateStates) {
      this.#set('attache_candidates', { service, state }, states.filter((one) => one === state).length);
    }
    const { state: stands } = serviceState(status);
    for (const state of serviceStates) this.#set('attache_service_state', { service, state }, state === stands ? 1 : 0);
    if (status.checks !== undefined) {
      this.#set('attache_role_split', { service }, status.checks.split.length > 0 ? 1 : 0);
    }
    if (status.registrations !== undefined) {
      const phases = status.registrations.map(({ phase }) => phase);
      const isRegistered = phases.every((phase) => phase === 'registered');
      this.#set('attache_registered', { service }, isRegistered ? 1 : 0);
      this.#set('attache_registration_conflict', { service }, phases.includes('conflict') ? 1 : 0);
    }
    // Of a set that the operator listed an age would only look like a fault.
    if (discovery.status !== 'starting' && discovery.lastOkAt !== undefined && !('isFixed' in discovery)) {
      this.#set('attache_discovery_last_success_timestamp_seconds', { service }, discovery.lastOkAt / 1_000);
    }
    if (tls?.notAfterMs !== undefined) {
      this.#set('attache_tls_cert_not_after_seconds', { service }, tls.notAfterMs / 1_000);
    }
  }

  #counted(service: string, counters: ServiceCounters): void {
    this.#add('attache_connections_opened_total', { service }, counters.opened);
    for (const [reason, count] of counters.closed)
      this.#add('attache_connections_closed_total', { service, reason }, count);
    for (const [cause, count] of counters.resets) this.#add('attache_resets_total', { service, cause }, count);
    this.#add('attache_tls_unclean_ends_total', { service }, counters.unclean);
    for (const side of ['client', 'candidate'] as const) {
      for (const [reason, count] of counters.tlsFailures[side]) {
        this.#add('attache_tls_handshake_failures_total', { service, side, reason }, count);
      }
    }
    this.#buckets('attache_connect_duration_seconds', { service }, counters.connectSeconds);
    this.#buckets('attache_connection_duration_seconds', { service }, counters.connectionSeconds);
    if (counters.checks.size === 0) return;
    for (const [result, count] of counters.checks) this.#add('attache_health_checks_total', { service, result }, count);
    this.#buckets('attache_health_check_duration_seconds', { service }, counters.checkSeconds);
  }

  /** Bytes of an open connection are read from it, those of one that has ended are in the counters: never in both. */
  #traffic(status: ServiceStatus, moving: ServiceTraffic | undefined, counters: ServiceCounters | undefined): void {
    const { name: service } = status;
    const toCandidate = (counters?.bytesToCandidate ?? 0) + (moving?.bytesToCandidate ?? 0);
    const toClient = (counters?.bytesToClient ?? 0) + (moving?.bytesToClient ?? 0);
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

function* openConnections(
  services: readonly ServiceStatus[],
  moving: ReadonlyMap<string, ServiceTraffic>,
): Generator<Sample> {
  for (const { name: service, candidates } of services) {
    const open = moving.get(service)?.open;
    for (const candidate of new Set(['', ...candidates, ...(open?.keys() ?? [])])) {
      yield [{ service, candidate }, open?.get(candidate) ?? 0];
    }
  }
}

function* connectFailures(
  services: readonly ServiceStatus[],
  counters: ReadonlyMap<string, ServiceCounters>,
): Generator<Sample> {
  for (const { name: service } of services) {
    for (const [candidate, { failures }] of counters.get(service)?.members ?? []) {
      for (const [reason, count] of failures) yield [{ service, candidate, reason }, count];
    }
  }
}

function* candidateHealth(services: readonly ServiceStatus[]): Generator<Sample> {
  for (const { name: service, candidateStates: candidates } of services) {
    for (const { key: candidate, health } of candidates) {
      if (health === undefined || health.state === 'unknown') continue;
      yield [{ service, candidate }, health.state === 'healthy' ? 1 : 0];
    }
  }
}

function addTo(registry: Registry, register: unknown): void {
  try {
    if (typeof register === 'function') Reflect.apply(register, undefined, [registry]);
  } catch {
    // Without what only the library knows of the process.
  }
}
