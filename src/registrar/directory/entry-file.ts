import { randomUUID } from 'node:crypto';
import { constants, copyFile, link, lstat, mkdir, open, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { MAX_VALUE_BYTES, parseObject } from '../../core/endpoint.ts';
import { errnoOf } from '../../core/errors.ts';
import { readBounded } from '../../files/read-file.ts';

const MODE = 0o644;
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** What stands at the path of an entry. */
export type Found =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'ours'; readonly value: string }
  /** Somebody else's; `beat` changes with each sign of life, `ttlMs` is how long it may stand still. */
  | { readonly kind: 'foreign'; readonly beat: string; readonly ttlMs: number | undefined };

/**
 * The file of one entry. It holds a JSON object: what was to be written, `ttl` in seconds, and `by`, which names the process.
 * Readers that know `ttl` drop the file once its time of change stands still for so long.
 */
export class EntryFile {
  readonly #root: string;
  readonly #path: string;
  readonly #ttlMs: number;
  readonly #by = randomUUID();

  /** @param root of the registry: while it is missing nothing is made */
  constructor(root: string, key: string, ttlMs: number) {
    this.#root = root;
    this.#path = join(root, key);
    this.#ttlMs = ttlMs;
  }

  /** @throws the system's error, or a FileFault */
  async look(): Promise<Found> {
    try {
      const { bytes, stats } = await readBounded(this.#path, { maxBytes: MAX_VALUE_BYTES });
      const { ttl, by, ...said } = parseObject(bytes.toString('utf8')) ?? {};
      if (by === this.#by) return { kind: 'ours', value: valueOf(said) };
      const ttlMs = typeof ttl === 'number' && ttl > 0 && typeof by === 'string' ? ttl * 1_000 : undefined;
      return { kind: 'foreign', beat: `${stats.ino}:${stats.mtimeNs}:${stats.ctimeNs}`, ttlMs };
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      await stat(this.#root);
      return (await isLink(this.#path)) ? { kind: 'foreign', beat: '', ttlMs: undefined } : { kind: 'nothing' };
    }
  }

  /**
   * Puts the file there, whole, where nothing stands; over what stands, with `over`.
   *
   * @returns false: somebody was faster
   * @throws the system's error
   */
  async put(value: string, { over }: { readonly over: boolean }): Promise<boolean> {
    const folder = dirname(this.#path);
    await mkdir(folder, { recursive: true });
    // Names that begin with a dot are no members.
    const made = join(folder, `.${basename(this.#path)}.${this.#by}`);
    try {
      const said = { ...parseObject(value), ttl: this.#ttlMs / 1_000, by: this.#by };
      await write(made, `${JSON.stringify(said)}\n`);
      if (over) await rename(made, this.#path);
      else await place(made, this.#path);
      return true;
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return false;
      throw error;
    } finally {
      await rm(made, { force: true });
    }
  }

  /** Says that its process lives. @throws the system's error */
  async beat(): Promise<void> {
    const now = new Date();
    await utimes(this.#path, now, now);
  }

  /** Takes it away if it is ours. @throws the system's error, or a FileFault */
  async remove(): Promise<void> {
    const { kind } = await this.look();
    if (kind === 'ours') await rm(this.#path, { force: true });
  }
}

/** To the disk, and readable for everybody: readers are other users. */
async function write(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', MODE);
  try {
    await file.writeFile(text);
    await file.chmod(MODE);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Whole, where nothing stands. Some file systems have no hard links. @throws EEXIST when something stands there */
async function place(made: string, path: string): Promise<void> {
  try {
    await link(made, path);
  } catch (error) {
    if (!NO_LINKS.has(errnoOf(error))) throw error;
    await copyFile(made, path, constants.COPYFILE_EXCL);
  }
}

/** A link to nothing. */
async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch {
    return false;
  }
}

function valueOf(said: Readonly<Record<string, unknown>>): string {
  return Object.keys(said).length === 0 ? '' : JSON.stringify(said);
}
