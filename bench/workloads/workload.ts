import type { Lab } from '../lab.ts';
import type { MeasureId } from '../measures.ts';
import type { WorkloadName } from '../names.ts';
import type { Peer } from '../peers/peer.ts';
import type { ProgramName } from '../programs.ts';

/** One figure of one round. */
export interface Reading {
  readonly measure: MeasureId;
  readonly value: number;
  /** Connections, for a figure that is taken at several counts of them. */
  readonly at?: number;
}

/** One proxy put to one kind of work, round after round. */
export interface Station {
  /** Does the work once. */
  read(): Promise<readonly Reading[]>;
}

export interface Workload {
  readonly name: WorkloadName;
  /** Programs that it is done with. */
  readonly needs: readonly ProgramName[];
  /** Rounds when none are asked for. Long work whose figures are an average over thousands needs fewer. */
  readonly rounds: number;
  /** Makes one proxy ready. What it starts belongs to `lab.processes`, which is ended when the workload is over. */
  open(peer: Peer, lab: Lab): Promise<Station>;
}
