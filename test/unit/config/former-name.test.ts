import assert from 'node:assert/strict';
import { test } from 'node:test';
import { helpText } from '../../../src/config/help.ts';
import { resolveOptions, type ServiceOptions } from '../../../src/config/options.ts';
import { configure, reportOf, type Input } from './configure.ts';

const ok = { SRC: ':16379', DST: '10.0.3.144:6379' };
const pg = { SRC_PG: ':5432', DST_PG: 'pg:5432' };
const service = { name: 'pg', src: ':5432', dst: 'pg:5432' };

const understood: readonly (readonly [form: string, formerly: Input, now: Input])[] = [
  ['variable', { env: { ...ok, DRAIN_TIMEOUT: '7s' } }, { env: { ...ok, ON_CHANGE_TIMEOUT: '7s' } }],
  ['suffixed variable', { env: { ...pg, DRAIN_TIMEOUT_PG: '7s' } }, { env: { ...pg, ON_CHANGE_TIMEOUT_PG: '7s' } }],
  ['flag', { env: ok, argv: ['--drain-timeout', '7s'] }, { env: ok, argv: ['--on-change-timeout', '7s'] }],
  ['suffixed flag', { env: pg, argv: ['--drain-timeout-pg=7s'] }, { env: pg, argv: ['--on-change-timeout-pg=7s'] }],
  ['key in SERVICES', listed({ drain_timeout: '7s' }), listed({ on_change_timeout: '7s' })],
];

for (const [form, formerly, now] of understood) {
  test(`DRAIN_TIMEOUT as ${form}: the same configuration as ON_CHANGE_TIMEOUT`, () => {
    const config = configure(formerly);
    assert.deepEqual(config, configure(now));
    assert.deepEqual([config.services[0]?.onChangeTimeoutMs, config.warnings], [7_000, []]);
  });
}

const clashes: readonly (readonly [form: string, input: Input, report: string])[] = [
  [
    'variables',
    { env: { ...ok, ON_CHANGE_TIMEOUT: '7s', DRAIN_TIMEOUT: '8s' } },
    'ON_CHANGE_TIMEOUT: expected the value of DRAIN_TIMEOUT or to be unset, got another value',
  ],
  [
    'suffixed variables',
    { env: { ...pg, DRAIN_TIMEOUT_PG: '8s', ON_CHANGE_TIMEOUT_PG: '7s' } },
    'ON_CHANGE_TIMEOUT_PG: expected the value of DRAIN_TIMEOUT_PG or to be unset, got another value',
  ],
  [
    'flags',
    { env: ok, argv: ['--on-change-timeout=7s', '--drain-timeout=8s'] },
    '--drain-timeout: expected the value of --on-change-timeout or to be unset, got another value',
  ],
  [
    'keys',
    listed({ on_change_timeout: '7s', drain_timeout: '8s' }),
    'SERVICES[0].drain_timeout: expected the value of SERVICES[0].on_change_timeout or to be unset, got another value',
  ],
];

for (const [form, input, report] of clashes) {
  test(`both names as ${form} with two values: refused, naming both`, () => {
    assert.equal(
      reportOf(() => configure(input)),
      report,
    );
  });
}

test('both names with one value are no fault', () => {
  const config = configure({ env: { ...ok, ON_CHANGE_TIMEOUT: '7s', DRAIN_TIMEOUT: '7s' } });
  assert.equal(config.services[0]?.onChangeTimeoutMs, 7_000);
});

test('the library understands drainTimeout beside onChangeTimeout, and refuses two values', () => {
  const resolved = (options: Pick<ServiceOptions, 'drainTimeout' | 'onChangeTimeout'>) =>
    resolveOptions({ services: [{ ...service, ...options }] }).services[0]?.onChangeTimeoutMs;
  assert.deepEqual([resolved({ drainTimeout: 7_000 }), resolved({ onChangeTimeout: '7s' })], [7_000, 7_000]);
  assert.equal(
    reportOf(() => resolved({ onChangeTimeout: 7_000, drainTimeout: 8_000 })),
    'services[0].drainTimeout: expected the value of services[0].onChangeTimeout or to be unset, got another value',
  );
});

test('help names ON_CHANGE_TIMEOUT, and DRAIN_TIMEOUT beside it', () => {
  assert.match(helpText(), /^ {2}ON_CHANGE_TIMEOUT .*also DRAIN_TIMEOUT/m);
});

function listed(settings: Readonly<Record<string, string>>): Input {
  return { env: { SERVICES: JSON.stringify([{ ...service, ...settings }]) } };
}
