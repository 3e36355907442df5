import type { Lab } from './lab.ts';
import { measureOf } from './measures.ts';
import type { Peer } from './peers/peer.ts';
import type { Processes } from './processes.ts';
import type { Failure, Row } from './results.ts';
import { Tally } from './tally.ts';
import type { Reading, Station, Workload } from './workloads/workload.ts';

export interface RunOptions {
  readonly lab: Lab;
  readonly workloads: readonly Workload[];
  /** attache first. */
  readonly peers: readonly Peer[];
  /** Rounds of a workload. */
  readonly rounds: (workload: Workload) => number;
  /** Takes a line for whoever waits. */
  readonly progress: (line: string) => void;
}

export interface RunOutcome {
  readonly rows: readonly Row[];
  readonly failures: readonly Failure[];
}

/**
 * Puts every proxy to every work. Within a round they take turns, so that whatever else happens on the machine
 * falls on all of them. One that fails is said and left out of that work.
 * @throws when the lab's signal is aborted.
 */
export async function run(options: RunOptions): Promise<RunOutcome> {
  const tally = new Tally();
  const failures: Failure[] = [];
  for (const workload of options.workloads) await runWorkload(workload, { ...options, tally, failures });
  return { rows: tally.rows(), failures };
}

interface Run extends RunOptions {
  readonly tally: Tally;
  readonly failures: Failure[];
}

interface Turn {
  readonly peer: Peer;
  readonly station: Station;
  readonly processes: Processes;
}

async function runWorkload(workload: Workload, running: Run): Promise<void> {
  const { lab, peers, tally, progress } = running;
  const processes = lab.processes.part();
  try {
    const turns = new Set<Turn>();
    for (const peer of peers) {
      const unsuited = peer.unsuited(workload.name);
      if (unsuited !== undefined) {
        progress(`${workload.name}: without ${peer.name}: ${unsuited}`);
        continue;
      }
      const own = processes.part();
      const station = await attempt(running, { workload, peer, processes: own }, () =>
        workload.open(peer, { ...lab, processes: own }),
      );
      if (station !== undefined) turns.add({ peer, station, processes: own });
    }
    const rounds = running.rounds(workload);
    for (let round = 1; round <= rounds; round++) {
      for (const turn of turns) {
        const readings = await attempt(running, { workload, ...turn }, () => turn.station.read());
        if (readings === undefined) {
          turns.delete(turn);
          continue;
        }
        tally.add(turn.peer.name, readings);
        progress(`${workload.name} ${round}/${rounds} ${turn.peer.name}: ${readings.map(brief).join(', ')}`);
      }
    }
  } finally {
    await processes.stop();
  }
}

interface Attempt {
  readonly workload: Workload;
  readonly peer: Peer;
  readonly processes: Processes;
}

async function attempt<T>(
  running: Run,
  { workload, peer, processes }: Attempt,
  act: () => Promise<T>,
): Promise<T | undefined> {
  const { lab, failures, progress } = running;
  lab.signal.throwIfAborted();
  try {
    return await act();
  } catch (error) {
    // When all is being ended everything fails; that is nobody's fault.
    lab.signal.throwIfAborted();
    const message = withoutFolders(error instanceof Error ? error.message : String(error));
    failures.push({ proxy: peer.name, workload: workload.name, message });
    progress(`${workload.name}: ${peer.name} failed and is left out: ${message}`);
    await processes.stop();
    return undefined;
  }
}

/** Results are shown to others, whom the folders of this machine do not concern. */
function withoutFolders(message: string): string {
  return message.replace(/(?<![\w.:/])(\/[\w.@+-]+)+\/(?=[\w.@+-])/g, '');
}

function brief({ measure, at, value }: Reading): string {
  const { unit, digits } = measureOf(measure);
  return `${at === undefined ? '' : `${at}: `}${value.toFixed(digits)} ${unit}`;
}
