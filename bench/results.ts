import type { Machine } from './machine.ts';
import type { MeasureId } from './measures.ts';
import type { ProxyName } from './names.ts';
import type { WorkloadName } from './names.ts';

/** What a run found; written as JSON as it is. */
export interface Results {
  /** ISO 8601, of the beginning. */
  readonly date: string;
  readonly attache: { readonly version: string; readonly commit: string };
  /** Version of the node that ran attache. */
  readonly node: string;
  readonly machine: Machine;
  readonly settings: RunSettings;
  /** Versions of the peers and tools that were found. */
  readonly programs: Readonly<Record<string, string>>;
  readonly proxies: readonly ProxyName[];
  readonly rows: readonly Row[];
  /** How figures came about. */
  readonly notes: readonly string[];
  readonly failures: readonly Failure[];
}

export interface RunSettings {
  /** Of each workload that was run. */
  readonly rounds: Readonly<Partial<Record<WorkloadName, number>>>;
  readonly seconds: number;
  readonly gigabytes: number;
  readonly connections: number;
  readonly set: Readonly<Record<string, string>>;
}

export interface Row {
  readonly measure: MeasureId;
  /** Connections, for a figure that is taken at several counts of them. */
  readonly at?: number;
  /** One value a round. */
  readonly values: Readonly<Partial<Record<ProxyName, readonly number[]>>>;
}

export interface Failure {
  readonly proxy: ProxyName;
  readonly workload: WorkloadName;
  readonly message: string;
}
