import assert from 'node:assert/strict';
import { test } from 'node:test';
import { permitAll } from '../../../../src/core/dial-policy.ts';
import { directorySource } from '../../../../src/discovery/directory/source.ts';

for (const directory of ['/../etc', '/srv/../../etc', '..', '/srv/..', '/srv/a\0b']) {
  test(`a service directory of ${JSON.stringify(directory)} is refused before anything is read`, () => {
    assert.throws(
      () => directorySource({ root: '/registry', directory, policy: permitAll, onFailure: 'keep' }),
      RangeError,
    );
  });
}

for (const [directory, expected] of [
  ['/srv/redis', '/registry/srv/redis'],
  ['srv//redis/./', '/registry/srv/redis'],
  ['/srv/..redis', '/registry/srv/..redis'],
  ['/', '/registry'],
] as const) {
  test(`a service directory of "${directory}" is read at ${expected}`, async (t) => {
    const path = await new Promise<string>((resolve) => {
      const source = directorySource({
        root: '/registry',
        directory,
        policy: permitAll,
        onFailure: 'keep',
        read: (_root, read) => {
          resolve(read);
          return Promise.resolve({ kind: 'read', names: [] });
        },
      });
      t.after(() => source.stop());
      source.start({ candidates: () => undefined, state: () => undefined, ignored: () => undefined });
    });
    assert.equal(path, expected);
  });
}
