import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCommand } from '../../../src/config/command.ts';
import { commandNames } from '../../../src/config/commands.ts';
import type { Config } from '../../../src/config/config.ts';
import { describeConfig, describeConfigJson } from '../../../src/config/describe.ts';
import { resolveOptions, type AmbassadorOptions } from '../../../src/config/options.ts';
import { flagOf, settings } from '../../../src/config/table/settings.ts';
import { ConfigError } from '../../../src/core/errors.ts';
import { configure } from './configure.ts';

const SECRET = 'hunter2-s3cr3t';

const names = settings.flatMap(({ name, aliases = [] }) => [name, ...aliases, `${name}_FILE`]);
const suffix = fc.oneof(
  fc.constantFrom('REDIS', 'REDSI', 'PG', 'DEFAULT', 'A_B', 'PORT', 'FILE', 'TIMEOUT', '', '1', 'x'),
  fc.string({ maxLength: 5 }),
);
const setting = fc.constantFrom(...names);
const variable = fc.oneof(
  { weight: 3, arbitrary: setting },
  { weight: 3, arbitrary: fc.tuple(setting, suffix).map(([name, end]) => `${name}_${end}`) },
  { weight: 1, arbitrary: fc.tuple(setting, fc.nat(9)).map(([name, at]) => name.slice(0, at) + name.slice(at + 1)) },
  { weight: 1, arbitrary: fc.string() },
);
const service = fc.dictionary(
  fc.oneof(fc.constantFrom('name', 'src', 'dst', 'srv', 'range', 'lb', 'net', 'tlscert', '__proto__'), fc.string()),
  fc.oneof(fc.constantFrom(':1', 'a:1', '/srv/a', 'a', true, ['a:1', ':2'], null), fc.jsonValue()),
);
const value = fc.oneof(
  fc.constantFrom(
    ':1',
    ':2',
    'a:1',
    'a:1,b:1',
    '/srv/a',
    '5s',
    '30',
    '0',
    'true',
    'tcp',
    'http://a:1',
    'off',
    '/s.json',
  ),
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.array(service, { maxLength: 3 }).map((list) => JSON.stringify(list)),
  fc.json(),
);
const environment = fc.dictionary(variable, value, { maxKeys: 12 });
const flag = fc.oneof(
  variable.map((name) => `--${flagOf(name)}`),
  fc.tuple(variable, value).map(([name, text]) => `--${flagOf(name)}=${text}`),
  value,
  fc.constantFrom('--json', '--lb', '-h', '--', '-', '--=', ''),
  fc.constantFrom<string>(...commandNames),
);
const argv = fc.array(flag, { maxLength: 8 });

/** The configuration, or the text of its own report; anything else fails the test. */
function attempt(run: () => Config): { readonly text: string; readonly config: Config | undefined } {
  try {
    const config = run();
    return { text: `${describeConfig(config)}${describeConfigJson(config)}`, config };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    assert.ok(error.faults.length > 0);
    return { text: error.message, config: undefined };
  }
}

/** Nothing that was printed may start a line of its own, or steer a terminal. */
function assertPrintable(text: string): void {
  // eslint-disable-next-line no-control-regex -- control characters are what must not be there
  assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202e]/);
}

test('no environment makes the parser throw anything but its own report', () => {
  let accepted = 0;
  fc.assert(
    fc.property(environment, (env) => {
      const { text, config } = attempt(() => configure({ env, files: { '/s.json': '[]' } }));
      if (config === undefined) assertPrintable(text);
      else accepted++;
    }),
    { numRuns: 1500 },
  );
  fc.assert(
    fc.property(environment, (env) => {
      const valid = { SRC_Z: ':1', DST_Z: 'a:1' };
      const { config } = attempt(() => configure({ env: { ...env, ...valid } }));
      if (config !== undefined) accepted++;
    }),
    { numRuns: 500 },
  );
  assert.ok(accepted > 0, 'some were accepted, or the property says little');
});

test('no command line makes the parser throw anything but its own report', () => {
  fc.assert(
    fc.property(argv, environment, (args, env) => {
      attempt(() => {
        const { kind } = parseCommand(args);
        if (kind !== 'run' && kind !== 'check') {
          throw new ConfigError([{ setting: 'command', message: 'not one that loads a configuration' }]);
        }
        return configure({ argv: args, env });
      });
    }),
    { numRuns: 1000 },
  );
});

test('no options make the library throw anything but its own report', () => {
  const anything = fc.oneof(fc.anything(), fc.record({ services: fc.array(fc.oneof(service, fc.anything())) }));
  fc.assert(
    fc.property(anything, (options) => {
      attempt(() => resolveOptions(options as AmbassadorOptions));
    }),
    { numRuns: 1000 },
  );
});

test('a secret is in no report and no description, whatever else is wrong', () => {
  const planted = fc.constantFrom<Readonly<Record<string, string>>>(
    { ETCD_PASSWORD: SECRET },
    { ETCD_PASSWORD: SECRET, ETCD_USERNAME: 'root' },
    { ETCD_PASSWORD: SECRET, ETCDCTL_PASSWORD: 'another', ETCD_USERNAME: 'root' },
    { ETCDCTL_USER: `root:${SECRET}` },
    { ETCDCTL_USER: `root:${SECRET}`, ETCD_PASSWORD: 'another' },
    { ETCD_PASSWORD_FILE: SECRET, ETCD_USERNAME: 'root' },
    { ETCD_PASSWORD_FILE: '/secret', ETCD_USERNAME: 'root' },
    { DSC: `http://root:${SECRET}@etcd:2379` },
    { DSC: `http://etcd:2379,ftp://root:${SECRET}@etcd/x?y` },
    { DST: `redis://:${SECRET}@cache:6379` },
    { SERVICES: `[{"name":"a","src":":1","dst":"redis://:${SECRET}@b:1"}]` },
    { SERVICES: `[{"name":"a","src":":1","dst":"a:1","password":"${SECRET}"}]` },
    { SERVICES: `[{"password":"${SECRET}"` },
    { ETCD_PASWORD: SECRET },
  );
  const flags = fc.constantFrom<readonly string[]>(
    [],
    ['--etcd-password', SECRET],
    [`--etcd-pasword=${SECRET}`],
    ['--etcd-pasword', SECRET],
    ['--lb', SECRET],
    ['-p', SECRET],
  );
  fc.assert(
    fc.property(environment, planted, flags, (env, secrets, args) => {
      const { text } = attempt(() =>
        configure({ argv: args, env: { ...env, ...secrets }, files: { '/secret': SECRET, '/s.json': '[]' } }),
      );
      assert.ok(!text.includes(SECRET) && !text.includes('hunter2'), text);
    }),
    { numRuns: 1500 },
  );
});
