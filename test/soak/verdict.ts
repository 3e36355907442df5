import { SERVICES } from './program.ts';
import type { Findings } from './soak.ts';

/** One thing that was judged. */
export interface Check {
  readonly name: string;
  readonly bound: string;
  readonly measured: string;
  readonly ok: boolean;
  /** What was found, when it is not as it has to be. */
  readonly details: readonly string[];
}

const MOST_RESIDENT_GROWTH_KB = 32 * 1_024;
const MOST_HEAP_GROWTH_BYTES = 4 * 1_024 * 1_024;
/** 16 buffers of 256 KiB are kept for the next bulk connections, and may not have been needed in the warm-up. */
const MOST_BUFFER_GROWTH_BYTES = 5 * 1_024 * 1_024;
/** Above the quiet one, for what is under way: a bulk connection may hold under 1 MiB, and there are fewer than 100. */
const MOST_RESIDENT_LOADED_KB = 160 * 1_024;
const MOST_DETAILS = 10;

/** Judges a soak, each promise for itself. */
export function judge(findings: Findings): readonly Check[] {
  const { clients, log, warm, end, curve, health } = findings;
  const peakKb = curve.reduce((most, [, kb]) => Math.max(most, kb), 0);
  const most = mostOtherLines(findings);
  return [
    none('wrong bytes', clients.wrong),
    none('carried to a member 2 s or more after its removal was confirmed', findings.overstays),
    none('clients left without an answer when all is well again', findings.stuck === undefined ? [] : [findings.stuck]),
    none('acknowledged writes that the last primary does not have', findings.roles.lost),
    none('writes that went to a replica while no change of the primary went on', findings.roles.lateRefusals),
    none(
      'edits of the services that were not in force within 10 s, or touched another service',
      findings.edits.failures,
    ),
    none('registrations that did not follow their process', findings.registrars.failures),
    within('resident memory, end against warm', 'kB', [end.residentKb - warm.residentKb, MOST_RESIDENT_GROWTH_KB]),
    within('heap after a full collection, end against warm', 'bytes', [
      end.heapBytes - warm.heapBytes,
      MOST_HEAP_GROWTH_BYTES,
    ]),
    within('buffers after a full collection, end against warm', 'bytes', [
      end.bufferBytes - warm.bufferBytes,
      MOST_BUFFER_GROWTH_BYTES,
    ]),
    within('peak resident memory above warm', 'kB', [peakKb - warm.residentKb, MOST_RESIDENT_LOADED_KB]),
    within('descriptors, end against warm', 'open', [end.descriptors - warm.descriptors, 0]),
    none('`/healthz` without a 200 in 5 s', health.failures),
    {
      name: 'the process goes on to the end; its exit code on SIGTERM',
      bound: '0',
      measured: `${findings.exit}`,
      ok: findings.exit === 0,
      details: [],
    },
    none('log lines of level error, or dropped', log.faults),
    none('lines on stderr', findings.complaints),
    within('connections without exactly one access line', '', [log.unaccounted, 0]),
    within('other log lines', 'lines', [log.otherLines, most]),
    none('faults that could not be done', findings.stepFailures),
    atLeast('answers compared', clients.tally.answers, 1),
    atLeast('acknowledged writes', findings.roles.acknowledged, 1),
    atLeast('changes of the primary', findings.roles.changes, 1),
    atLeast('removals that were judged', findings.absences, 1),
    atLeast('edits of the services', findings.edits.done, 1),
    atLeast('registrars that were ended', findings.registrars.done, 1),
  ];
}

/**
 * Two lines for each write and service; twenty for each change of the primary, whose three servers have a line for each change of
 * their health; twelve for each edit of the services; six for each outage of the registry (stale, failing, synced, ...); and what the
 * log's limits let through in 10 s for each of all services: 20 lines on clients that are held, 40 on candidates ejected and back, 20 on keys.
 */
function mostOtherLines({ registryWrites, outages, curve, roles, edits }: Findings): number {
  const windows = Math.ceil((curve.at(-1)?.[0] ?? 0) / 10) + 1;
  const ofRegistry = SERVICES.length * (2 * registryWrites + 6 * outages);
  return ofRegistry + 20 * roles.changes + 12 * edits.done + (SERVICES.length + 1) * 80 * windows + 50;
}

function none(name: string, found: readonly string[]): Check {
  const shown = found.slice(0, MOST_DETAILS);
  return { name, bound: 'none', measured: `${found.length}`, ok: found.length === 0, details: shown };
}

function within(name: string, unit: string, [measured, most]: readonly [number, number]): Check {
  const text = (value: number) => `${value.toLocaleString('en')} ${unit}`.trim();
  return { name, bound: `at most ${text(most)}`, measured: text(measured), ok: measured <= most, details: [] };
}

function atLeast(name: string, measured: number, least: number): Check {
  const text = (value: number) => value.toLocaleString('en');
  return { name, bound: `at least ${text(least)}`, measured: text(measured), ok: measured >= least, details: [] };
}
