import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Time for loading in one turn of the event loop. */
const TURN_MS = 4;

/**
 * Loads the Prometheus library file by file, over many turns of the event loop: at one go it takes some 100 ms, in which
 * nothing else is done. What cannot be loaded so is left to the import that comes after.
 */
export async function loadPrometheusInPieces(): Promise<void> {
  try {
    const library = createRequire(createRequire(import.meta.url).resolve('prom-client'));
    // Of the two this is the large one; the library uses it for exemplars.
    const files = await modulesBelow(dirname(library.resolve('@opentelemetry/api')));
    files.push(...(await modulesBelow(dirname(library.resolve('prom-client/lib/registry.js')))));
    let until = performance.now() + TURN_MS;
    for (const file of files) {
      library(file);
      if (performance.now() < until) continue;
      await nextTurn();
      until = performance.now() + TURN_MS;
    }
  } catch {
    // It is not installed as it used to be: the import loads it at one go.
  }
}

/** The deepest first: what others are made of. */
async function modulesBelow(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  const depth = (name: string): number => name.split(sep).length;
  return names
    .filter((name) => name.endsWith('.js'))
    .sort((a, b) => depth(b) - depth(a))
    .map((name) => join(folder, name));
}
