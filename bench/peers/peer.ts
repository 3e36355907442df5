import type { Certificates } from '../certificates.ts';
import type { ProgramName } from '../programs.ts';
import type { ProxyName, WorkloadName } from '../names.ts';

/** What one process of a proxy does with a connection. */
export type Task =
  | { readonly kind: 'plain' }
  | { readonly kind: 'tls-server' | 'tls-client'; readonly certificates: Certificates; readonly resumption: boolean };

/** From one port of loopback to another. */
export interface Route {
  readonly from: number;
  readonly to: number;
  /** Another service beside it. */
  readonly second?: Pick<Route, 'from' | 'to'> | undefined;
  /** Port of a second Redis: of the two, the one that is primary gets all connections. */
  readonly replica?: number | undefined;
  /** PostgreSQL under Patroni: the one that leads gets all connections. */
  readonly patroni?: PatroniServers | undefined;
  readonly task: Task;
  /** The most that will be carried at once. */
  readonly connections: number;
  /** Open files that the process may have. */
  readonly openFiles: number;
  /** Gives the path of a new file with this content, for the configuration. */
  readonly file: (name: string, content: string) => string;
}

/** Servers that all have the same two ports. */
export interface PatroniServers {
  readonly hosts: readonly string[];
  /** Of PostgreSQL. */
  readonly port: number;
  /** Of Patroni's REST API. */
  readonly restPort: number;
}

/** Why no other proxy is put to a work; undefined when one may be. */
export function onlyAttache(workload: WorkloadName): string | undefined {
  if (workload === 'checks') return 'it has no such checks to compare';
  return workload === 'registry' ? 'it follows no registry' : undefined;
}

/** Why a proxy that knows no roles is not put to a work; undefined when it may be. */
export function withoutRoles(workload: WorkloadName): string | undefined {
  if (workload === 'failover') return 'it does not ask Redis for its role';
  return workload === 'failover-patroni' ? 'it does not ask Patroni who leads' : onlyAttache(workload);
}

/** How to run a proxy in the foreground. */
export interface ProxyCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A proxy that can be measured. */
export interface Peer {
  readonly name: ProxyName;
  /** Undefined for attache, which is always there. */
  readonly program: ProgramName | undefined;
  /** Why it is not put to this work; undefined when it is. */
  unsuited(workload: WorkloadName): string | undefined;
  /** Beyond it its CPU cannot be read: each of its processes does less than /proc can show. */
  readonly mostConnections?: number;
  command(route: Route): ProxyCommand;
  /** Environment with which it keeps what it has compiled in `folder` for its next start; for those that can. */
  readonly compileCache?: ((folder: string) => Readonly<Record<string, string>>) | undefined;
}
