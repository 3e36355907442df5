import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ListBelow } from '../nearest-members.ts';

/** Bounds of one survey, over all folders it looks into. */
const MAX_FOLDERS = 200;
const MAX_ENTRIES = 2_000;
const MAX_DEPTH = 8;

/** Lists what stands below folders of a registry; with one bound for all its lists, and nothing of what cannot be read. */
export function folderSurvey(root: string): ListBelow {
  let [folders, entries] = [0, 0];

  async function list(folder: string): Promise<readonly { readonly name: string; readonly isFolder: boolean }[]> {
    const found: { name: string; isFolder: boolean }[] = [];
    folders += 1;
    try {
      for await (const entry of await opendir(folder)) {
        if ((entries += 1) > MAX_ENTRIES) break;
        if (entry.name.startsWith('.')) continue;
        const kind = entry.isSymbolicLink() ? await stat(join(folder, entry.name)).catch(() => undefined) : entry;
        if (kind !== undefined) found.push({ name: entry.name, isFolder: kind.isDirectory() });
      }
    } catch {
      // Not there, or not ours to read.
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  return async (directory) => {
    const paths: string[] = [];
    // In a whole registry paths are whole.
    let level = [directory === '' ? '/' : ''];
    for (let depth = 0; level.length > 0 && depth < MAX_DEPTH; depth++) {
      const next: string[] = [];
      for (const below of level) {
        if (folders >= MAX_FOLDERS || entries >= MAX_ENTRIES) return paths;
        for (const { name, isFolder } of await list(join(root, directory, below))) {
          if (isFolder) next.push(`${below}${name}/`);
          else paths.push(`${below}${name}`);
        }
      }
      level = next;
    }
    return paths;
  };
}
