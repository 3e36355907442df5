import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { AttacheEvent, StateFileEvent } from '../../../../src/core/observer.ts';
import { LastGoodFile, type LastGoodFileOptions } from '../../../../src/discovery/last-good/file.ts';
import {
  formatLastGood,
  parseLastGood,
  type LastGoodMember,
  type LastGoodSet,
} from '../../../../src/discovery/last-good/text.ts';
import { replaceStateFile } from '../../../../src/discovery/last-good/file-io.ts';
import { scratchFolder } from '../../../support/scratch.ts';
import { deferred, eventually } from '../../../support/wait.ts';

const timing = { gatherMs: 5, restMs: 5, flushMs: 5_000 };

interface Opened {
  readonly file: LastGoodFile;
  readonly path: string;
  /** `outcome: error` of each event. */
  readonly news: readonly string[];
  /** Texts that were handed to the file system. */
  readonly writes: readonly string[];
}

interface OpenOptions extends Partial<LastGoodFileOptions> {
  readonly content?: string;
}

async function open(t: TestContext, { content, replace = replaceStateFile, ...options }: OpenOptions): Promise<Opened> {
  const path = options.path ?? join(await scratchFolder(t), 'sets');
  if (content !== undefined) await writeFile(path, content);
  const [news, writes]: [string[], string[]] = [[], []];
  const observer = (event: AttacheEvent) => {
    const { outcome, error } = event as StateFileEvent;
    news.push(error === undefined ? outcome : `${outcome}: ${error}`);
  };
  const recording: typeof replaceStateFile = (to, text) => {
    writes.push(text);
    return replace(to, text);
  };
  const file = new LastGoodFile({ path, keys: ['a', 'b'], observer, timing, ...options, replace: recording });
  t.after(() => file.flush());
  return { file, path, news, writes };
}

async function membersIn(path: string): Promise<Record<string, readonly LastGoodMember[]>> {
  const parsed = parseLastGood(await readFile(path, 'utf8').catch(() => ''));
  const sets: Iterable<readonly [string, LastGoodSet]> = parsed.ok ? parsed.sets : [];
  return Object.fromEntries([...sets].map(([key, { members }]) => [key, members]));
}

const holding = (sets: Record<string, readonly string[]>) =>
  formatLastGood(new Map(Object.entries(sets).map(([key, members]) => [key, { since: 1_000, members }])));

test('a set with another weight is another set, and the same weight again is not', async (t) => {
  const { file, path, writes } = await open(t, {});
  const kept = async (weight: number) => {
    file.keep('a', [{ address: 'x:1', weight }, 'y:1']);
    await file.flush();
  };
  await kept(3);
  await kept(3);
  await kept(4);
  assert.equal(writes.length, 2);
  assert.deepEqual(await membersIn(path), { a: [{ address: 'x:1', weight: 4 }, 'y:1'] });
});

test('without a file nothing is found and nothing is warned of', async (t) => {
  const { file, news } = await open(t, {});
  assert.equal(await file.find('a'), undefined);
  assert.deepEqual(news, []);
});

test('a set that is kept is soon in the file, and found after a restart with the time since when it has been this one', async (t) => {
  const { file, path } = await open(t, {});
  const before = Date.now();
  file.keep('a', ['x:1', 'y:1']);
  await eventually(async () => 'a' in (await membersIn(path)), 'it is written');
  const again = await open(t, { path });
  const found = await again.file.find('a');
  assert.deepEqual(found?.members, ['x:1', 'y:1']);
  assert.ok(found.since >= before && found.since <= Date.now());
});

test('an empty set is written as empty', async (t) => {
  const { file, path } = await open(t, { content: holding({ a: ['x:1'] }) });
  file.keep('a', []);
  await file.flush();
  assert.deepEqual(await membersIn(path), { a: [] });
});

test('a set that is the same as in the file is not written', async (t) => {
  const content = holding({ a: ['x:1'] });
  const { file, path, writes } = await open(t, { content });
  const { mtimeMs, ino } = await stat(path);
  for (let i = 0; i < 5; i += 1) file.keep('a', ['x:1']);
  await file.flush();
  const after = await stat(path);
  assert.deepEqual([writes.length, after.mtimeMs, after.ino], [0, mtimeMs, ino]);
});

