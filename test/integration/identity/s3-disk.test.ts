import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAttache } from '../../support/attache.ts';
import { createAuthority } from '../../support/certificates.ts';
import { putMaterial, s3Environment, startS3 } from '../../support/s3.ts';
import { startEcho } from '../../support/tcp.ts';
import { connectTls, pemOf } from '../../support/tls-service.ts';

const [major = 0] = process.versions.node.split('.').map(Number);
/** Node's own guard: reading is allowed, every write of a file throws. */
const READ_ONLY = [major >= 24 ? '--permission' : '--experimental-permission', '--allow-fs-read=*'];

test('promise 32: material from S3 serves, and is loaded anew, in a process that may write no file', async (t) => {
  const [authority, s3, echo] = [await createAuthority(t), await startS3(t), await startEcho(t)];
  const [first, second] = [await authority.issue('server'), await authority.issue('server')];
  const put = (identity: typeof first) => putMaterial(s3, 'server', { caPath: authority.caPath, identity });
  await put(first);
  const attache = startAttache(t, {
    nodeArgs: READ_ONLY,
    env: {
      ...s3Environment(s3),
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
