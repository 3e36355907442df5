import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveOptions } from '../../../../src/config/options.ts';
import { flagOf, keyOf, settings } from '../../../../src/config/table/settings.ts';
import { configure, reportOf, type Input } from '../configure.ts';

const ok = { SRC: ':16379', DST: '10.0.3.144:6379' };
const found = { SRC: ':16379', SRV: '/srv/redis/debug' };
const etcd = { ...found, ETCD_USERNAME: 'root' };
const REMOVE = "remove the quotes: docker's --env-file and a Kubernetes env keep them, a shell does not";

/** The faults of a setting in quotes, for each way to give it. */
const quoted = ['"x"', "'x'", '\u201cx\u201d', '\u201ex\u201c', '`x`', '\\"x\\"', '"x', 'x"', "x'"];

test('every setting, in the environment and as a flag, refuses a value in quotes and says how to remove them', () => {
  for (const { name, kind } of settings) {
    for (const text of kind.form === 'secret' ? quoted.filter((each) => /^\W.*\W$/.test(each)) : quoted) {
      const env = { [name]: text };
      const report = reportOf(() => configure({ env }));
      assert.match(report, new RegExp(`^${name}: expected a (value|secret) without quotes around it`, 'm'));
      assert.ok(report.includes(REMOVE), report);
      const flag = `--${flagOf(name)}`;
      const flagged = reportOf(() => configure({ argv: [`${flag}=${text}`] }));
      assert.match(flagged, new RegExp(`^${flag}: expected a (value|secret) without quotes around it`, 'm'));
    }
  }
});

test('every setting of a service refuses quotes in SERVICES and in the library, too', () => {
  for (const { name } of settings.filter(({ scope }) => scope === 'service')) {
    const key = keyOf(name);
    const service = { name: 'a', [key]: '"x"' };
    const inJson = reportOf(() => configure({ env: { SERVICES: JSON.stringify([service]) } }));
    assert.match(inJson, new RegExp(`SERVICES\\[0\\]\\.${key}: expected a (value|secret) without quotes`));
  }
  const report = reportOf(() => resolveOptions({ services: [{ src: ':1', srv: '"/srv/a"' }] }));
  assert.match(report, /^services\[0\]\.srv: expected a value without quotes around it, got "\\"\/srv\/a\\""/);
});

const wrong: readonly (readonly [condition: string, input: Input, report: string])[] = [
  [
    "the quotes of docker's env file",
    { env: { ...found, SRV: '"/srv/redis/debug"' } },
    `SRV: expected a value without quotes around it, got "\\"/srv/redis/debug\\""; ${REMOVE}`,
  ],
  [
    'SERVICES in the quotes of a shell',
    { env: { SERVICES: `'[{"name":"a","src":":1","dst":"a:1"}]'` } },
    `SERVICES: expected a value without quotes around it, got "'[{\\"name\\":\\"a\\",\\"src\\":\\":1\\",\\"dst\\":\\"a:1\\"}]'"; ${REMOVE}`,
  ],
  [
    'a secret in quotes, unshown',
    { env: { ...etcd, ETCD_PASSWORD: '"hunter2"' } },
    `ETCD_PASSWORD: expected a secret without quotes around it, got one with; ${REMOVE}; a secret that does have them goes into a file that ETCD_PASSWORD_FILE names`,
  ],
  [
    'a secret in quotes as a flag',
    { argv: ['--etcd-password', "'hunter2'"], env: etcd },
    `--etcd-password: expected a secret without quotes around it, got one with; ${REMOVE}; a secret that does have them goes into a file that --etcd-password-file names`,
  ],
  [
    "etcdctl's user and password in one pair of quotes",
    { env: { ...found, ETCDCTL_USER: '"root:hunter2"' } },
    [
      `ETCDCTL_USER: expected a secret without quotes around it, got one with; ${REMOVE}; a secret that does have them goes into a file that ETCD_USERNAME_FILE names`,
      `ETCDCTL_USER: expected a secret without quotes around it, got one with; ${REMOVE}; a secret that does have them goes into a file that ETCD_PASSWORD_FILE names`,
    ].join('\n'),
  ],
  [
    'a listen address in quotes',
    { env: { SRC: '":16379"', DST: 'a:1' } },
    `SRC: expected a value without quotes around it, got "\\":16379\\""; ${REMOVE}`,
  ],
  [
    "the path of a secret's file in quotes, unshown",
    { env: { ...etcd, ETCD_PASSWORD_FILE: '"/run/hunter2"' } },
    `ETCD_PASSWORD_FILE: expected a path without quotes around it, got one with; ${REMOVE}`,
  ],
  [
    'a carriage return of an env file',
    { env: { ...found, SRV: '/srv/redis/debug\r', TLS_MODE: 'off\r' } },
    [
      'SRV: expected a value without a carriage return at its end, got "/srv/redis/debug\\r"; give the file that it comes from Unix line ends',
      'TLS_MODE: expected a value without a carriage return at its end, got "off\\r"; give the file that it comes from Unix line ends',
    ].join('\n'),
  ],
  [
    'a secret with a carriage return of an env file',
    { env: { ...etcd, ETCD_PASSWORD: 'hunter2\r' } },
    'ETCD_PASSWORD: expected a secret without a line break at its end, got one with; remove it; a secret that does have them goes into a file that ETCD_PASSWORD_FILE names',
  ],
  [
    'a secret with two newlines',
    { env: { ...etcd, ETCD_PASSWORD: 'hunter2\n\n' } },
    [
      'ETCD_PASSWORD: expected a secret without a line break at its end, got one with; remove it; a secret that does have them goes into a file that ETCD_PASSWORD_FILE names',
      'warning: ETCD_PASSWORD: ends in a newline, which is left off; store it without one (printf or echo -n)',
    ].join('\n'),
  ],
  [
    'a path with a blank behind it',
    { env: { ...ok, STATE_FILE: '/var/lib/attache/sets ' } },
    'STATE_FILE: expected a value without blanks or invisible characters around it, got "/var/lib/attache/sets "; remove them',
  ],
  [
    'a certificate folder with a newline behind it',
    { env: { ...ok, TLS_MODE: 'client', TLS_CERTPATH: '/run/tls\n' } },
    'TLS_CERTPATH: expected a value without blanks or invisible characters around it, got "/run/tls\\n"; remove them',
  ],
  [
    'a directory with a zero-width space from a web page',
    { env: { ...found, SRV: '/srv/redis\u200b' } },
    'SRV: expected a value without blanks or invisible characters around it, got "/srv/redis\\u200b"; remove them',
  ],
  [
    'a path with a control character',
    { env: { ...ok, STATE_FILE: '/var/\u0007sets' } },
    'STATE_FILE: expected a path without control characters, got "/var/\\u0007sets"',
  ],
];

