import type { BigIntStats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { errnoOf } from '../core/errors.ts';
import { FileFault, tooLate } from '../files/file-fault.ts';
import { onFileThread } from '../files/file-threads.ts';
import { FILE_DEADLINE_MS, readBounded } from '../files/read-file.ts';
import { Deadline } from './deadline.ts';
import { FaultCollector, invalid, unavailable } from './material-error.ts';
import { MAX_PART_BYTES, tooLarge, type MaterialPart } from './parts.ts';

export interface ReadFilesOptions {
  readonly signal: AbortSignal;
  /** How long all of it may take, ms: a network file system may never answer. Default 10 s. */
  readonly deadlineMs?: number;
  /** Tells one state of a file from another; undefined when it is not there. Replaced in tests. */
  readonly identify?: (path: string) => Promise<string | undefined>;
}

/** How often files that change all the time are read before giving up. */
const MAX_LOOKS = 20;
const PAUSE_MS = 20;
/** A file that is missing is believed to be so when it is still missing this long after. */
const SECOND_LOOK_MS = 100;

/**
 * Reads several files as they were at one moment. Kubernetes changes a Secret by pointing the link `..data` at another
 * directory, so that files read one after the other can be of two generations. Hence each is looked at again after all
 * have been read: when each still is the one that was read, the moment between is one that all of them share.
 *
 * @throws MaterialError; the signal's reason
 */
export async function readFilesTogether(
  paths: readonly string[],
  { signal, deadlineMs = FILE_DEADLINE_MS, identify = identifyFile }: ReadFilesOptions,
): Promise<readonly MaterialPart[]> {
  if (paths.length === 0) return [];
  const deadline = new Deadline(signal);
  deadline.allow('all', deadlineMs, () => {
    return unavailable(
      paths.join(', '),
      `expected an answer of the file system within ${deadlineMs} ms, found none`,
      true,
    );
  });
  try {
    const read = (path: string) => readOne(path, deadlineMs);
    return await deadline.race(readUntilStill(paths, { identify, read, signal: deadline.signal }));
  } finally {
    deadline.end();
  }
}

type Identify = Required<ReadFilesOptions>['identify'];

interface Looking {
  readonly identify: Identify;
  readonly read: (path: string) => Promise<Outcome>;
  readonly signal: AbortSignal;
}

async function readUntilStill(
  paths: readonly string[],
  { identify, read, signal }: Looking,
): Promise<readonly MaterialPart[]> {
  let wasMissing = false;
  for (let looks = 1; ; looks++) {
    const outcomes = await Promise.all(paths.map(read));
    const isStill = await areUnchanged(paths, outcomes, identify);
    const isMissing = outcomes.some((outcome) => outcome.kind === 'failed' && isAbsence(outcome.errno));
    if (isStill && (!isMissing || wasMissing)) return partsOf(paths, outcomes);
    if (looks === MAX_LOOKS) {
      throw unavailable(paths.join(', '), 'expected files that are still while they are read, found changes', true);
    }
    wasMissing = isMissing;
    await pause(isMissing ? SECOND_LOOK_MS : PAUSE_MS, undefined, { signal });
  }
}

type Outcome =
  | { readonly kind: 'read'; readonly bytes: Buffer; readonly identity: string }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'no-file'; readonly found: string }
  | { readonly kind: 'failed'; readonly errno: string };

/** Never rejects. A pipe is refused: it has its text only once, and material is read again and again. */
async function readOne(path: string, deadlineMs: number): Promise<Outcome> {
  try {
    const place = await placeOf(path, deadlineMs);
    const { bytes, stats } = await readBounded(place, { maxBytes: MAX_PART_BYTES, deadlineMs });
    return { kind: 'read', bytes, identity: identityOf(place, stats) };
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EFBIG') return { kind: 'too-large' };
    if (error instanceof FileFault && errno === 'EFTYPE') return { kind: 'no-file', found: error.found };
    return { kind: 'failed', errno };
  }
}

/** Where links lead to. */
function placeOf(path: string, ms: number): Promise<string> {
  return onFileThread(
    () => realpath(path),
    ms,
    () => tooLate(ms, false),
  );
}

async function areUnchanged(
  paths: readonly string[],
  outcomes: readonly Outcome[],
  identify: Identify,
): Promise<boolean> {
  const now = await Promise.all(paths.map(identify));
  return outcomes.every((outcome, index) => {
    if (outcome.kind === 'read') return outcome.identity === now[index];
    // Found through the old link while its target was being removed, it is there after all.
    return outcome.kind !== 'failed' || !isAbsence(outcome.errno) || now[index] === undefined;
  });
}

async function identifyFile(path: string): Promise<string | undefined> {
  const look = async () => {
    const place = await realpath(path);
    return identityOf(place, await stat(place, { bigint: true }));
  };
  return onFileThread(look, FILE_DEADLINE_MS, () => tooLate(FILE_DEADLINE_MS, false)).catch(() => undefined);
}

/** With the place that links lead to: the number of an inode is soon used again. */
function identityOf(place: string, { dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [place, dev, ino, size, mtimeNs, ctimeNs].join(':');
}

function partsOf(paths: readonly string[], outcomes: readonly Outcome[]): readonly MaterialPart[] {
  const faults = new FaultCollector();
  const parts = outcomes.flatMap((outcome, index) => {
    return faults.attempt(() => partOf(paths[index] ?? '', outcome)) ?? [];
  });
  faults.throwIfAny();
  return parts;
}

function partOf(path: string, outcome: Outcome): MaterialPart {
  switch (outcome.kind) {
    case 'read':
      return { origin: path, bytes: outcome.bytes };
    case 'too-large':
      throw tooLarge(path);
    case 'no-file':
      throw invalid(path, `expected a file, found ${outcome.found}`);
    case 'failed': {
      const found = isAbsence(outcome.errno) ? 'none' : 'that it cannot be read';
      throw unavailable(
        path,
        `expected a file that can be read, found ${found} (${outcome.errno})`,
        canPass(outcome.errno),
      );
    }
  }
}

function isAbsence(errno: string): boolean {
  return errno === 'ENOENT' || errno === 'ENOTDIR';
}

/** Trouble of the machine, or of a network file system, as opposed to that of a path or its permissions. */
function canPass(errno: string): boolean {
  return PASSING.has(errno);
}

const PASSING: ReadonlySet<string> = new Set([
  ...['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR', 'EBUSY', 'EIO', 'ETIMEDOUT'],
  ...['ESTALE', 'EHOSTDOWN', 'EHOSTUNREACH', 'ENOTCONN', 'ECONNRESET'],
]);
