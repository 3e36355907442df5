import assert from 'node:assert/strict';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startAttache, type Attache } from '../../support/attache.ts';
import { helloOf, EXTENSIONS } from '../../support/client-hello.ts';
import { createAuthority, type CertificateFiles, type TestAuthority } from '../../support/certificates.ts';
import { startSClient, startSServer } from '../../support/openssl-peers.ts';
import { quotedUnder } from '../../support/quoted-lines.ts';
import { ACCOUNT, startS3 } from '../../support/s3.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { ask, connectTo, freePort, readAll, startNamed, startServer } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const TIMEOUT = { timeout: 60_000 };
const NOBODY =
  's3://material/server/ca.pem: expected AWS credentials to read it with, found none ' +
  '(CredentialsProviderError; asked: environment, profile, web identity, container, instance role)';

/** The program with one service on a free port. */
function start(t: TestContext, env: Readonly<Record<string, string>>): Attache {
  return startAttache(t, { env: { SRC: '127.0.0.1:0', ...env } });
}

/** A folder as `TLS_CERTPATH` wants it. */
async function folderOf(t: TestContext, authority: TestAuthority, identity: CertificateFiles): Promise<string> {
  const folder = await scratchFolder(t);
  await copyFile(authority.caPath, join(folder, 'ca.pem'));
  await copyFile(identity.certPath, join(folder, 'cert.pem'));
  await copyFile(identity.keyPath, join(folder, 'key.pem'));
  return folder;
}

function expired(authority: TestAuthority): Promise<CertificateFiles> {
  return authority.issue('server', ['DNS:localhost'], { notAfter: new Date(Date.now() - 60_000) });
}

test('troubleshooting: the app hangs', TIMEOUT, async (t) => {
  const quoted = quotedUnder('The app hangs');
  const held = start(t, { DST: '127.0.0.1:1', HOLD_TIMEOUT: '300ms' });
  await ask(await held.port());
  await quoted.said(held, { msg: 'holding clients: no candidate answers' });
  await quoted.said(held, { msg: 'no clients held any more' });

  const authority = await createAuthority(t);
  const silent = await startServer(t);
  const plain = start(t, {
    DST: `localhost:${silent.port}`,
    TLS_MODE: 'client',
    TLS_CACERT: authority.caPath,
    CONNECT_TIMEOUT: '200ms',
  });
  await askUntilTlsFails(plain);
  await quoted.said(plain, { msg: 'tls failed' });
  quoted.allWereSaid();
});

test('troubleshooting: TLS fails', TIMEOUT, async (t) => {
  const quoted = quotedUnder('TLS fails');
  const made = { authority: await createAuthority(t), other: await createAuthority(t) };
  const told = [...(await candidatesThatFail(t, made)), ...(await clientsThatFail(t, made))];
  const seen = await Promise.all(
    told.map(async ([attache, side, code]) => {
      await attache.line((line) => line.msg === 'tls failed' && line['side'] === side && line['code'] === code);
      return `${side} ${code}`;
    }),
  );
  for (const { side, code } of quoted.lines) {
    const attache = told.find(([, failed, found]) => failed === side && found === code)?.[0];
    assert.ok(attache !== undefined);
    await quoted.said(attache, { side, code });
  }
  quoted.allWereSaid();
  const rows = quoted.rows.flatMap(([[side = ''] = [], codes = []]) => codes.map((code) => `${side} ${code}`));
  assert.deepEqual(rows.toSorted(), seen.toSorted());
});

/** Of a short CONNECT_TIMEOUT nothing may be left for the handshake, when this machine is busy. */
async function askUntilTlsFails(attache: Attache): Promise<void> {
  const port = await attache.port();
  await eventually(
    async () => {
      await ask(port);
      return attache.lines.some(({ msg }) => msg === 'tls failed');
    },
    'a handshake fails',
    20_000,
  );
}

interface Authorities {
  readonly authority: TestAuthority;
  readonly other: TestAuthority;
}

type Failure = readonly [attache: Attache, side: 'candidate' | 'client', code: string];

async function candidatesThatFail(t: TestContext, { authority, other }: Authorities): Promise<readonly Failure[]> {
  const server = async ({ certPath, keyPath }: CertificateFiles, ...more: readonly string[]) =>
    (await startSServer(t, ['-cert', certPath, '-key', keyPath, ...more])).address.port;
  const named = await authority.issue('server', ['DNS:localhost']);
  const whole = await server(named, '-cert_chain', authority.caPath);
  const [silent, plain] = [await startServer(t), await startNamed(t, 'plain text of some length')];
  const cases = [
    ['SELF_SIGNED_CERT_IN_CHAIN', `localhost:${whole}`, other],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', `localhost:${await server(named)}`, other],
    ['ERR_TLS_CERT_ALTNAME_INVALID', `127.0.0.1:${whole}`, authority],
    ['CERT_HAS_EXPIRED', `localhost:${await server(await expired(authority))}`, authority],
    ['TIMEOUT', `localhost:${silent.port}`, authority],
    ['ERR_SSL_WRONG_VERSION_NUMBER', `localhost:${plain.port}`, authority],
  ] as const;
  return Promise.all(
    cases.map(async ([code, DST, { caPath }]): Promise<Failure> => {
      const CONNECT_TIMEOUT = code === 'TIMEOUT' ? '200ms' : '10s';
      const attache = start(t, { DST, TLS_MODE: 'client', TLS_CACERT: caPath, CONNECT_TIMEOUT });
      await askUntilTlsFails(attache);
      return [attache, 'candidate', code];
    }),
  );
}

