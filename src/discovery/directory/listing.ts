import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, messageOf } from '../../core/errors.ts';

/** What one look into a service directory gave. */
export type Listing =
  | {
      readonly kind: 'read';
      /** Names of files; the name of a sub-folder ends in a slash. */
      readonly names: readonly string[];
    }
  | {
      /**
       * Something is not there that may be on its way: the directory, or what a link in it points at. A swap that
       * is not atomic looks like this in the middle, so it takes a second look to believe it.
       */
      readonly kind: 'gaps';
      readonly names: readonly string[];
    }
  | { readonly kind: 'failed'; readonly error: string };

/** Reads one service directory; never rejects. */
export type ReadListing = (root: string, directory: string) => Promise<Listing>;

/**
 * Files, and links to files, are members by their name. Names that begin with a dot belong to others: `.keep`, and
 * the `..data` and `..2026_…` by which Kubernetes swaps a ConfigMap.
 *
 * @param root the whole registry; while it is missing or unreadable nothing can be said about its services
 * @param directory absolute path of the service directory below it; without it the service has no members
 */
export const readListing: ReadListing = async (root, directory) => {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return await sort(directory, entries);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') return { kind: 'failed', error: messageOf(error) };
    return missing(root);
  }
};

async function missing(root: string): Promise<Listing> {
  try {
    await stat(root);
    return { kind: 'gaps', names: [] };
  } catch (error) {
    return { kind: 'failed', error: messageOf(error) };
  }
}

async function sort(directory: string, entries: readonly Dirent[]): Promise<Listing> {
  const visible = entries.filter((entry) => !entry.name.startsWith('.'));
  const kinds = await Promise.all(visible.map((entry) => kindOf(directory, entry)));
  const names = visible.flatMap(({ name }, index) => {
    if (kinds[index] === 'file') return [name];
    return kinds[index] === 'folder' ? [`${name}/`] : [];
  });
  return { kind: kinds.includes('gap') ? 'gaps' : 'read', names };
}

type EntryKind = 'file' | 'folder' | 'gap' | 'other';

async function kindOf(directory: string, entry: Dirent): Promise<EntryKind> {
  if (!entry.isSymbolicLink()) return kindFrom(entry);
  try {
    return kindFrom(await stat(join(directory, entry.name)));
  } catch (error) {
    // One bad link must not hide the other members; a disk that does not answer must not look like a bad link.
    if (LINK_FAULTS.has(errnoOf(error))) return 'gap';
    throw error;
  }
}

const LINK_FAULTS: ReadonlySet<string> = new Set(['ENOENT', 'ELOOP', 'ENOTDIR', 'EACCES']);

function kindFrom(entry: { isFile(): boolean; isDirectory(): boolean }): EntryKind {
  if (entry.isFile()) return 'file';
  return entry.isDirectory() ? 'folder' : 'other';
}
