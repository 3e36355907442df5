import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';

/**
 * Flags for a Node that runs `statements` before the program.
 *
 * @param path of their module, inside a folder of its own: what a stack will show
 */
export function preload(t: TestContext, statements: string, path = 'preload.mjs'): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'attache-preload-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, statements);
  return ['--import', pathToFileURL(file).href];
}
