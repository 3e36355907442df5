import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfig } from '../../../src/config/describe.ts';
import { configure, reportOf, type Input } from './configure.ts';

const ok = { SRC: ':16379', DST: '10.0.3.144:6379' };
const file = (path: string) => ({ kind: 'file', path });

const wrong: readonly (readonly [condition: string, env: NonNullable<Input['env']>, report: string])[] = [
  ['an unknown mode', { ...ok, TLS_MODE: 'both' }, 'TLS_MODE: expected off, client or server, got "both"'],
  [
    'material without a mode',
    { ...ok, TLS_CERTPATH: '/certs' },
    'TLS_CERTPATH: expected TLS_MODE=client or TLS_MODE=server with it, got off',
  ],
  [
    "material without a mode by the seed's names",
    { ...ok, GO_PROXY_CA: '/ca.pem' },
    'GO_PROXY_CA: expected TLS_MODE=client or TLS_MODE=server with it, got off',
  ],
  [
    'material of one service whose mode is off',
    { SRC_PG: ':1', DST_PG: 'a:1', TLS_CERT_PG: '/cert.pem', TLS_KEY_PG: '/key.pem' },
    [
      'TLS_CERT_PG: expected TLS_MODE=client or TLS_MODE=server with it, got off',
      'TLS_KEY_PG: expected TLS_MODE=client or TLS_MODE=server with it, got off',
    ].join('\n'),
  ],
  [
    'a server that has nothing to show',
    { ...ok, TLS_MODE: 'server' },
    [
      'SRC: expected TLS_CERTPATH or TLS_CACERT to verify clients with, got neither',
      'SRC: expected TLS_CERTPATH or TLS_CERT to show to clients, got neither',
      'SRC: expected TLS_CERTPATH or TLS_KEY to show to clients, got neither',
    ].join('\n'),
  ],
  [
    'a server without a CA that does not ask for certificates, and without a key',
    { ...ok, TLS_MODE: 'server', TLS_CLIENT_AUTH: 'none', TLS_CERT: '/cert.pem' },
    'SRC: expected TLS_CERTPATH or TLS_KEY to show to clients, got neither',
  ],
  [
    'a client with half an identity',
    { ...ok, TLS_MODE: 'client', TLS_KEY: '/key.pem' },
    'SRC: expected TLS_CERT with TLS_KEY, got none',
  ],
  [
    'a setting of the other mode',
    { ...ok, TLS_MODE: 'client', TLS_ALLOW: 'dns:web' },
    'TLS_ALLOW: expected TLS_MODE=server with it, got client',
  ],
  [
    'a server name in server mode',
    { ...ok, TLS_MODE: 'server', TLS_CERTPATH: '/certs', TLS_SERVER_NAME: 'db' },
    'TLS_SERVER_NAME: expected TLS_MODE=client with it, got server',
  ],
  [
    'names of clients that are not asked for',
    { ...ok, TLS_MODE: 'server', TLS_CERTPATH: '/certs', TLS_CLIENT_AUTH: 'none', TLS_ALLOW: 'dns:web' },
    'TLS_ALLOW: expected TLS_CLIENT_AUTH=require, as only a certificate names a client, got none',
  ],
  [
    'a peer rule of no kind',
    { ...ok, TLS_MODE: 'server', TLS_CERTPATH: '/certs', TLS_ALLOW: 'dns:web,api' },
    'TLS_ALLOW: expected dns:, uri:, ip: or cn: and a name, as in dns:web.prod.internal, got "api"',
  ],
  [
    'a suite that OpenSSL does not have, and an expression that stands for many',
    { ...ok, TLS_MODE: 'client', TLS_CIPHERS: 'ECDHE-RSA-AES128-GMC-SHA256:HIGH' },
    ['"ECDHE-RSA-AES128-GMC-SHA256"', '"HIGH"']
      .map(
        (got) =>
          `TLS_CIPHERS: expected OpenSSL's name of a cipher suite that it allows, as in ECDHE-RSA-AES128-GCM-SHA256, got ${got}`,
      )
      .join('\n'),
  ],
  [
    'a suite without certificates',
    { ...ok, TLS_MODE: 'client', TLS_CIPHERS: 'PSK-AES128-GCM-SHA256' },
    `TLS_CIPHERS: expected OpenSSL's name of a cipher suite that it allows, as in ECDHE-RSA-AES128-GCM-SHA256, got "PSK-AES128-GCM-SHA256"`,
  ],
  [
    'how ends are judged where there is no TLS',
    { ...ok, TLS_STRICT_CLOSE: 'true' },
    'TLS_STRICT_CLOSE: expected TLS_MODE=client or TLS_MODE=server with it, got off',
  ],
  [
    'a place of another scheme',
    { ...ok, TLS_MODE: 'client', TLS_CACERT: 'https://ca.example/ca.pem' },
    'TLS_CACERT: expected a path, file:// or s3://, got "https://ca.example/ca.pem"',
  ],
  [
    'a prefix that leads out',
    { ...ok, TLS_MODE: 'client', TLS_CERTPATH: 's3://bucket/a/../b' },
    'TLS_CERTPATH: expected a key without empty, "." or ".." parts, got "s3://bucket/a/../b"',
  ],
  [
    'a server whose one place is refused: that is its only fault',
    { ...ok, TLS_MODE: 'server', TLS_CERTPATH: 's3://' },
    'TLS_CERTPATH: expected s3:// and a bucket, as in s3://bucket/prefix, got "s3://"',
  ],
  [
    'a name that no certificate has',
    { ...ok, TLS_MODE: 'client', TLS_SERVER_NAME: 'not a name' },
    'TLS_SERVER_NAME: expected a host name or an IP address, got "not a name"',
  ],
  [
    'a version below the floor',
    { ...ok, TLS_MODE: 'client', TLS_MIN_VERSION: 'TLSv1.1' },
    'TLS_MIN_VERSION: expected TLSv1.2 or TLSv1.3, got "TLSv1.1"',
  ],
];

