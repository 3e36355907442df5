import { readFileSync } from 'node:fs';

/**
 * The version of this package, from its package.json: the first one found going up from this file, which is beside
 * `src` and `dist` alike, and above a build in a deeper folder.
 */
export function readVersion(): string {
  for (let folder = new URL('.', import.meta.url); ; folder = new URL('..', folder)) {
    const version = versionIn(folder);
    if (version !== undefined) return version;
    if (folder.pathname === '/') return 'unknown';
  }
}

function versionIn(folder: URL): string | undefined {
  try {
    const found: unknown = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'));
    if (typeof found !== 'object' || found === null || !('name' in found) || found.name !== 'attache') return undefined;
    return 'version' in found && typeof found.version === 'string' ? found.version : undefined;
  } catch {
    return undefined;
  }
}
