import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { parseMaterialFolder } from '../../../src/core/material-origin.ts';
import { readFilesTogether } from '../../../src/identity/files.ts';
import { materialSource, type MaterialSource } from '../../../src/identity/sources.ts';
import { errorOf } from '../../support/material.ts';
import { createSecretVolume } from '../../support/secret-volume.ts';

suite('material in files', { timeout: 60_000 }, () => {
  test('is found in a directory, without loading anything for S3', async (t) => {
    const directory = await createFolder(t);
    await fill(directory);
    assert.deepEqual(await read(sourceAt(directory)), { ca: 'ca', cert: 'cert', key: 'key' });
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    assert.deepEqual(
      loaded.filter((path) => path.includes('@aws-sdk')),
      [],
    );
  });

  test('one file may hold several parts, and a part that is not wanted is not read', async (t) => {
    const directory = await createFolder(t);
    const path = join(directory, 'both.pem');
    await writeFile(path, 'both');
    const file = { kind: 'file', path } as const;
    const source = materialSource({ origins: { cert: file, key: file } });
    assert.deepEqual(await read(source), { cert: 'both', key: 'both' });
    assert.deepEqual(await read(materialSource({ origins: {} })), {});
  });

  test('every file that is missing is named, and that is final', async (t) => {
    const directory = await createFolder(t);
    await writeFile(join(directory, 'cert.pem'), 'cert');
    const error = await errorOf(() => read(sourceAt(directory)));
    const message = 'expected a file that can be read, found none (ENOENT)';
    assert.deepEqual(error.faults, [
      { origin: `${directory}/ca.pem`, message },
      { origin: `${directory}/key.pem`, message },
    ]);
    assert.deepEqual([error.code, error.retryable], ['tls_material_unavailable', false]);
  });

  test('what is no file, no end of links, or too large is told, without waiting', async (t) => {
    const directory = await createFolder(t);
    const at = (name: string): string => join(directory, name);
    await mkdir(at('folder'));
    execFileSync('mkfifo', [at('pipe')]);
    await symlink(at('loop'), at('loop'));
    await writeFile(at('large'), '');
    await truncate(at('large'), 1_048_577);
    await writeFile(at('full'), '');
    await truncate(at('full'), 1_048_576);
    const faults: readonly (readonly [name: string, message: string])[] = [
      ['folder', 'expected a file, found a directory'],
      ['pipe', 'expected a file, found a FIFO'],
      ['loop', 'expected a file that can be read, found that it cannot be read (ELOOP)'],
      ['full/x', 'expected a file that can be read, found none (ENOTDIR)'],
      ['large', 'expected at most 1 MiB, found more'],
    ];
    for (const [name, message] of faults) {
      const error = await errorOf(() => readFilesTogether([at(name)], { signal: NEVER }));
      assert.equal(error.message, `${at(name)}: ${message}`);
      assert.equal(error.retryable, false);
    }
    assert.equal((await readFilesTogether([at('full')], { signal: NEVER }))[0]?.bytes.length, 1_048_576);
  });

  test('a file that comes back at once was never missing', async (t) => {
    const directory = await createFolder(t);
    await fill(directory);
    const away = join(directory, 'away.pem');
    await rename(join(directory, 'key.pem'), away);
    const reading = read(sourceAt(directory));
    await rename(away, join(directory, 'key.pem'));
    assert.deepEqual(await reading, { ca: 'ca', cert: 'cert', key: 'key' });
  });

  test('files that are never still are told as such, and that can pass', async (t) => {
    const directory = await createFolder(t);
    await fill(directory);
    let changes = 0;
    const identify = (): Promise<string> => Promise.resolve(`${++changes}`);
    const error = await errorOf(() => readFilesTogether([join(directory, 'ca.pem')], { signal: NEVER, identify }));
    assert.match(error.message, /expected files that are still while they are read, found changes$/);
    assert.equal(error.retryable, true);
  });

  test('a reading that is over its time, or not wanted any more, ends', async (t) => {
    const directory = await createFolder(t);
    await fill(directory);
    const paths = [join(directory, 'ca.pem')];
    const identify = (): Promise<never> => new Promise(() => undefined);
    const late = await errorOf(() => readFilesTogether(paths, { signal: NEVER, deadlineMs: 30, identify }));
    assert.match(late.message, /expected an answer of the file system within 30 ms, found none$/);
    assert.equal(late.retryable, true);
    const reason = new Error('stopped');
    await assert.rejects(readFilesTogether(paths, { signal: AbortSignal.abort(reason) }), reason);
  });
});

test('files that a Secret changes as one are never read of two generations', async (t) => {
  const volume = await createSecretVolume(t);
  const source = sourceAt(volume.directory);
  const publish = (n: number): Promise<void> =>
    volume.publish({ 'ca.pem': `ca ${n}`, 'cert.pem': `cert ${n}`, 'key.pem': `key ${n}` });
  await publish(0);
  const generations = new Set<string>();
  const done = new AbortController();
  const writing = (async () => {
    for (let n = 1; n <= 300; n++) await publish(n);
    done.abort();
  })();
  let readings = 0;
  while (!done.signal.aborted) {
    const parts = Object.values(await read(source));
    readings += 1;
    const seen = new Set(parts.map((text) => text.split(' ')[1] ?? ''));
    assert.equal(parts.length, 3);
    assert.equal(seen.size, 1, `mixed: ${parts.join(', ')}`);
    for (const generation of seen) generations.add(generation);
  }
  await writing;
  assert.deepEqual(await read(source), { ca: 'ca 300', cert: 'cert 300', key: 'key 300' });
  assert.ok(generations.size > 3, `${readings} readings saw ${generations.size} generations`);
});

const NEVER = new AbortController().signal;

async function createFolder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'attache-material-'));
  t.after(async () => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function fill(directory: string): Promise<void> {
  for (const name of ['ca', 'cert', 'key']) await writeFile(join(directory, `${name}.pem`), name);
}

function sourceAt(directory: string): MaterialSource {
  const parsed = parseMaterialFolder(directory);
  if (!parsed.ok) throw new Error(parsed.reason);
  return materialSource({ origins: parsed.origins });
}

async function read(source: MaterialSource): Promise<Readonly<Record<string, string>>> {
  const parts = await source.read(NEVER);
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, String(part.bytes)]));
}