for (const [condition, input, report] of wrong) {
  test(`${condition}: refused with a remedy`, () => {
    assert.equal(
      reportOf(() => configure(input)),
      report,
    );
  });
}

/** The password that a configuration holds, and its warnings. */
function passwordOf(input: Input): readonly (string | undefined)[] {
  const { discovery, warnings } = configure(input);
  assert.ok(discovery.backend.kind === 'etcd');
  return [discovery.backend.password, ...warnings];
}

const LEFT_OFF = 'ends in a newline, which is left off; store it without one (printf or echo -n)';

const taken: readonly (readonly [condition: string, input: Input, password: string, warnings: readonly string[]])[] = [
  [
    'a newline behind it in the environment',
    { env: { ...etcd, ETCD_PASSWORD: 'pw\n' } },
    'pw',
    [`ETCD_PASSWORD: ${LEFT_OFF}`],
  ],
  [
    'a Windows newline in a flag',
    { argv: ['--etcd-password=pw\r\n'], env: etcd },
    'pw',
    [`--etcd-password: ${LEFT_OFF}`],
  ],
  ['a newline in a file', { env: { ...etcd, ETCD_PASSWORD_FILE: '/pw' }, files: { '/pw': 'pw\r\n' } }, 'pw', []],
  [
    "quotes in a file, which are the secret's own",
    { env: { ...etcd, ETCD_PASSWORD_FILE: '/pw' }, files: { '/pw': '"pw"\n' } },
    '"pw"',
    ['ETCD_PASSWORD_FILE: a secret with quotes around it: taken as it is'],
  ],
  ['a quote at one end, which a good password may have', { env: { ...etcd, ETCD_PASSWORD: `'x"y` } }, `'x"y`, []],
];

for (const [condition, input, password, warnings] of taken) {
  test(`a secret with ${condition}: taken`, () => assert.deepEqual(passwordOf(input), [password, ...warnings]));
}

test('a secret of the library keeps quotes, loses one newline, and both are warned of', () => {
  const services = [{ src: ':1', srv: '/srv/a' }];
  const { discovery, warnings } = resolveOptions({ services, etcdUsername: 'root\n', etcdPassword: '"pw"' });
  assert.ok(discovery.backend.kind === 'etcd');
  assert.deepEqual([discovery.backend.username, discovery.backend.password], ['root', '"pw"']);
  assert.deepEqual(warnings, [
    `etcdUsername: ${LEFT_OFF}`,
    'etcdPassword: a secret with quotes around it: taken as it is',
  ]);
});

test('quotes within a value, and JSON with line breaks around it, are taken', () => {
  const server = { TLS_MODE: 'server', TLS_CERTPATH: '/run/tls' };
  const [service] = configure({ env: { ...ok, ...server, TLS_ALLOW: `cn:Ann "Bo" Li,cn:O'Hara,cn:Jo "Al"` } }).services;
  assert.ok(service?.tls.mode === 'server');
  assert.deepEqual(
    service.tls.allow.map((rule) => (rule.kind === 'cn' ? rule.name : '')),
    ['Ann "Bo" Li', "O'Hara", 'Jo "Al"'],
  );
  const json = '\n [{"name":"a","src":":1","dst":"a:1"}]\r\n';
  assert.equal(configure({ env: { SERVICES: json } }).services.length, 1);
});

test('a faulty variable that a flag overrides is not judged', () => {
  const [service] = configure({ argv: ['--srv', '/srv/a'], env: { SRC: ':1', SRV: '"/srv/b"' } }).services;
  assert.ok(service?.candidates.kind === 'discovered');
  assert.equal(service.candidates.directory, '/srv/a');
});
