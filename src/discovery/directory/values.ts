import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MAX_VALUE_BYTES, NOTHING_SAID, parseObject, readValue, type ReadDetails } from '../../core/endpoint.ts';
import { errnoOf } from '../../core/errors.ts';
import { FileFault, foundInstead } from '../../files/file-fault.ts';
import { readBounded } from '../../files/read-file.ts';
import { withoutMark } from '../../files/text.ts';

/** Files that are looked at once: a registry may hold thousands, and the system's threads are few. */
const AT_ONCE = 8;
/** A file that was written this shortly before it was read may change again without another time of its change, ms. */
const SETTLED_MS = 2_000;
/** Looks that are further apart had an outage between them. */
const MOST_BETWEEN_LOOKS_MS = 1_500;
/** A registrar's file that has not changed for so many of its TTLs is of long ago. */
const OLD_TTLS = 3;

interface Known {
  /** Tells whether the file is still the one that was read; undefined: look again in any case. */
  readonly identity: string | undefined;
  readonly said: ReadDetails;
  /** Of a registrar's file. */
  readonly life: Life | undefined;
}

/** A registrar's file changes again and again while its process lives. */
interface Life {
  readonly ttlMs: number;
  /** Another one: its process lives. */
  readonly beat: string;
  /** For how long it was looked at without a change, ms. */
  silentMs: number;
}

/** What the members' files say. */
export interface SaidByFiles {
  /** By name, where something is said. */
  readonly said: ReadonlyMap<string, ReadDetails>;
  /** Files whose registrar has given no sign of life for as long as they say: how long, ms, by name. */
  readonly silent: ReadonlyMap<string, number>;
}

/** What the members' files say. An empty file costs no reading, and another one only when it has changed. */
export class MemberValues {
  #known: ReadonlyMap<string, Known> = new Map();
  #readAt = -Infinity;

  /**
   * Never rejects.
   *
   * @param names as listed; those of folders are passed over
   */
  async read(directory: string, names: readonly string[]): Promise<SaidByFiles> {
    const known = new Map<string, Known>();
    const files = names.filter((name) => !name.endsWith('/')).values();
    const worker = async () => {
      for (const name of files) {
        const one = await look(join(directory, name), this.#known.get(name));
        if (one !== undefined) known.set(name, one);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    const watchedMs = this.#watched();
    for (const [name, { life }] of known) if (life === this.#known.get(name)?.life && life) life.silentMs += watchedMs;
    this.#known = known;
    const silent = [...known].flatMap(([name, { life }]): readonly (readonly [string, number])[] =>
      life !== undefined && life.silentMs >= life.ttlMs ? [[name, life.ttlMs]] : [],
    );
    return { said: new Map([...known].map(([name, { said }]) => [name, said])), silent: new Map(silent) };
  }

  /** Since the last look. A registry that was away says nothing of those who could not write to it either. */
  #watched(): number {
    const now = performance.now();
    const ms = now - this.#readAt;
    this.#readAt = now;
    return ms > MOST_BETWEEN_LOOKS_MS ? 0 : ms;
  }
}

/** @returns undefined: it says nothing */
async function look(path: string, known: Known | undefined): Promise<Known | undefined> {
  try {
    const found = await stat(path, { bigint: true });
    if (found.size === 0n || found.size > MAX_VALUE_BYTES) return undefined;
    if (known?.identity !== undefined && known.identity === identityOf(found)) return known;
    const now = Date.now();
    const { bytes, stats } = await readBounded(path, { maxBytes: MAX_VALUE_BYTES });
    const isSettled = Math.abs(now - Number(stats.ctimeMs)) > SETTLED_MS;
    return {
      identity: isSettled ? identityOf(stats) : undefined,
      said: readValue(withoutMark(bytes)),
      life: lifeOf(withoutMark(bytes), stats, known?.life),
    };
  } catch (error) {
    // It has gone, or grown, since it was listed, or is no file.
    if (errnoOf(error) === 'ENOENT' || (error instanceof FileFault && error.code !== 'ETIMEDOUT')) return undefined;
    const fault = `expected a file that can be read, got ${foundInstead(error)}`;
    return { identity: undefined, said: { ...NOTHING_SAID, fault }, life: known?.life };
  }
}

/**
 * Clocks of machines differ, so what counts is whether the time of change moves. Only what is found for the first time is judged
 * by our clock, generously: one of long ago is not believed until it moves.
 */
function lifeOf(bytes: Buffer, stats: BigIntStats, before: Life | undefined): Life | undefined {
  const { ttl, by } = parseObject(bytes.toString('utf8')) ?? {};
  if (typeof ttl !== 'number' || !(ttl > 0) || typeof by !== 'string') return undefined;
  const [ttlMs, beat] = [ttl * 1_000, identityOf(stats)];
  if (before?.beat === beat) return before;
  const isOld = before === undefined && Date.now() - Number(stats.mtimeMs) > OLD_TTLS * ttlMs;
  return { ttlMs, beat, silentMs: isOld ? Infinity : 0 };
}

function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}
