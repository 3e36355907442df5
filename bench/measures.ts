/** A figure that is taken, and how it is shown. */
export interface Measure {
  readonly title: string;
  readonly unit: string;
  /** Which way is good. */
  readonly better: 'less' | 'more';
  readonly digits: number;
  /** What there are several of, where a figure is taken at several counts; default: connections. */
  readonly countOf?: 'follower';
  /** What attache is meant to reach. */
  readonly aim?: Aim;
}

export type Aim =
  | { readonly kind: 'ratio'; readonly to: 'haproxy'; readonly most: number }
  | { readonly kind: 'value'; readonly most: number };

const perRequest = { unit: 'µs CPU/request', better: 'less', digits: 1 } as const;
const perGigabyte = { unit: 's CPU/GB', better: 'less', digits: 2 } as const;
const perConnection = { unit: 'µs CPU/connection', better: 'less', digits: 0 } as const;
const latency = { unit: 'ms', better: 'less', digits: 1 } as const;
const change = { unit: 'ms', better: 'less', digits: 0 } as const;
const errors = { unit: 'errors', better: 'less', digits: 0 } as const;
const followed = { better: 'less', digits: 0, countOf: 'follower' } as const;
const requests = { unit: 'requests/s', better: 'more', digits: 0 } as const;
const gigabits = { unit: 'Gbit/s', better: 'more', digits: 1 } as const;
const connections = { unit: 'connections/s', better: 'more', digits: 0 } as const;

