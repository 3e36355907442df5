import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../support/attache.ts';
import { document } from '../../support/documents.ts';

/** Folders below a folder, as paths relative to it. */
function foldersIn(folder: string): readonly string[] {
  const below = readdirSync(join(projectRoot, folder), { recursive: true, withFileTypes: true });
  const root = join(projectRoot, folder);
  return below
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}

test('folders of the tests: a room of src, or one that CONTRIBUTING.md names', () => {
  const [sentence = ''] =
    /Other folders test what\s+lies outside `src`:[^.]*\./.exec(document('CONTRIBUTING.md').text) ?? [];
  const named = [...sentence.matchAll(/`(\w+)`/g)].map(([, name = '']) => name).filter((name) => name !== 'src');
  const rooms = new Set([...foldersIn('src'), ...named]);
  const strangers = ['test/unit', 'test/integration'].flatMap((suite) =>
    foldersIn(suite)
      .filter((folder) => !rooms.has(folder))
      .map((folder) => join(suite, folder)),
  );
  assert.ok(rooms.size > 20, `${rooms.size} rooms`);
  assert.deepEqual(strangers, []);
});
