import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { folderSurvey } from '../../../src/discovery/directory/survey.ts';
import { nearestMembers } from '../../../src/discovery/nearest-members.ts';
import { scratchFolder } from '../../support/scratch.ts';

/** A registry in memory, of whole keys, that counts its lists. */
function registry(keys: readonly string[]) {
  const lists: string[] = [];
  return {
    lists,
    below: (directory: string) => {
      lists.push(directory);
      const prefix = directory === '' ? '' : `${directory}/`;
      return Promise.resolve(keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length)));
    },
  };
}

const cases: readonly (readonly [condition: string, keys: readonly string[], nearest: string | undefined])[] = [
  [
    'a sibling whose name is most alike',
    ['/srv/redis/prod/a:1', '/srv/redis/debgu/b:1', '/srv/redis/test/c:1'],
    '/srv/redis/debgu',
  ],
  ['a directory below it', ['/srv/redis/debug/v2/a:1', '/srv/redis/debgu/b:1'], '/srv/redis/debug/v2'],
  ['its parent', ['/srv/redis/a:1'], '/srv/redis'],
  ['a misspelt parent', ['/srv/rdis/debug/a:1', '/srv/pg/prod/b:1'], '/srv/rdis/debug'],
  ['a key without its first slash', ['srv/redis/debug/a:1'], 'srv/redis/debug'],
  ['itself, with members that are not allowed', ['/srv/redis/debug/169.254.0.1:1'], '/srv/redis/debug'],
  ['nobody, among keys that are no members', ['/srv/redis/prod/config', '/other/x'], undefined],
  ['nobody, in an empty registry', [], undefined],
];

for (const [condition, keys, nearest] of cases) {
  test(`the nearest directory with members is ${condition}`, async () => {
    const { below, lists } = registry(keys);
    assert.equal((await nearestMembers('/srv/redis/debug', below))?.directory, nearest);
    assert.ok(lists.length <= 4, lists.join());
  });
}

test('members are counted', async () => {
  const { below } = registry(['/srv/redis/prod/a:1', '/srv/redis/prod/b:1', '/srv/redis/prod/config']);
  assert.deepEqual(await nearestMembers('/srv/redis/debug', below), { directory: '/srv/redis/prod', members: 2 });
});

test('folders are looked into from the service directory up to the root', async (t) => {
  const root = await scratchFolder(t);
  for (const folder of ['srv/redis/prod', 'srv/.hidden', 'redis/debug'])
    await mkdir(join(root, folder), { recursive: true });
  await writeFile(join(root, 'srv/redis/prod/a:1'), '');
  await writeFile(join(root, 'srv/.hidden/b:1'), '');
  await writeFile(join(root, 'redis/debug/c:1'), '');
  const near = async (asked: string) => (await nearestMembers(asked, folderSurvey(root)))?.directory;
  assert.equal(await near('/srv/redis/debug'), '/srv/redis/prod');
  assert.equal(await near('/srv/other'), '/srv/redis/prod');
  assert.equal(await near('/nowhere/redis/debug'), '/redis/debug');
});

test('a registry of links in a circle, and one of thousands of folders, is looked at within bounds', async (t) => {
  const root = await scratchFolder(t);
  await mkdir(join(root, 'srv'));
  await symlink(root, join(root, 'srv/circle'));
  assert.equal(await nearestMembers('/srv/a', folderSurvey(root)), undefined);
  for (let i = 0; i < 3_000; i++) await mkdir(join(root, `srv/${i}`));
  const looked: string[] = [];
  const survey = folderSurvey(root);
  await nearestMembers('/srv/a', (directory) => {
    looked.push(directory);
    return survey(directory);
  });
  assert.deepEqual(looked, ['/srv/a', '/srv', '']);
});