for (const [condition, env, report] of wrong) {
  test(`${condition} is refused with all it takes to mend it`, () => {
    assert.equal(
      reportOf(() => configure({ env })),
      report,
    );
  });
}

test('a mode of the command and another of a flag are a fault that names both', () => {
  const argv = ['tls-client', '--src', ':1', '--dst', 'a:1', '--tls-mode', 'server', '--tlscertpath', '/certs'];
  assert.match(
    reportOf(() => configure({ argv })),
    /tls-client.*--tls-mode|--tls-mode.*tls-client/,
  );
});

test('one file wins over the folder, and a service over the defaults', () => {
  const { services } = configure({
    env: {
      TLS_MODE: 'client',
      TLS_CERTPATH: '/default',
      TLS_CACERT: '/elsewhere/ca.pem',
      SRC_A: ':1',
      DST_A: 'a:1',
      SRC_B: ':2',
      DST_B: 'b:1',
      TLS_CERTPATH_B: '/b',
      TLS_KEY_B: 'file:///secrets/b%20key.pem',
      SRC_C: ':3',
      DST_C: 'c:1',
      TLS_MODE_C: 'off',
    },
  });
  const [a, b, c] = services.map(({ tls }) => tls);
  assert.ok(a?.mode === 'client' && b?.mode === 'client');
  const [ca, cert] = [file('/elsewhere/ca.pem'), file('/default/cert.pem')];
  assert.deepEqual(a.origins, { ca, cert, key: file('/default/key.pem') });
  assert.deepEqual(b.origins, { ca: file('/b/ca.pem'), cert: file('/b/cert.pem'), key: file('/secrets/b key.pem') });
  assert.deepEqual(c, { mode: 'off' });
});

test('a client may have no identity, and a server that asks for none reads no CA', () => {
  const [client] = configure({ env: { ...ok, TLS_MODE: 'client' } }).services;
  assert.ok(client?.tls.mode === 'client');
  assert.deepEqual(client.tls.origins, {});
  const [server] = configure({
    env: { ...ok, TLS_MODE: 'server', TLS_CLIENT_AUTH: 'none', TLS_CERTPATH: '/c' },
  }).services;
  assert.ok(server?.tls.mode === 'server');
  assert.deepEqual(server.tls.origins, { cert: file('/c/cert.pem'), key: file('/c/key.pem') });
});

test("the seed's GO_PROXY_ names and ambd's keys are the same settings", () => {
  const [seed] = configure({
    env: { ...ok, TLS_MODE: 'client', GO_PROXY_CERTPATH: '/seed', GO_PROXY_CA: '/ca.pem' },
  }).services;
  assert.ok(seed?.tls.mode === 'client');
  assert.deepEqual(seed.tls.origins.ca, file('/ca.pem'));
  assert.deepEqual(seed.tls.origins.cert, file('/seed/cert.pem'));
  const [ambd] = configure({
    env: {
      SERVICES: JSON.stringify([
        { name: 'a', src: ':1', dst: ['a:1'], tlsrole: 'client', tlscacert: 'c', tlscert: 'd', tlskey: 'e' },
      ]),
    },
  }).services;
  assert.ok(ambd?.tls.mode === 'client');
  assert.deepEqual(ambd.tls.origins, { ca: file('c'), cert: file('d'), key: file('e') });
});

test("cipher suites are each service's own, in any case, by colons or commas", () => {
  const { services } = configure({
    env: {
      TLS_MODE: 'client',
      TLS_CIPHERS: 'AES128-GCM-SHA256',
      TLS_STRICT_CLOSE: 'true',
      SRC_A: ':1',
      DST_A: 'a:1',
      SRC_B: ':2',
      DST_B: 'b:1',
      TLS_CIPHERS_B: 'ecdhe-rsa-aes128-gcm-sha256:TLS_AES_128_GCM_SHA256, AES256-SHA',
      TLS_STRICT_CLOSE_B: 'false',
    },
  });
  assert.deepEqual(
    services.map(({ tls }) => tls.mode === 'client' && [tls.ciphers, tls.strictClose]),
    [
      [['AES128-GCM-SHA256'], true],
      [['ECDHE-RSA-AES128-GCM-SHA256', 'TLS_AES_128_GCM_SHA256', 'AES256-SHA'], false],
    ],
  );
});

test('check shows what the TLS settings come to', () => {
  const text = describeConfig(
    configure({ env: { ...ok, TLS_MODE: 'server', TLS_CERTPATH: 's3://bucket/p', TLS_ALLOW: 'dns:*.prod, cn:web' } }),
  );
  for (const row of [
    /tls_mode +server/,
    /tls_key +s3:\/\/bucket\/p\/key\.pem/,
    /tls_client_auth +require/,
    /tls_strict_close +false/,
    /tls_allow +dns:\*\.prod, cn:web/,
    /tls_reload +1m/,
  ]) {
    assert.match(text, row);
  }
});
