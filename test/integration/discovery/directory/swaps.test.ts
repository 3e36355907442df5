import assert from 'node:assert/strict';
import { rename, rm, symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readListing, type ReadListing } from '../../../../src/discovery/directory/listing.ts';
import type { LookRecorder } from '../../../support/look-recorder.ts';
import { RegistryDirectory, SERVICE, WATCH_ONLY_MS, follow } from '../../../support/registry-directory.ts';

const OLD = '10.0.0.1:1';
const NEW = '10.0.0.2:2';

/** A swap may be seen as old and new together, never as nothing. */
function assertNoFlash(sink: LookRecorder): void {
  assert.deepEqual(
    sink.sets.filter((set) => set.length === 0),
    [],
  );
}

async function swapLink(path: string, target: string): Promise<void> {
  await symlink(target, `${path}.new`);
  await rename(`${path}.new`, path);
}

/** Lays the files out as the kubelet does: `<dir>/<name> -> ..data/<name>`, `..data -> ..<stamp>`. */
async function layConfigMap(registry: RegistryDirectory, directory: string): Promise<void> {
  await registry.add(OLD, join(directory, '..2026_01_01'));
  await symlink('..2026_01_01', join(directory, '..data'));
  await symlink(`..data/${OLD}`, join(directory, OLD));
}

/** And changes them as it does: new links, then `..data` swapped, then old links and the old folder removed. */
async function updateConfigMap(registry: RegistryDirectory, directory: string): Promise<void> {
  await registry.add(NEW, join(directory, '..2026_02_02'));
  await swapLink(join(directory, '..data'), '..2026_02_02');
  await symlink(`..data/${NEW}`, join(directory, NEW));
  await unlink(join(directory, OLD));
  await rm(join(directory, '..2026_01_01'), { recursive: true });
}

test('a ConfigMap mounted as the service directory is followed through its update', async (t) => {
  const registry = await RegistryDirectory.create(t);
  await layConfigMap(registry, registry.at(SERVICE));
  const sink = follow(t, registry, { rereadMs: WATCH_ONLY_MS });
  await sink.holds([OLD]);
  await updateConfigMap(registry, registry.at(SERVICE));
  await sink.holds([NEW]);
  assertNoFlash(sink);
  assert.deepEqual(sink.ignoredKeys, []);
});

test('a ConfigMap mounted as the whole registry is followed through two updates', async (t) => {
  const registry = await RegistryDirectory.create(t);
  await registry.add(OLD, registry.at('..2026_01_01', SERVICE));
  await symlink('..2026_01_01', registry.at('..data'));
  await symlink('..data/srv', registry.at('srv'));
  const sink = follow(t, registry, { rereadMs: WATCH_ONLY_MS });
  await sink.holds([OLD]);
  await registry.add(NEW, registry.at('..2026_02_02', SERVICE));
  await swapLink(registry.at('..data'), '..2026_02_02');
  await rm(registry.at('..2026_01_01'), { recursive: true });
  await sink.holds([NEW]);
  await registry.add(OLD, registry.at('..2026_03_03', SERVICE));
  await swapLink(registry.at('..data'), '..2026_03_03');
  await sink.holds([OLD]);
  assertNoFlash(sink);
});

const replacements: readonly { what: string; swap: (registry: RegistryDirectory) => Promise<void> }[] = [
  {
    what: 'the service directory is replaced by rename',
    swap: async (registry) => {
      await registry.add(NEW, registry.at('srv/redis/next'));
      await rename(registry.at(SERVICE), registry.at('srv/redis/last'));
      await rename(registry.at('srv/redis/next'), registry.at(SERVICE));
    },
  },
  {
    what: 'a parent is replaced by rename',
    swap: async (registry) => {
      await registry.add(NEW, registry.at('next/redis/debug'));
      await rename(registry.at('srv'), registry.at('last'));
      await rename(registry.at('next'), registry.at('srv'));
    },
  },
  {
    what: 'the root is replaced by rename',
    swap: async (registry) => {
      await registry.add(NEW, join(registry.base, 'next', SERVICE));
      await rename(registry.root, join(registry.base, 'last'));
      await rename(join(registry.base, 'next'), registry.root);
    },
  },
  {
    what: 'the service directory is deleted and made again',
    swap: async (registry) => {
      await rm(registry.at(SERVICE), { recursive: true });
      await registry.add(NEW);
    },
  },
  {
    what: 'a parent is deleted and made again',
    swap: async (registry) => {
      await rm(registry.at('srv'), { recursive: true });
      await registry.add(NEW);
    },
  },
  {
    what: 'a parent becomes a link to another tree',
    swap: async (registry) => {
      await registry.add(NEW, join(registry.base, 'elsewhere/redis/debug'));
      await rename(registry.at('srv'), registry.at('last'));
      await symlink(join(registry.base, 'elsewhere'), registry.at('srv'));
    },
  },
];

