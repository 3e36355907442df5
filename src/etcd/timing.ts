/** The waits of discovery in etcd, ms. The defaults were measured; shorter ones are for tests. */
export interface EtcdTiming {
  /** An endpoint has this long to accept and to speak HTTP/2. */
  readonly preflightMs: number;
  /** Deadline of every unary call: log in, list. */
  readonly callMs: number;
  /** A watch has this long to be confirmed. */
  readonly watchConnectMs: number;
  /** Pings on the watch's connection. etcd answers a client that pings more often than every 5 s with an error. */
  readonly keepAliveMs: number;
  /** How long such a ping may go unanswered. */
  readonly keepAliveTimeoutMs: number;
  /** The set is read again after a random wait between these two, to find a watch that died without a word. */
  readonly checkMinMs: number;
  readonly checkMaxMs: number;
  /** How long a re-read that differs from what the watch said may stay unexplained by a later event. */
  readonly recheckMs: number;
  /** Bounds of the wait between two rounds over the endpoints. */
  readonly backoffMinMs: number;
  readonly backoffInitialMs: number;
  readonly backoffMaxMs: number;
  /** The same, while every endpoint answers and refuses us: each log-in costs etcd tens of ms of CPU. */
  readonly refusedBackoffMaxMs: number;
  /** A session that lived this long starts the back-off over. */
  readonly settledMs: number;
  /** A change is reported after this long without a further one: leases that expire together are revoked one by one. */
  readonly coalesceMs: number;
  /** A change is reported after this long at the latest. */
  readonly coalesceMaxMs: number;
}

export const defaultEtcdTiming: EtcdTiming = {
  preflightMs: 1_500,
  callMs: 2_000,
  watchConnectMs: 2_500,
  keepAliveMs: 6_000,
  keepAliveTimeoutMs: 2_000,
  checkMinMs: 3_000,
  checkMaxMs: 10_000,
  recheckMs: 1_000,
  backoffMinMs: 10,
  backoffInitialMs: 100,
  backoffMaxMs: 1_000,
  refusedBackoffMaxMs: 5_000,
  settledMs: 5_000,
  coalesceMs: 5,
  coalesceMaxMs: 25,
};
