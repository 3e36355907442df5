/** One metric as it is exported. */
export interface MetricEntry {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

/** Every metric of ours. Labels come from closed or bounded sets alone: services, members, and short lists of causes. */
export const metricTable = {
  attache_build_info: {
    type: 'gauge',
    help: 'Always 1; the labels name the running versions.',
    labels: ['version', 'node_version'],
  },
  attache_configuration_rejected_total: {
    type: 'counter',
    help: 'Lists of services that were refused at run time; the services of before stayed.',
    labels: [],
  },
  attache_services_key_synced: {
    type: 'gauge',
    help: '1 while the registry tells what the key of SERVICES_KEY holds; 0 when it does not answer or has no such key.',
    labels: [],
  },
  attache_connections_opened_total: { type: 'counter', help: 'Clients that were accepted.', labels: ['service'] },
  attache_open_connections: {
    type: 'gauge',
    help: 'Connections open now, by the candidate that carries them; without a candidate: none has answered yet.',
    labels: ['service', 'candidate'],
  },
  attache_held_connections: {
    type: 'gauge',
    help: 'Clients that wait, unread, because no candidate answers (HOLD_TIMEOUT).',
    labels: ['service'],
  },
  attache_connections_closed_total: {
    type: 'counter',
    help: 'Connections that ended, by reason.',
    labels: ['service', 'reason'],
  },
  attache_connect_failures_total: {
    type: 'counter',
    help: 'Failed attempts to connect to a present candidate, TLS handshake included.',
    labels: ['service', 'candidate', 'reason'],
  },
  attache_bytes_total: {
    type: 'counter',
    help: 'Bytes carried, open connections included.',
    labels: ['service', 'direction'],
  },
  attache_connect_duration_seconds: {
    type: 'histogram',
    help: 'Duration of successful connects to a candidate, TLS handshake included.',
    labels: ['service'],
  },
  attache_connection_duration_seconds: {
    type: 'histogram',
    help: 'Duration of connections that have ended.',
    labels: ['service'],
  },
  attache_candidates: {
    type: 'gauge',
    help: 'Candidates by state.',
    labels: ['service', 'state'],
  },
  attache_service_state: {
    type: 'gauge',
    help: '1 for the present state of the service: serving, degraded (some candidates do not answer) or failing (no candidate answers); 0 for the other states.',
    labels: ['service', 'state'],
  },
  attache_candidate_health: {
    type: 'gauge',
    help: '1: the last checks found the candidate healthy (HEALTH_CHECK); 0: unhealthy; missing before the first check.',
    labels: ['service', 'candidate'],
  },
  attache_health_checks_total: {
    type: 'counter',
    help: 'Health checks that have ended, by result.',
    labels: ['service', 'result'],
  },
  attache_health_check_duration_seconds: {
    type: 'histogram',
    help: 'Duration of health checks, from the connect to the verdict.',
    labels: ['service'],
  },
  attache_role_split: {
    type: 'gauge',
    help: '1 while several candidates say that they have a role that only one can have (two primaries); missing without checks.',
    labels: ['service'],
  },
  attache_registered: {
    type: 'gauge',
    help: '1 while the service stands in every directory of REGISTER, 0 while it does not; missing without REGISTER.',
    labels: ['service'],
  },
  attache_registration_conflict: {
    type: 'gauge',
    help: '1 while another process holds a key under which the service is to be registered; missing without REGISTER.',
    labels: ['service'],
  },
  attache_discovery_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'Time at which discovery last confirmed the candidates; missing for listed candidates and before the first time.',
    labels: ['service'],
  },
  attache_resets_total: {
    type: 'counter',
    help: 'Established connections that attache ended, by cause.',
    labels: ['service', 'cause'],
  },
  attache_tls_cert_not_after_seconds: {
    type: 'gauge',
    help: 'Time at which the certificate of the service expires, Unix time.',
    labels: ['service'],
  },
  attache_tls_handshake_failures_total: {
    type: 'counter',
    help: 'TLS that failed or was refused, by the side at the other end.',
    labels: ['service', 'side', 'reason'],
  },
  attache_tls_unclean_ends_total: {
    type: 'counter',
    help: 'Connections whose TLS peer closed TCP without close_notify.',
    labels: ['service'],
  },
  attache_memory_limit_bytes: {
    type: 'gauge',
    help: 'Resident memory that the process may have (MAX_MEMORY, or the limit of its container); missing without a limit.',
    labels: [],
  },
  attache_memory_exhausted: {
    type: 'gauge',
    help: '1 while attache closes new clients because memory is short.',
    labels: [],
  },
  attache_event_loop_lag_seconds: {
    type: 'histogram',
    help: 'How long the event loop was blocked, a value for each 10 ms.',
    labels: [],
  },
  attache_log_lines_dropped_total: {
    type: 'counter',
    help: 'Log lines that were dropped because nobody read them in time, or because writing them failed.',
    labels: [],
  },
} as const satisfies Readonly<Record<string, MetricEntry>>;

export type MetricName = keyof typeof metricTable;
