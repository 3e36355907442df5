/** How a candidate is asked whether it is well. One for a service. */
export type HealthCheck =
  /** A connection is made, with `tls` a handshake, and where there is something to send or to expect, that. */
  | {
      readonly kind: 'tcp' | 'tls';
      /** A character is a byte; empty: nothing. */
      readonly send: string;
      /** Undefined: whatever it says, or nothing. */
      readonly expect: Expectation | undefined;
    }
  | {
      readonly kind: 'redis' | 'redis-primary' | 'redis-replica';
      /** Undefined: the default user. */
      readonly username: string | undefined;
      readonly password: string | undefined;
    }
  | { readonly kind: 'postgres' }
  | HttpCheck;

/** A GET; 2xx is healthy. */
export interface HttpCheck {
  readonly kind: 'http';
  /** By https. */
  readonly isSecure: boolean;
  /** Undefined: the candidate's. */
  readonly host: string | undefined;
  /** Undefined: the candidate's. */
  readonly port: number | undefined;
  /** Path and query, as they are sent. */
  readonly target: string;
  /** Of Basic; undefined: none is sent. */
  readonly username: string | undefined;
  /** Of Basic; no message shows it. */
  readonly password: string | undefined;
}

/** What an answer has to be; a character is a byte. */
export type Expectation =
  | { readonly kind: 'prefix'; readonly text: string }
  | { readonly kind: 'pattern'; readonly source: string; readonly ignoreCase: boolean };

/** `unknown`: not checked yet. */
export type HealthState = 'unknown' | 'healthy' | 'unhealthy';

/** What becomes of the connections that a candidate carries when it turns unhealthy. */
export type OnUnhealthy = 'reset' | 'drain' | 'keep';

/** The checks of one service. Times are ms. */
export interface HealthSettings {
  /** How a candidate is asked. */
  readonly check: HealthCheck;
  /** Between two checks of one candidate, ±10%. */
  readonly intervalMs: number;
  /** Of one check, connecting included. */
  readonly timeoutMs: number;
  /** Failed checks in a row that make a candidate unhealthy. */
  readonly fall: number;
  /** Good checks in a row that make it healthy again. */
  readonly rise: number;
  /** What becomes of the connections of a candidate that turned unhealthy. */
  readonly onUnhealthy: OnUnhealthy;
}

/** Checks of a role: nobody may be dialed who has not said that it has the role. The others are a preference. */
export function isStrict({ kind }: HealthCheck): boolean {
  return kind === 'http' || kind === 'redis-primary' || kind === 'redis-replica';
}

/** Whether only one candidate at a time can have the role; two are a split. */
export function isSingle(check: HealthCheck): boolean {
  if (check.kind !== 'http') return check.kind === 'redis-primary';
  // Patroni's names of the leader's role.
  return /\/(?:primary|leader|master|read-write)\/?(?:\?|$)/.test(check.target);
}

/** A check as `HEALTH_CHECK` names it. */
export function checkName(check: HealthCheck | Omit<HttpCheck, 'username' | 'password'>): string {
  if (check.kind !== 'http') return check.kind;
  const { isSecure, host = '', port, target } = check;
  const bracketed = host.includes(':') ? `[${host}]` : host;
  return `http${isSecure ? 's' : ''}://${bracketed}${port === undefined ? '' : `:${port}`}${target}`;
}