/** In the order in which they are shown. */
export const measures = {
  'small-1': { title: 'GET 64 B, 1 connection', ...perRequest, aim: toHaproxy(0.95) },
  'small-50': { title: 'GET 64 B, 50 connections', ...perRequest, aim: toHaproxy(0.95) },
  'small-500': { title: 'GET 64 B, 500 connections', ...perRequest, aim: toHaproxy(0.95) },
  'bulk-up': { title: 'one stream up', ...perGigabyte, aim: toHaproxy(0.45) },
  'bulk-down': { title: 'one stream down', ...perGigabyte, aim: toHaproxy(0.45) },
  'bulk-four': { title: 'four streams up', ...perGigabyte },
  connect: { title: 'connection with one GET', ...perConnection, aim: toHaproxy(1) },
  'idle-memory': {
    title: 'idle connection',
    unit: 'kB/connection',
    better: 'less',
    digits: 1,
    aim: { kind: 'value', most: 1 },
  },
  'idle-cpu': { title: 'all idle connections', unit: 'ms CPU/s', better: 'less', digits: 1 },
  'tls-small': { title: 'TLS pair: GET 64 B, 50 connections', ...perRequest, aim: toHaproxy(0.75) },
  'tls-up': { title: 'TLS pair: one stream up', ...perGigabyte, aim: toHaproxy(0.8) },
  'tls-down': { title: 'TLS pair: one stream down', ...perGigabyte, aim: toHaproxy(0.8) },
  'tls-connect-resumed': { title: 'TLS pair: connection, resumed', ...perConnection, aim: toHaproxy(0.65) },
  'tls-connect-full': { title: 'TLS pair: connection, full handshake', ...perConnection, aim: toHaproxy(1) },
  'start-time': {
    title: 'start to first accepted connection',
    unit: 'ms',
    better: 'less',
    digits: 0,
    aim: { kind: 'value', most: 100 },
  },
  'start-cached-time': { title: 'the same with NODE_COMPILE_CACHE', unit: 'ms', better: 'less', digits: 0 },
  'start-memory': {
    title: 'resident after start',
    unit: 'MB',
    better: 'less',
    digits: 1,
    aim: { kind: 'value', most: 60 },
  },
  'start-private': { title: 'private after start: what a second one adds', unit: 'MB', better: 'less', digits: 1 },
  'scale-cpu': { title: 'GET 64 B', ...perRequest },
  'scale-memory': { title: 'busy connection', unit: 'kB/connection', better: 'less', digits: 1 },
  'fairness-1': { title: 'small request beside 1 bulk stream, p99', ...latency, aim: { kind: 'value', most: 20 } },
  'fairness-20': { title: 'small request beside 20 bulk streams, p99', ...latency, aim: { kind: 'value', most: 40 } },
  'fairness-300': {
    title: 'small request beside 300 bulk streams, p99',
    ...latency,
    aim: { kind: 'value', most: 50 },
  },
  'failover-killed': { title: 'primary killed, another leads: first write', ...change },
  'failover-killed-errors': { title: 'primary killed, another leads: errors of the app', ...errors },
  'failover-switched': { title: 'two switch roles: first write', ...change },
  'failover-switched-errors': { title: 'two switch roles: errors of the app', ...errors },
  'failover-patroni-killed': { title: 'Patroni, leader killed: first write', ...change },
  'failover-patroni-killed-errors': { title: 'Patroni, leader killed: errors of the app', ...errors },
  'failover-patroni-switched': { title: 'Patroni, switchover: first write', ...change },
  'failover-patroni-switched-errors': { title: 'Patroni, switchover: errors of the app', ...errors },
  'checks-without': { title: 'GET 64 B, 100 candidates without checks', ...perRequest },
  'checks-with': { title: 'GET 64 B, 100 candidates checked every 2 s', ...perRequest },
  'checks-cpu': { title: 'checks of 100 candidates every 2 s, no load', unit: 'ms CPU/s', better: 'less', digits: 1 },
  'registry-etcd-seen': { title: 'etcd: a put until the last follower has it', ...followed, unit: 'ms' },
  'registry-etcd-cpu': { title: 'etcd: CPU of etcd for that', ...followed, unit: 'ms CPU' },
  'registry-etcd-memory': { title: 'etcd: resident memory of etcd', ...followed, unit: 'MB' },
  'registry-etcd-restart': { title: 'etcd: back from a restart until all follow', ...followed, unit: 'ms' },
  'registry-etcd-herd': { title: 'etcd: most requests in a second then', ...followed, unit: 'requests/s' },
  'registry-proxy-seen': { title: 'through grpc-proxy: a put until the last has it', ...followed, unit: 'ms' },
  'registry-proxy-cpu': { title: 'through grpc-proxy: CPU of etcd for that', ...followed, unit: 'ms CPU' },
  'registry-proxy-memory': { title: 'through grpc-proxy: memory of etcd', ...followed, unit: 'MB' },
  'registry-dns-seen': { title: 'DNS, TTL 1 s: a change until the last follower has it', ...followed, unit: 'ms' },
  'registry-dns-cpu': { title: 'DNS, TTL 1 s: CPU of dnsmasq', ...followed, unit: 'ms CPU/s' },
  'small-1-rate': { title: 'GET 64 B, 1 connection', ...requests },
  'small-50-rate': { title: 'GET 64 B, 50 connections', ...requests },
  'small-500-rate': { title: 'GET 64 B, 500 connections', ...requests },
  'bulk-up-rate': { title: 'one stream up', ...gigabits },
  'bulk-down-rate': { title: 'one stream down', ...gigabits },
  'bulk-four-rate': { title: 'four streams up', ...gigabits },
  'fairness-20-jain': { title: "20 bulk streams, Jain's index", unit: 'of 1', better: 'more', digits: 2 },
  'fairness-300-jain': { title: "300 bulk streams, Jain's index", unit: 'of 1', better: 'more', digits: 2 },
  'fairness-300-moved': { title: '300 bulk streams, moved in 3.5 s', unit: 'streams', better: 'more', digits: 0 },
  'connect-rate': { title: 'connection with one GET', ...connections },
  'tls-small-rate': { title: 'TLS pair: GET 64 B, 50 connections', ...requests },
  'tls-up-rate': { title: 'TLS pair: one stream up', ...gigabits },
  'tls-down-rate': { title: 'TLS pair: one stream down', ...gigabits },
  'tls-connect-resumed-rate': { title: 'TLS pair: connection, resumed', ...connections },
  'tls-connect-full-rate': { title: 'TLS pair: connection, full handshake', ...connections },
} as const satisfies Record<string, Measure>;

export type MeasureId = keyof typeof measures;

export const measureIds = Object.keys(measures) as readonly MeasureId[];

/** The same, without the exact types of each. */
export function measureOf(id: MeasureId): Measure {
  return measures[id];
}

function toHaproxy(most: number): Aim {
  return { kind: 'ratio', to: 'haproxy', most };
}
