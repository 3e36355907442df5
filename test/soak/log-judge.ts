import type { LogLine } from '../support/attache.ts';
import type { Stay } from './absences.ts';

/** What the program's own log says about the soak. */
export interface LogFindings {
  readonly lines: number;
  readonly accessLines: number;
  /** Lines that are no access lines. */
  readonly otherLines: number;
  /** How connections ended. */
  readonly reasons: ReadonlyMap<string, number>;
  /** Connections that were carried on after more than one attempt, or after they were held. */
  readonly waited: number;
  /** Longest that a client waited for a candidate and then had one, ms. */
  readonly longestWaitMs: number;
  /** Where its connections were carried to. */
  readonly stays: readonly Stay[];
  /** Lines of level error or fatal, and lines that were dropped: none may be. */
  readonly faults: readonly string[];
  /** Connections without exactly one access line. */
  readonly unaccounted: number;
}

/** A dial to loopback that succeeds takes a fraction of this. */
const WAITED_MS = 100;
const MOST_FAULTS = 20;

export function judgeLog(lines: readonly LogLine[]): LogFindings {
  const access = lines.filter(({ msg }) => msg === 'connection closed');
  const reasons = new Map<string, number>();
  for (const line of access) reasons.set(text(line, 'reason'), (reasons.get(text(line, 'reason')) ?? 0) + 1);
  const carried = access.filter((line) => line['candidate'] !== undefined);
  const waits = carried.map((line) => Number(line['dialMs'])).filter((ms) => ms > WAITED_MS);
  return {
    lines: lines.length,
    accessLines: access.length,
    otherLines: lines.length - access.length,
    reasons,
    waited: waits.length,
    longestWaitMs: waits.reduce((most, ms) => Math.max(most, ms), 0),
    stays: carried.map(stayOf),
    faults: lines
      .filter(isFault)
      .slice(0, MOST_FAULTS)
      .map((line) => JSON.stringify(line)),
    unaccounted: unaccounted(access.map((line) => Number(line['id']))),
  };
}

/** The line is written when both sockets are closed. */
function stayOf(line: LogLine): Stay {
  const to = Date.parse(text(line, 'time'));
  const from = to - Number(line['totalMs']) + Number(line['dialMs']);
  return { member: text(line, 'candidate'), from, to, who: `access line of connection ${text(line, 'id')}` };
}

/** A list of services that is refused is what was to happen. */
function isFault(line: LogLine): boolean {
  if (line.msg?.startsWith('services rejected') === true) return false;
  return line['level'] === 'error' || line['level'] === 'fatal' || line.msg === 'log lines dropped';
}

/** Connections are numbered from 1 over the whole process. */
function unaccounted(ids: readonly number[]): number {
  const seen = new Set(ids);
  const highest = ids.reduce((most, id) => Math.max(most, id), 0);
  return highest - seen.size + (ids.length - seen.size);
}

function text(line: LogLine, field: string): string {
  return String(line[field]);
}
