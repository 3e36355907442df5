import { parseAddress } from '../core/address.ts';
import type { NearestMembers } from './source.ts';

/**
 * The members below a directory of the registry, as paths relative to that directory; only the first ones of many. ''
 * is the whole registry, whose paths are whole.
 */
export type ListBelow = (directory: string) => Promise<readonly string[]>;

/**
 * The directory with members that is nearest to one without: below it, else below the first of its parents that has
 * any, and there the one whose name is most like it. It reads as many lists as the directory has parts, and one more.
 */
export async function nearestMembers(asked: string, listBelow: ListBelow): Promise<NearestMembers | undefined> {
  for (let directory = asked; ; directory = directory.slice(0, directory.lastIndexOf('/'))) {
    const paths = await listBelow(directory);
    const found = mostAlike(asked, membersByDirectory(directory, paths));
    if (found !== undefined || directory === '') return found;
  }
}

function membersByDirectory(directory: string, paths: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const path of paths) {
    const slash = path.lastIndexOf('/');
    if (!parseAddress(path.slice(slash + 1), 'discovered').ok) continue;
    const below = slash < 0 ? '' : path.slice(0, slash);
    const whole = directory === '' || below === '' ? `${directory}${below}` : `${directory}/${below}`;
    // A member that cannot be used (DISCOVERY_ALLOW) may stand in the directory itself.
    counts.set(whole, (counts.get(whole) ?? 0) + 1);
  }
  return counts;
}

function mostAlike(asked: string, counts: ReadonlyMap<string, number>): NearestMembers | undefined {
  let best: NearestMembers | undefined;
  let bestLikeness = -1;
  for (const [directory, members] of counts) {
    const likeness = alike(asked, directory);
    if (likeness <= bestLikeness) continue;
    best = { directory, members };
    bestLikeness = likeness;
  }
  return best;
}

/** How many characters both share at their beginnings, and behind those at their ends. */
function alike(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let start = 0;
  while (start < most && a[start] === b[start]) start++;
  let end = 0;
  while (end < most - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  return start + end;
}