test("one service's set does not lose another's, and services that are no longer declared are dropped", async (t) => {
  const { file, path, news } = await open(t, { content: holding({ a: ['x:1'], b: ['y:1'], gone: ['z:1'] }) });
  // Before the file has been read, too.
  file.keep('a', ['x:2']);
  await file.flush();
  assert.deepEqual(await membersIn(path), { a: ['x:2'], b: ['y:1'] });
  assert.deepEqual(news, []);
});

test('a burst of changes of both services is one write, of the last sets', async (t) => {
  const { file, path, writes } = await open(t, { timing: { ...timing, gatherMs: 50 } });
  for (let i = 0; i < 500; i += 1) file.keep(i % 2 === 0 ? 'a' : 'b', [`x:${i}`]);
  await eventually(async () => 'b' in (await membersIn(path)), 'it is written');
  assert.deepEqual(await membersIn(path), { a: ['x:498'], b: ['x:499'] });
  assert.equal(writes.length, 1);
});

test('changes that never end are written at their pace, one write at a time', async (t) => {
  const { promise: gate, resolve: opened } = deferred<undefined>();
  let running = 0;
  const replace = async () => {
    running += 1;
    assert.equal(running, 1);
    await gate;
    running -= 1;
  };
  const { file, writes } = await open(t, { replace });
  file.keep('a', ['x:0']);
  await eventually(() => writes.length === 1, 'the first write is under way');
  for (let i = 1; i < 100; i += 1) file.keep('a', [`x:${i}`]);
  const flushed = file.flush();
  opened(undefined);
  await flushed;
  assert.equal(writes.length, 2);
  assert.match(writes[1] ?? '', /x:99/);
});

const bad: readonly (readonly [condition: string, content: string, error: string])[] = [
  ['a truncated file', holding({ a: ['x:1'] }).slice(0, -10), 'not a whole JSON object'],
  ['an empty file', '', 'not a whole JSON object'],
  ['a file of something else', '{}', 'written by something else'],
  [
    'a file of other service directories',
    holding({ other: ['x:1'], another: [] }),
    'it holds only sets of other service directories or another registry',
  ],
  ['an oversized file', 'x'.repeat(2_000_000), 'expected at most 1048576 bytes, got more than 1048576 bytes'],
];

for (const [condition, content, error] of bad) {
  test(`${condition} is ignored with one warning, and replaced by the next good set`, async (t) => {
    const { file, path, news } = await open(t, { content });
    assert.deepEqual([await file.find('a'), await file.find('b')], [undefined, undefined]);
    file.keep('a', ['x:9']);
    await file.flush();
    assert.deepEqual(await membersIn(path), { a: ['x:9'] });
    assert.deepEqual(news, [`ignored: ${error}`]);
  });
}

test('a folder that cannot be written to is one warning however often it fails, and one line when it works again', async (t) => {
  const folder = await scratchFolder(t);
  const path = join(folder, 'missing', 'sets');
  const { file, news, writes } = await open(t, { path });
  for (let i = 0; i < 3; i += 1) {
    file.keep('a', [`x:${i}`]);
    await file.flush();
  }
  // What is as it was is not tried again.
  const tried = writes.length;
  file.keep('a', ['x:2']);
  assert.equal(writes.length, tried);
  assert.equal(news.length, 1);
  assert.match(news[0] ?? '', /^unwritable: ENOENT/);
  await mkdir(join(folder, 'missing'));
  file.keep('a', ['x:3']);
  await file.flush();
  assert.deepEqual(await membersIn(path), { a: ['x:3'] });
  assert.deepEqual(news.slice(1), ['recovered']);
});

test('a disk that hangs holds a flush no longer than its time', async (t) => {
  const { promise: gate, resolve: opened } = deferred<undefined>();
  const { file, writes } = await open(t, {
    replace: () => gate.then(() => undefined),
    timing: { ...timing, flushMs: 1_000 },
  });
  file.keep('a', ['x:1']);
  await file.flush();
  assert.equal(writes.length, 1);
  opened(undefined);
});

test('leftovers of a writer that died are gone once the file has been written', async (t) => {
  const { file, path } = await open(t, {});
  const folder = join(path, '..');
  await writeFile(join(folder, '.sets.0123456789ab.tmp'), 'half');
  file.keep('a', ['x:1']);
  await file.flush();
  assert.deepEqual(await readdir(folder), ['sets']);
});
