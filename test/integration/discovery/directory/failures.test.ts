import assert from 'node:assert/strict';
import { rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { dialPolicy } from '../../../../src/core/dial-policy.ts';
import { readListing, type Listing } from '../../../../src/discovery/directory/listing.ts';
import { directorySource } from '../../../../src/discovery/directory/source.ts';
import { LookRecorder } from '../../../support/look-recorder.ts';
import { RegistryDirectory, SERVICE, follow } from '../../../support/registry-directory.ts';

const MEMBER = '10.0.0.1:1';

test('promise 19: a registry missing at start is a failure that says why, and heals when it appears', async (t) => {
  const registry = await RegistryDirectory.create(t);
  await rm(registry.root, { recursive: true });
  const sink = follow(t, registry);
  await sink.nextLooks(1);
  const [first] = sink.states;
  assert.ok(first?.status === 'starting');
  assert.match(first.error ?? '', /^ENOENT: .*registry/);
  assert.deepEqual(sink.sets, []);
  await registry.add(MEMBER);
  await sink.holds([MEMBER]);
});

for (const [onFailure, expected] of [
  ['keep', [[MEMBER]]],
  ['clear', [[MEMBER], [], [MEMBER]]],
] as const) {
  test(`promise 24: a registry that goes away and returns: '${onFailure}' reports ${JSON.stringify(expected)}`, async (t) => {
    const registry = await RegistryDirectory.create(t);
    await registry.add(MEMBER);
    const sink = follow(t, registry, { onFailure, rereadMs: 10 });
    await sink.holds([MEMBER]);
    await rename(registry.root, join(registry.base, 'away'));
    await sink.until('stale', () => sink.status === 'stale');
    const stale = sink.states.at(-1);
    assert.ok(stale?.status === 'stale');
    assert.match(stale.error, /ENOENT/);
    assert.ok(stale.lastOkAt !== undefined && Date.now() - stale.lastOkAt < 5_000);
    await rename(join(registry.base, 'away'), registry.root);
    await sink.holds([MEMBER]);
    assert.deepEqual(sink.sets, expected);
  });
}

/** In place of a path something else, at once: a folder that is deleted first loses its members one by one. */
async function replace(
  registry: RegistryDirectory,
  path: string,
  make: (path: string) => Promise<void>,
): Promise<void> {
  const next = join(registry.base, 'next');
  await make(next);
  await rename(path, join(registry.base, 'away'));
  await rename(next, path);
}

const emptyFile = (path: string) => writeFile(path, '');
const linkToItself = (path: string) => symlink('srv', path);

for (const { what, place, make, error } of [
  { what: 'the root becomes a file', place: [], make: emptyFile, error: /ENOTDIR/ },
  { what: 'the service directory becomes a file', place: [SERVICE], make: emptyFile, error: /ENOTDIR/ },
  { what: 'a parent becomes a link to itself', place: ['srv'], make: linkToItself, error: /ELOOP/ },
]) {
  test(`${what}: the last set is kept, stale with the reason`, async (t) => {
    const registry = await RegistryDirectory.create(t);
    await registry.add(MEMBER);
    const sink = follow(t, registry, { rereadMs: 10 });
    await sink.holds([MEMBER]);
    await replace(registry, registry.at(...place), make);
    // Between the two renames there is nothing: that may be the reason of a first look.
    await sink.until(`stale because of ${error.source}`, () => {
      const state = sink.states.at(-1);
      return state?.status === 'stale' && error.test(state.error);
    });
    assert.deepEqual(sink.sets, [[MEMBER]]);
  });
}

test('a registry that is away for less than a second look clears nothing and is not even called stale', async (t) => {
  const registry = await RegistryDirectory.create(t);
  await registry.add(MEMBER);
  let faults = 0;
  const sink = follow(t, registry, {
    onFailure: 'clear',
    rereadMs: 5,
    read: async (root, directory) => {
      const listing = await readListing(root, directory);
      if (listing.kind === 'failed' && (faults += 1) === 1) await rename(join(registry.base, 'away'), registry.root);
      return listing;
    },
  });
  await sink.holds([MEMBER]);
  await rename(registry.root, join(registry.base, 'away'));
  await sink.until('a look while the registry was away', () => faults > 0);
  await sink.nextLooks(3);
  assert.deepEqual(sink.sets, [[MEMBER]]);
  assert.ok(sink.states.every(({ status }) => status === 'synced'));
});

test('a service directory that is missing means no members, once a second look has confirmed it', async (t) => {
  const registry = await RegistryDirectory.create(t);
  const sink = follow(t, registry);
  await sink.holds([]);
  await registry.add(MEMBER);
  await sink.holds([MEMBER]);
  await rm(registry.at('srv'), { recursive: true });
  await sink.holds([]);
  assert.deepEqual(sink.sets, [[], [MEMBER], []]);
});

test('an unreadable disk (EIO, EACCES) is reported once per fault, and the set survives it', async (t) => {
  const registry = await RegistryDirectory.create(t);
  await registry.add(MEMBER);
  let fault: string | undefined;
  const sink = follow(t, registry, {
    rereadMs: 5,
    read: (root, directory) =>
      fault === undefined
        ? readListing(root, directory)
        : Promise.reject(Object.assign(new Error(`${fault}: i/o error`), { code: fault })),
  });
  await sink.holds([MEMBER]);
  for (fault of ['EIO', 'EACCES']) {
    const isReported = () => sink.states.filter((state) => 'error' in state && state.error.startsWith(String(fault)));
    await sink.until(`a report of ${fault}`, () => isReported().length > 0);
  }
  fault = undefined;
  await sink.holds([MEMBER]);
  const errors = sink.states.flatMap((state) => (state.status === 'stale' ? [state.error] : []));
  assert.deepEqual(errors, ['EIO: i/o error', 'EACCES: i/o error']);
  assert.deepEqual(sink.sets, [[MEMBER]]);
});

test('a read that hangs counts as a failure, no second one is begun beside it, and its end heals', async (t) => {
  const registry = await RegistryDirectory.create(t);
  await registry.add(MEMBER);
  let underWay = 0;
  let most = 0;
  let release: (() => void) | undefined;
  const hung = new Promise<void>((resolve) => (release = resolve));
  let hang = false;
  const sink = follow(t, registry, {
    rereadMs: 5,
    deadlineMs: 50,
    read: async (root, directory): Promise<Listing> => {
      most = Math.max(most, (underWay += 1));
      if (hang) await hung;
      const listing = await readListing(root, directory);
      underWay -= 1;
      return listing;
    },
  });
  await sink.holds([MEMBER]);
  hang = true;
  await sink.until('stale', () => sink.status === 'stale');
  await registry.add('10.0.0.2:2');
  release?.();
  await sink.holds([MEMBER, '10.0.0.2:2']);
  assert.equal(most, 1);
});

/** What keeps the process alive besides the test itself. */
function held(): readonly string[] {
  return process.getActiveResourcesInfo().filter((kind) => /^(Timeout|FSEvent|FSReq)/.test(kind));
}

/** Turns the loop until only that is held; what was being closed, or read, takes a few turns. */
async function turnUntilHeld(expected: readonly string[]): Promise<void> {
  for (let turn = 0; turn < 1_000 && held().length > expected.length; turn += 1) await new Promise(setImmediate);
  assert.deepEqual(held(), expected);
}

for (const [when, looks] of [
  ['while it makes its first watches', 0],
  ['between two looks', 2],
] as const) {
  test(`a source stopped ${when} holds no watch and no timer, and reports nothing more`, async (t) => {
    const registry = await RegistryDirectory.create(t);
    await registry.add(MEMBER);
    const before = held();
    const sink = new LookRecorder();
    const source = directorySource({
      root: registry.root,
      directory: SERVICE,
      policy: dialPolicy([]),
      onFailure: 'clear',
    });
    source.start(sink);
    await sink.nextLooks(looks);
    await Promise.all([source.stop(), source.stop()]);
    const reports = sink.states.length;
    await turnUntilHeld(before);
    await rm(registry.root, { recursive: true });
    assert.equal(sink.states.length, reports);
  });
}

test('a source stopped before it was started never looks', async (t) => {
  const registry = await RegistryDirectory.create(t);
  let looks = 0;
  const source = directorySource({
    root: registry.root,
    directory: SERVICE,
    policy: dialPolicy([]),
    onFailure: 'keep',
    read: () => {
      looks += 1;
      return Promise.resolve({ kind: 'read', names: [] });
    },
  });
  await source.stop();
  source.start(new LookRecorder());
  await new Promise(setImmediate);
  assert.equal(looks, 0);
});
