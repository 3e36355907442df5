import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadAddress } from '../../../src/config/load.ts';
import { resolveOptions } from '../../../src/config/options.ts';
import { flagOf, settings } from '../../../src/config/table/settings.ts';
import { configure, reportOf, type Input } from './configure.ts';

const ok = { SRC: ':16379', DST: '10.0.3.144:6379' };
const usual = settings.filter(({ refusesEmpty }) => refusesEmpty === undefined);

test('an empty value of any setting, in any place, is as good as none', () => {
  const empty = Object.fromEntries(
    usual.flatMap(({ name, aliases = [], kind }) => {
      const names = [name, ...aliases, ...(kind.form === 'secret' ? [`${name}_FILE`] : [])];
      return names.filter((each) => !(each in ok)).map((each) => [each, '']);
    }),
  );
  const plain = configure({ env: ok });
  assert.deepEqual(configure({ env: { ...empty, ...ok } }), plain);
  const argv = usual.filter(({ name }) => !(name in ok)).map(({ name }) => `--${flagOf(name)}=`);
  assert.deepEqual(configure({ argv, env: ok }), plain);
});

test('every setting of a service may be empty with its suffix, and in SERVICES', () => {
  const own = usual.filter(({ scope, name }) => scope === 'service' && name !== 'SRC' && name !== 'DST');
  const suffixed = Object.fromEntries(own.map(({ name }) => [`${name}_A`, '']));
  const plain = configure({ env: { SRC_A: ':1', DST_A: 'a:1' } });
  assert.deepEqual(configure({ env: { ...suffixed, SRC_A: ':1', DST_A: 'a:1' } }), plain);
  const object = Object.fromEntries(own.map(({ name }) => [name.toLowerCase(), '']));
  const [service] = configure({
    env: { SERVICES: JSON.stringify([{ name: 'a', src: ':1', dst: 'a:1', ...object }]) },
  }).services;
  assert.deepEqual({ ...service, origin: 'SRC_A' }, plain.services[0]);
});

/** Either of two, of which the other is empty: what a compose file with `${X:-}` gives. */
const pairs: readonly (readonly [condition: string, input: Input])[] = [
  ['DST beside SRV', { env: { SRC: ':1', SRV: '/srv/a', DST: '' } }],
  ['SRV beside DST', { env: { SRC: ':1', SRV: '', DST: 'a:1' } }],
  ['a flag of DST beside SRV', { argv: ['--dst', ''], env: { SRC: ':1', SRV: '/srv/a' } }],
  ['LB beside BALANCE', { env: { ...ok, LB: '', BALANCE: 'round-robin' } }],
  ['BALANCE beside LB', { env: { ...ok, LB: 'true', BALANCE: '' } }],
  ['a flag of LB beside BALANCE', { argv: ['--lb', ''], env: { ...ok, BALANCE: 'round-robin' } }],
  [
    'a password beside its file',
    { env: { ...ok, ETCD_USERNAME: 'a', ETCD_PASSWORD: '', ETCD_PASSWORD_FILE: '/p' }, files: { '/p': 'b' } },
  ],
  [
    'the file of a password beside it',
    { env: { ...ok, ETCD_USERNAME: 'a', ETCD_PASSWORD: 'b', ETCD_PASSWORD_FILE: '' } },
  ],
  ['a user and a password', { env: { ...ok, ETCD_USERNAME: '', ETCD_PASSWORD: '' } }],
  ["etcdctl's name of a setting", { env: { ...ok, DSC: 'http://a:1', ETCDCTL_ENDPOINTS: '' } }],
  ['a certificate and its key', { env: { ...ok, ETCD_CERT: '', ETCD_KEY: '' } }],
  ['SERVICES beside SRC', { env: { ...ok, SERVICES: '', SERVICES_FILE: '' } }],
  ['a service without SRC and DST', { env: { ...ok, SRC_B: '', DST_B: '' } }],
  ['TLS settings without TLS', { env: { ...ok, TLS_MODE: '', TLS_CERTPATH: '', TLS_CACERT: '' } }],
  ['one of two flags of a list', { argv: ['--src', ':1', '--dst', '', '--dst', 'a:1'] }],
];

