import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MAX_VALUE_BYTES, NOTHING_SAID, readValue, type ReadDetails } from '../../core/endpoint.ts';
import { errnoOf } from '../../core/errors.ts';
import { FileFault, foundInstead } from '../../files/file-fault.ts';
import { readBounded } from '../../files/read-file.ts';
import { withoutMark } from '../../files/text.ts';

/** Files that are looked at once: a registry may hold thousands, and the system's threads are few. */
const AT_ONCE = 8;
/** A file that was written this shortly before it was read may change again without another time of its change, ms. */
const SETTLED_MS = 2_000;

interface Known {
  /** Tells whether the file is still the one that was read; undefined: look again in any case. */
  readonly identity: string | undefined;
  readonly said: ReadDetails;
}

/** What the members' files say. An empty file costs no reading, and another one only when it has changed. */
export class MemberValues {
  #known: ReadonlyMap<string, Known> = new Map();

  /**
   * @param names as listed; those of folders are passed over
   * @returns by name, where something is said; never rejects
   */
  async read(directory: string, names: readonly string[]): Promise<ReadonlyMap<string, ReadDetails>> {
    const known = new Map<string, Known>();
    const files = names.filter((name) => !name.endsWith('/')).values();
    const worker = async () => {
      for (const name of files) {
        const one = await look(join(directory, name), this.#known.get(name));
        if (one !== undefined) known.set(name, one);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    this.#known = known;
    return new Map([...known].map(([name, { said }]) => [name, said]));
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
    return { identity: isSettled ? identityOf(stats) : undefined, said: readValue(withoutMark(bytes)) };
  } catch (error) {
    // It has gone, or grown, since it was listed, or is no file.
    if (errnoOf(error) === 'ENOENT' || (error instanceof FileFault && error.code !== 'ETIMEDOUT')) return undefined;
    const fault = `expected a file that can be read, got ${foundInstead(error)}`;
    return { identity: undefined, said: { ...NOTHING_SAID, fault } };
  }
}

function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}
