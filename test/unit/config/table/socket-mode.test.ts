import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveOptions } from '../../../../src/config/options.ts';
import { configure, reportOf } from '../configure.ts';

const ok = { SRC: 'unix:/run/a', DST: 'a:1' };

const wrong: readonly (readonly [mode: string, fault: string])[] = [
  ['999', 'expected an octal mode such as 0660, 0600 to 0777, got "999"'],
  ['abc', 'expected an octal mode such as 0660, 0600 to 0777, got "abc"'],
  ['0x1ff', 'expected an octal mode such as 0660, 0600 to 0777, got "0x1ff"'],
  ['0o660', 'expected an octal mode such as 0660, 0600 to 0777, got "0o660"'],
  ['7777', 'expected an octal mode such as 0660, 0600 to 0777, got "7777"'],
  ['-660', 'expected an octal mode such as 0660, 0600 to 0777, got "-660"'],
  ['u=rw', 'expected an octal mode such as 0660, 0600 to 0777, got "u=rw"'],
  ['66', 'expected an octal mode such as 0660, 0600 to 0777, got "66"'],
  ['0000', 'expected a mode with which the owner may read and write, 0600 to 0777, got "0000"'],
  ['0444', 'expected a mode with which the owner may read and write, 0600 to 0777, got "0444"'],
  [
    '432',
    'expected a mode with which the owner may read and write, 0600 to 0777, got "432"; YAML makes 432 of 0660: put it into quotes',
  ],
  ['438', 'expected an octal mode such as 0660, 0600 to 0777, got "438"; YAML makes 438 of 0666: put it into quotes'],
];

for (const [mode, fault] of wrong) {
  test(`a socket mode of ${mode} is refused, of a service and of the admin side`, () => {
    for (const name of ['SOCKET_MODE', 'SOCKET_MODE_DEFAULT', 'ADMIN_SOCKET_MODE']) {
      assert.equal(
        reportOf(() => configure({ env: { ...ok, [name]: mode } })),
        `${name}: ${fault}`,
      );
    }
  });
}

test('a service has its own mode, the bare one is for all and for HTTP_ADDR, and ADMIN_ADDR has its own', () => {
  const env = { ...ok, SRC_B: 'unix:/run/b', DST_B: 'a:1', SOCKET_MODE: '0660', SOCKET_MODE_B: '600' };
  const { services, socketMode, adminSocketMode } = configure({ env });
  assert.deepEqual(
    [...services.map((service) => service.socketMode), socketMode, adminSocketMode],
    [0o660, 0o600, 0o660, 0o600],
  );
  assert.equal(configure({ argv: ['--admin-socket-mode=0666'], env }).adminSocketMode, 0o666);
});

test('in the library a mode is a number of JavaScript, or a text', () => {
  const modes = [0o660, '0660', '660'].map((socketMode) => {
    return resolveOptions({ services: [{ src: 'unix:/run/a', dst: 'a:1', socketMode }] }).services[0]?.socketMode;
  });
  assert.deepEqual(modes, [0o660, 0o660, 0o660]);
  const report = reportOf(() => resolveOptions({ services: [{ src: ':1', dst: 'a:1', socketMode: 660 }] }));
  assert.match(report, /^services\[0\]\.socketMode: expected an octal mode/);
});

test('a number of JSON is no mode: it may be one that YAML has changed', () => {
  const service = { name: 'a', src: 'unix:/run/a', dst: 'a:1', socket_mode: 0o660 };
  assert.match(
    reportOf(() => configure({ env: { SERVICES: JSON.stringify([service]) } })),
    /^SERVICES\[0\]\.socket_mode: .*YAML makes 432 of 0660: put it into quotes$/,
  );
});