for (const { what, swap } of replacements) {
  test(`${what}: the new members are seen by the watch, and so is the next change`, async (t: TestContext) => {
    const registry = await RegistryDirectory.create(t);
    await registry.add(OLD);
    const sink = follow(t, registry, { rereadMs: WATCH_ONLY_MS });
    await sink.holds([OLD]);
    await swap(registry);
    await sink.holds([NEW]);
    await registry.add('10.0.0.3:3');
    await sink.holds([NEW, '10.0.0.3:3']);
  });
}

test('a registry whose own link is swapped, of which no watch tells, is read again within the slow period', async (t) => {
  const registry = await RegistryDirectory.create(t);
  await rm(registry.root, { recursive: true });
  await registry.add(OLD, join(registry.base, 'v1', SERVICE));
  await registry.add(NEW, join(registry.base, 'v2', SERVICE));
  await symlink('v1', registry.root);
  const sink = follow(t, registry);
  await sink.holds([OLD]);
  await swapLink(registry.root, 'v2');
  await sink.holds([NEW]);
  assertNoFlash(sink);
  await registry.add('10.0.0.3:3');
  await sink.holds([NEW, '10.0.0.3:3']);
});

/** Reads as the source does, and goes on with a swap that is not atomic only when its middle has been seen. */
function finishingSwap(finish: () => Promise<void>): { readonly read: ReadListing; seen(): boolean } {
  let finished: Promise<void> | undefined;
  return {
    read: async (root, directory) => {
      const listing = await readListing(root, directory);
      if (listing.kind === 'gaps') await (finished ??= finish());
      return listing;
    },
    seen: () => finished !== undefined,
  };
}

test('a service directory that is away for less than a second look is not missed', async (t) => {
  const registry = await RegistryDirectory.create(t);
  await registry.add(OLD);
  await registry.add(NEW, registry.at('srv/redis/next'));
  const swap = finishingSwap(() => rename(registry.at('srv/redis/next'), registry.at(SERVICE)));
  const sink = follow(t, registry, { rereadMs: 5, read: swap.read });
  await sink.holds([OLD]);
  await rename(registry.at(SERVICE), registry.at('srv/redis/last'));
  await sink.holds([NEW]);
  assert.ok(swap.seen());
  assertNoFlash(sink);
});

test('links that lead nowhere for less than a second look keep their members', async (t) => {
  const registry = await RegistryDirectory.create(t);
  await layConfigMap(registry, registry.at(SERVICE));
  await registry.add(NEW);
  const swap = finishingSwap(() => symlink('..2026_01_01', registry.at(SERVICE, '..data')));
  const sink = follow(t, registry, { rereadMs: 5, read: swap.read });
  await sink.holds([OLD, NEW]);
  await unlink(registry.at(SERVICE, '..data'));
  await sink.until('a look while the links led nowhere', () => swap.seen());
  await sink.nextLooks(5);
  assert.deepEqual(sink.sets, [[OLD, NEW]]);
});

test('a link that leads nowhere for good is no member, and hides no other', async (t) => {
  const registry = await RegistryDirectory.create(t);
  await layConfigMap(registry, registry.at(SERVICE));
  await registry.add(NEW);
  const sink = follow(t, registry, { rereadMs: 5 });
  await sink.holds([OLD, NEW]);
  await unlink(registry.at(SERVICE, '..data'));
  await sink.holds([NEW]);
  await symlink('..2026_01_01', registry.at(SERVICE, '..data'));
  await sink.holds([OLD, NEW]);
  await symlink('nowhere', registry.at(SERVICE, '10.0.0.9:9'));
  await registry.remove(NEW);
  await sink.holds([OLD]);
});
