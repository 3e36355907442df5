import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../../src/config/config.ts';
import { resolveOptions } from '../../../src/config/options.ts';
import { ConfigError } from '../../../src/core/errors.ts';
import { configure } from './configure.ts';

const env = { SRC: ':16379', DST: '10.0.3.144:6379' };
const options = { services: [{ name: 'default', src: ':16379', dst: '10.0.3.144:6379' }] };

const ways: readonly (readonly [what: string, made: () => Config, without: () => Config, origin: string])[] = [
  ['a variable', () => configure({ env: { ...env, DIRECT_IO: 'off' } }), () => configure({ env }), 'DIRECT_IO'],
  ['a flag', () => configure({ env, argv: ['--direct-io=on'] }), () => configure({ env }), '--direct-io'],
  [
    'an option of the library',
    () => resolveOptions({ ...options, directIo: 'auto' }),
    () => resolveOptions(options),
    'directIo',
  ],
];

for (const [what, made, without, origin] of ways) {
  test(`DIRECT_IO is accepted as ${what}, changes nothing, and is told of`, () => {
    const { warnings, ...config } = made();
    const { warnings: none, ...same } = without();
    assert.deepEqual(none, []);
    assert.deepEqual(warnings, [
      `${origin}: it has no effect any more; remove it, and choose with ENGINE what carries the bytes`,
    ]);
    assert.deepEqual(config, same);
  });
}

test('a value that DIRECT_IO never had is a fault still', () => {
  assert.throws(() => configure({ env: { ...env, DIRECT_IO: 'sometimes' } }), ConfigError);
});
