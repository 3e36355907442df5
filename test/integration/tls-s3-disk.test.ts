import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { startAttache } from '../support/attache.ts';
import { createAuthority } from '../support/certificates.ts';
import { ACCOUNT, startS3 } from '../support/s3.ts';
import { startEcho } from '../support/tcp.ts';
import { connectTls, pemOf } from '../support/tls-service.ts';

const [major = 0] = process.versions.node.split('.').map(Number);
/** Node's own guard: reading is allowed, every write of a file throws. */
const READ_ONLY = [major >= 24 ? '--permission' : '--experimental-permission', '--allow-fs-read=*'];

test('promise 32: material from S3 serves, and is loaded anew, in a process that may write no file', async (t) => {
  const [authority, s3, echo] = [await createAuthority(t), await startS3(t), await startEcho(t)];
  const [first, second] = [await authority.issue('server'), await authority.issue('server')];
  const put = async ({ certPath, keyPath }: typeof first) => {
    await s3.put('material/server/ca.pem', await readFile(authority.caPath));
    await s3.put('material/server/cert.pem', await readFile(certPath));
    await s3.put('material/server/key.pem', await readFile(keyPath));
  };
  await put(first);
  const attache = startAttache(t, {
    nodeArgs: READ_ONLY,
    env: {
      ...ACCOUNT,
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_S3: s3.url,
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_EC2_METADATA_DISABLED: 'true',
      SRC: '127.0.0.1:0',
      DST: `127.0.0.1:${echo.port}`,
      TLS_MODE: 'server',
      TLS_CERTPATH: 's3://material/server',
      TLS_RELOAD: '0',
    },
  });
  const port = await attache.port();
  const web = pemOf({ caPath: authority.caPath, identity: await authority.issue('web') });
  const shown = async () => {
    const socket = await connectTls(port, web);
    const serial = socket.getPeerX509Certificate()?.serialNumber;
    socket.destroy();
    return serial;
  };
  const before = await shown();
  await put(second);
  attache.child.kill('SIGHUP');
  await attache.line(({ msg, outcome }) => msg === 'tls material' && outcome === 'loaded', 2);
  assert.notEqual(await shown(), before);
});
