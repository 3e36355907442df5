import { totalmem } from 'node:os';
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import type { MemoryLimits, MemoryUse } from '../proxy/memory-bound.ts';

/** Memory that a process may be told to use: `auto` is what its container may, 0 is as much as there is. */
export type MaxMemory = 'auto' | number;

const MIB = 1024 * 1024;
/** Most that V8 keeps for the young generation beside the old one, in any version, when it has room; a share when it has not. */
const YOUNG = { most: 192 * MIB, share: 0.5 } as const;

/** What this process may use. */
export function memoryLimits(asked: MaxMemory): MemoryLimits {
  return { resident: asked === 'auto' ? containerLimit() : asked === 0 ? Infinity : asked, oldHeap: oldHeapLimit() };
}

/** What it uses now. */
export function memoryUse(): MemoryUse {
  let [oldHeap, youngHeap] = [0, 0];
  for (const { space_name, space_used_size } of getHeapSpaceStatistics()) {
    if (space_name === 'read_only_space') continue;
    if (space_name.startsWith('new')) youngHeap += space_used_size;
    else oldHeap += space_used_size;
  }
  return { resident: residentBytes(), oldHeap, youngHeap };
}

let lastResident = 0;

/** Without a free descriptor it cannot be read: then what was read last has to do. */
function residentBytes(): number {
  try {
    lastResident = process.memoryUsage.rss();
  } catch {
    // It throws EMFILE.
  }
  return lastResident;
}

/** The limit of the control group, version 1 or 2. Without a limit libuv answers 0, or a number that no machine has. */
function containerLimit(): number {
  // Documented since 18.15, missing in the types of some versions.
  const limit = process.constrainedMemory() as number | undefined;
  return limit !== undefined && limit > 0 && limit < totalmem() ? limit : Infinity;
}

/**
 * V8 ends the process when the old generation is full. It tells one limit for both generations, so the share of the old one
 * is read from the option that sets it, or reckoned.
 */
function oldHeapLimit(): number {
  const whole = getHeapStatistics().heap_size_limit;
  const set = oldSpaceOption([...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/)]);
  return set === undefined ? whole - Math.min(YOUNG.most, whole * YOUNG.share) : Math.min(whole, set);
}

/** Bytes that `--max-old-space-size` asks for; the last one counts. */
export function oldSpaceOption(options: readonly string[]): number | undefined {
  let found: number | undefined;
  options.forEach((option, i) => {
    const [, value = options[i + 1]] = /^--max[-_]old[-_]space[-_]size(?:=(.*))?$/.exec(option) ?? [];
    if (/^--max[-_]old[-_]space[-_]size/.test(option) && /^[1-9]\d*$/.test(value ?? '')) found = Number(value) * MIB;
  });
  return found;
}
