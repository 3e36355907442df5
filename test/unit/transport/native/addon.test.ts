import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test, type TestContext } from 'node:test';
import { loadAddon } from '../../../../src/transport/native/addon.ts';
import { scratchFolder } from '../../../support/scratch.ts';

const here = process.platform === 'linux' ? {} : { skip: 'the native engine is for Linux' };

/** A package whose build of the native engine has this text; default: there is none. */
async function packageWith(t: TestContext, text?: string): Promise<URL> {
  const root = await scratchFolder(t);
  await mkdir(join(root, 'dist/native'), { recursive: true });
  await writeFile(join(root, 'package.json'), '{}');
  for (const libc of ['glibc', 'musl'])
    if (text !== undefined) await writeFile(join(root, `dist/native/linux-${process.arch}-${libc}.node`), text);
  return pathToFileURL(join(root, 'dist/transport/native/addon.js'));
}

function reasonOf(place: Parameters<typeof loadAddon>[0]): string {
  const loaded = loadAddon(place);
  return 'reason' in loaded ? loaded.reason : 'it was loaded';
}

test('a system that has no native engine is named', () => {
  assert.equal(reasonOf({ platform: 'darwin' }), 'there is none for darwin');
});

test('a Node without the Node-API that it is written for is refused', () => {
  for (const nodeApi of [7, Number.NaN])
    assert.equal(reasonOf({ platform: 'linux', nodeApi }), 'this Node has no Node-API 8');
});

test('a package without a build says which file is missing, and what makes it', here, async (t) => {
  const from = await packageWith(t);
  assert.match(
    reasonOf({ from }),
    new RegExp(`^dist/native/linux-${process.arch}-(glibc|musl)[.]node is missing: scripts/build-native makes it$`),
  );
});

test('a build for another machine is missing on this one', here, async (t) => {
  const from = await packageWith(t, '');
  assert.match(reasonOf({ from, arch: 'riscv64' }), /^dist\/native\/linux-riscv64-(glibc|musl)[.]node is missing/);
});

test(
  'a build that cannot be loaded is told with what the system says of it, and no further package is searched',
  here,
  async (t) => {
    const from = await packageWith(t, 'no program');
    assert.match(reasonOf({ from }), /^\S*linux-\S+[.]node: (file too short|invalid ELF header|.*[Ee]xec format)/);
    const inner = join(await scratchFolder(t), 'inner');
    await mkdir(inner);
    await writeFile(join(inner, 'package.json'), '{}');
    assert.match(reasonOf({ from: pathToFileURL(join(inner, 'addon.js')) }), /is missing/);
  },
);
