/** Selects open connections. */
export interface ConnectionsOptions {
  /** Only connections with a lower id, which are older. */
  readonly before?: number;
  /** At most this many connections. */
  readonly limit?: number;
  /** Only connections of this service; default: all services. */
  readonly service?: string | undefined;
}

/** The service for which a candidate is drained, and whether the drain begins or ends. */
export interface DrainOptions {
  /** Only in this service; default: every service that has the candidate. */
  readonly service?: string | undefined;
  /** True: no new connections; false: new ones again; default true. */
  readonly drained?: boolean;
}

/** The result of a close. */
export interface Closed {
  /** Connections that were open at the deadline and were cut. */
  readonly cut: number;
}