async function clientsThatFail(t: TestContext, { authority, other }: Authorities): Promise<readonly Failure[]> {
  const TLS_CERTPATH = await folderOf(t, authority, await authority.issue('server', ['DNS:localhost']));
  const env = { DST: '127.0.0.1:1', TLS_MODE: 'server', TLS_CERTPATH, TLS_ALLOW: 'dns:other.internal' };
  const [attache, hasty] = [start(t, env), start(t, { ...env, CONNECT_TIMEOUT: '200ms' })];
  const port = await attache.port();
  const [plain, silent] = [await connectTo(port), await connectTo(await hasty.port())];
  plain.write('PING\r\n');
  await Promise.all([readAll(plain), readAll(silent)]);
  const own = ({ certPath, keyPath }: CertificateFiles) => ['-cert', certPath, '-key', keyPath];
  const [known, foreign] = [
    await authority.issue('client', ['DNS:client.internal']),
    await other.issue('client', ['DNS:client.internal']),
  ];
  for (const args of [[], own(known), own(foreign), [...own(foreign), '-cert_chain', other.caPath]])
    startSClient(t, port, args);
  startSClient(t, port, [...own(known), '-tls1_2', '-cipher', 'AES128-SHA:@SECLEVEL=0']);
  const crowded = start(t, { ...env, CONNECT_TIMEOUT: '60s' });
  await crowd(t, await crowded.port());
  return [
    [attache, 'client', 'ERR_SSL_NO_SHARED_CIPHER'],
    [crowded, 'client', 'CROWDED_OUT'],
    [attache, 'client', 'ERR_SSL_WRONG_VERSION_NUMBER'],
    [attache, 'client', 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE'],
    [attache, 'client', 'SELF_SIGNED_CERT_IN_CHAIN'],
    [attache, 'client', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    [attache, 'client', 'NOT_ALLOWED'],
    [hasty, 'client', 'TIMEOUT'],
  ];
}

/** More clients than may have a handshake under way, none of which goes on with it. */
async function crowd(t: TestContext, port: number): Promise<void> {
  for (let batch = 0; batch < 11; batch += 1) {
    const sockets = await Promise.all(Array.from({ length: 100 }, () => connectTo(port)));
    t.after(() => sockets.forEach((socket) => socket.destroy()));
    for (const socket of sockets) socket.write(helloOf('c02bc02f', EXTENSIONS));
  }
}

test('troubleshooting: certificates cannot be read', TIMEOUT, async (t) => {
  const quoted = quotedUnder('Certificates cannot be read');
  const authority = await createAuthority(t);
  const identity = await authority.issue('server', ['DNS:localhost']);
  const env = { DST: '127.0.0.1:1', TLS_MODE: 'server' };
  const late = start(t, { ...env, TLS_CERTPATH: await folderOf(t, authority, await expired(authority)) });
  await quoted.said(late, { level: 'fatal' });

  const folder = await folderOf(t, authority, identity);
  const renewed = start(t, { ...env, TLS_CERTPATH: folder });
  await renewed.port();
  await copyFile((await authority.issue('server')).keyPath, join(folder, 'key.pem'));
  renewed.child.kill('SIGHUP');
  await quoted.said(renewed, { outcome: 'refused' });

  const s3 = await startS3(t);
  const remote = {
    DST: 'localhost:1',
    TLS_MODE: 'client',
    TLS_CACERT: 's3://material/server/ca.pem',
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_S3: s3.url,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const none = 'expected an object that can be read, found none (404 NoSuchKey)';
  const denied = 'expected an object that can be read, found that access is denied (403 InvalidAccessKeyId)';
  await quoted.said(start(t, { ...remote, ...ACCOUNT }), { error: `${remote.TLS_CACERT}: ${none}` });
  await s3.put('material/server/ca.pem', await readFile(authority.caPath));
  const another = start(t, { ...remote, ...ACCOUNT, AWS_ACCESS_KEY_ID: 'ANOTHER' });
  await quoted.said(another, { error: `${remote.TLS_CACERT}: ${denied}` });
  await quoted.said(start(t, remote), { error: NOBODY });
  quoted.allWereSaid();

  const others = [
    [{ TLS_CACERT: '/nowhere/ca.pem' }, /found none \(ENOENT\)/],
    [{ TLS_CACERT: 's3://nowhere/ca.pem' }, /\(404 NoSuchBucket\)/],
    [{ AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${await freePort()}` }, /found no answer \(ECONNREFUSED\)/],
  ] as const;
  for (const [settings, found] of others) {
    const attache = start(t, { ...remote, ...ACCOUNT, ...settings });
    await attache.line(({ msg, error }) => msg === 'tls material' && found.test(String(error)));
  }
});