for (const [condition, input] of pairs) {
  test(`empty: ${condition}: no fault, no warning`, () => assert.deepEqual(configure(input).warnings, []));
}

test('a fault tells of empty values, which may be its cause', () => {
  assert.equal(
    reportOf(() => configure({ env: { ...ok, SRC: '' } })),
    'DST: expected SRC beside it, got none\nwarning: SRC: empty, which counts as not set',
  );
  assert.equal(
    reportOf(() => configure({ argv: ['--src=:1', '--dst='] })),
    '--src: expected --dst or --srv, got neither\nwarning: --dst: empty, which counts as not set',
  );
});

test('an empty list of whom to let in is refused: it could mean nobody, or everybody', () => {
  const server = { TLS_MODE: 'server', TLS_CERTPATH: '/run/tls' };
  const report =
    'expected a list of dns:, uri:, ip: and cn: names, got an empty value; leave it out to let in everybody with a certificate that is good';
  assert.equal(
    reportOf(() => configure({ env: { ...ok, ...server, TLS_ALLOW: '' } })),
    `TLS_ALLOW: ${report}`,
  );
  const service = { name: 'a', src: ':1', dst: 'a:1', tls_mode: 'server', tls_certpath: '/run/tls' };
  for (const empty of ['', []]) {
    assert.equal(
      reportOf(() => configure({ env: { SERVICES: JSON.stringify([{ ...service, tls_allow: empty }]) } })),
      `SERVICES[0].tls_allow: ${report}`,
    );
  }
  assert.equal(
    reportOf(() => configure({ env: { ...ok, DISCOVERY_ALLOW: '' } })),
    'DISCOVERY_ALLOW: expected a list of CIDR blocks, got an empty value; leave it out to allow every address that a registry may name',
  );
  assert.throws(() => resolveOptions({ services: [{ src: ':1', dst: 'a:1' }], discoveryAllow: '' }), /empty value/);
});

test('commands that ask a running attache take an empty address for none, too', () => {
  assert.deepEqual(loadAddress('HTTP_ADDR', { env: { HTTP_ADDR: '' } }), { kind: 'tcp', host: '', port: 29091 });
});

/** A value that is refused says nothing: what others say beside it is not judged by the default in its place. */
const alone: readonly (readonly [env: Readonly<Record<string, string>>, report: string])[] = [
  [
    { ...ok, LB: 'maybe', BALANCE: 'round-robin' },
    'LB: expected true or false (also 1/0, yes/no, on/off), got "maybe"',
  ],
  [
    { ...ok, LB: 'true', BALANCE: 'fair' },
    'BALANCE: expected ordered, round-robin, least-connections or random, got "fair"',
  ],
  [{ ...ok, SRC: '[::1]:1', NET: 'udp' }, 'NET: expected tcp4, tcp6 or tcp, got "udp"'],
  [{ ...ok, TLS_MODE: 'on', TLS_CERTPATH: '/run/tls' }, 'TLS_MODE: expected off, client or server, got "on"'],
  [{ ...ok, SRC: ':29091', HTTP_ADDR: '1' }, 'HTTP_ADDR: expected host:port, or off, got "1"; did you mean :1?'],
  [
    { ...ok, DSC: 'https//a', ETCD_CACERT: '/ca.pem' },
    'DSC: expected http://host:port, https://host:port, etcd://host:port, file:///directory, dns://, dns://ip:port or sentinel://host:port, got "https//a"',
  ],
];

for (const [env, report] of alone) {
  test(`a fault comes alone: ${report.slice(0, 40)}`, () => {
    assert.equal(
      reportOf(() => configure({ env })),
      report,
    );
  });
}

test('DST of blanks beside SRV is one fault, not one more that speaks of both', () => {
  const report = reportOf(() => configure({ env: { SRC: ':1', DST: ' ', SRV: '/srv/a' } }));
  assert.equal(report, 'DST: expected a list of addresses, got " "');
});
