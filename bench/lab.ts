import { join } from 'node:path';
import type { Settings } from './arguments.ts';
import type { Certificates } from './certificates.ts';
import type { Processes } from './processes.ts';

/** Where a workload is measured: what it may use, and what ends it. */
export interface Lab {
  readonly settings: Settings;
  /** Everything that is started belongs to this, and ends with it. */
  readonly processes: Processes;
  /** Aborted when the run is over, whatever the reason: every wait takes it. */
  readonly signal: AbortSignal;
  /** Scratch folder; it goes with the run. */
  readonly folder: string;
  readonly openFiles: number;
  readonly certificates: () => Promise<Certificates>;
  /** Says once, in the results too, how a figure came about: a limit that was met, say. */
  note(text: string): void;
}

let files = 0;

/** A name in the scratch folder that nobody else has. */
export function scratchFile(lab: Pick<Lab, 'folder'>, name: string): string {
  files += 1;
  return join(lab.folder, `${files}-${name}`);
}
