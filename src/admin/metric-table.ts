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
    help: 'Always 1; the labels say what runs.',
    labels: ['version', 'node_version'],
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
    help: 'Connections that ended, by why they did.',
    labels: ['service', 'reason'],
  },
  attache_connect_failures_total: {
    type: 'counter',
    help: 'Failed attempts to connect to a present candidate, TLS handshake included.',
    labels: ['service', 'candidate', 'reason'],
  },
  attache_bytes_total: {
    type: 'counter',
    help: 'Bytes carried, those of open connections included.',
    labels: ['service', 'direction'],
  },
  attache_connect_duration_seconds: {
    type: 'histogram',
    help: 'What successful attempts to connect to a candidate took, TLS handshake included.',
    labels: ['service'],
  },
  attache_connection_duration_seconds: {
    type: 'histogram',
    help: 'How long connections that ended had been open.',
    labels: ['service'],
  },
  attache_candidates: {
    type: 'gauge',
    help: 'Candidates by what they are good for now.',
    labels: ['service', 'state'],
  },
  attache_discovery_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When discovery last confirmed the candidates; missing for listed ones and before the first time.',
    labels: ['service'],
  },
  attache_resets_total: {
    type: 'counter',
    help: 'Established connections that were ended from here, by why.',
    labels: ['service', 'cause'],
  },
  attache_tls_cert_not_after_seconds: {
    type: 'gauge',
    help: 'When the certificate that this service shows expires, Unix time.',
    labels: ['service'],
  },
  attache_tls_handshake_failures_total: {
    type: 'counter',
    help: 'TLS that failed or was refused, by who is at the other end.',
    labels: ['service', 'side', 'reason'],
  },
  attache_event_loop_lag_seconds: {
    type: 'histogram',
    help: 'How late a timer of 10 ms was: the time in which nothing at all was done.',
    labels: [],
  },
} as const satisfies Readonly<Record<string, MetricEntry>>;

export type MetricName = keyof typeof metricTable;
