import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { parseMaterialFolder } from '../../../src/core/material-origin.ts';
import { materialSource, type MaterialSource } from '../../../src/identity/sources.ts';
import { startAttache } from '../../support/attache.ts';
import {
  startContainerCredentials,
  startKeyedS3,
  startSts,
  type AwsKey,
  type KeyedS3,
  type Refusal,
} from '../../support/aws.ts';
import { createAuthority } from '../../support/certificates.ts';
import { errorOf } from '../../support/material.ts';
import { setEnvironment } from '../../support/s3.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { freePort, startEcho } from '../../support/tcp.ts';

const ALL = { ca: 'ca', cert: 'cert', key: 'key' };
const OLD: AwsKey = { id: 'AKIAOLD', secret: 'old' };
const NEW: AwsKey = { id: 'AKIANEW', secret: 'new' };
const OLD_SESSION: AwsKey = { id: 'ASIAOLD', secret: 'old', token: 'old-session' };
const NEW_SESSION: AwsKey = { id: 'ASIANEW', secret: 'new', token: 'new-session' };

const REFUSALS: readonly Refusal[] = [
  { status: 403, code: 'InvalidAccessKeyId' },
  { status: 400, code: 'ExpiredToken' },
  { status: 400, code: 'InvalidToken' },
  { status: 403, code: 'SignatureDoesNotMatch' },
  { status: 403, code: 'AccessDenied' },
  { status: 401, code: 'Unauthorized' },
  { status: 403, code: undefined },
];

suite('AWS credentials that were rotated', { timeout: 60_000 }, () => {
  for (const refusal of REFUSALS) {
    test(`promise 33: a key of the shared credentials file: ${refusal.status} ${refusal.code ?? 'alone'} has the file read anew`, async (t) => {
      const [s3, file] = [await startKeyedS3(t, OLD), await credentialsFile(t, OLD)];
      setEnvironment(t, { ...environmentOf(s3), AWS_SHARED_CREDENTIALS_FILE: file });
      const source = sourceOf(t);
      assert.deepEqual(await read(source), ALL);
      Object.assign(s3, { key: NEW, refusal });
      await writeKey(file, NEW);
      assert.deepEqual(await read(source), ALL);
      assert.deepEqual(s3.askedBy.slice(3), [OLD.id, NEW.id, NEW.id, NEW.id]);
    });
  }

  test('promise 33: a key of AWS_CONTAINER_CREDENTIALS_FULL_URI is asked for anew when it is refused', async (t) => {
    const s3 = await startKeyedS3(t, OLD_SESSION);
    const container = await startContainerCredentials(t, OLD_SESSION);
    setEnvironment(t, { ...environmentOf(s3), AWS_CONTAINER_CREDENTIALS_FULL_URI: `${container.url}/key` });
    const source = sourceOf(t);
    assert.deepEqual([await read(source), await read(source), container.asked], [ALL, ALL, 1]);
    Object.assign(s3, { key: NEW_SESSION, refusal: { status: 400, code: 'ExpiredToken' } });
    container.key = NEW_SESSION;
    assert.deepEqual([await read(source), container.asked], [ALL, 2]);
  });

  test('promise 33: with web identity STS is asked anew, with the token that is in the file now', async (t) => {
    const s3 = await startKeyedS3(t, OLD_SESSION);
    const sts = await startSts(t, 'old-identity', OLD_SESSION);
    const file = join(await scratchFolder(t), 'token');
    await writeFile(file, 'old-identity');
    setEnvironment(t, {
      ...environmentOf(s3),
      AWS_ENDPOINT_URL_STS: sts.url,
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/attache',
      AWS_WEB_IDENTITY_TOKEN_FILE: file,
    });
    const source = sourceOf(t);
    assert.deepEqual(await read(source), ALL);
    Object.assign(s3, { key: NEW_SESSION, refusal: { status: 403, code: 'InvalidAccessKeyId' } });
    Object.assign(sts, { identity: 'new-identity', key: NEW_SESSION });
    // The key is refused before the file has its new token: STS refuses the old one, and the next look finds the new one.
    const early = await errorOf(async () => read(source));
    assert.match(early.message, /expected AWS credentials to read it with, found none/);
    assert.equal(early.retryable, true);
    await writeFile(file, 'new-identity');
    assert.deepEqual(await read(source), ALL);
    assert.deepEqual([sts.askedBy[0], sts.askedBy.at(-1)], ['old-identity', 'new-identity']);
  });

  test('that are refused still cost one request more in each look, and no look begins with what was refused', async (t) => {
    const [s3, file] = [await startKeyedS3(t, OLD), await credentialsFile(t, OLD)];
    setEnvironment(t, { ...environmentOf(s3), AWS_SHARED_CREDENTIALS_FILE: file });
    const source = sourceOf(t);
    await read(source);
    s3.key = undefined;
    for (let look = 1; look <= 3; look += 1) {
      const before = s3.askedBy.length;
      const error = await errorOf(async () => read(source));
      assert.match(error.message, /\(403 InvalidAccessKeyId\)/);
      // Each of three objects, and one of them again.
      assert.equal(s3.askedBy.length - before, 4);
    }
    // Rotated between two looks.
    await writeKey(file, NEW);
    s3.key = NEW;
    const before = s3.askedBy.length;
    assert.deepEqual(await read(source), ALL);
    assert.deepEqual(s3.askedBy.slice(before), [NEW.id, NEW.id, NEW.id]);
  });

  test('a wrong clock is no reason to read credentials anew', async (t) => {
    const [s3, file] = [await startKeyedS3(t, OLD), await credentialsFile(t, OLD)];
    setEnvironment(t, { ...environmentOf(s3), AWS_SHARED_CREDENTIALS_FILE: file });
    Object.assign(s3, { key: undefined, refusal: { status: 403, code: 'RequestTimeTooSkewed' } });
    const error = await errorOf(async () => read(sourceOf(t)));
    assert.equal(error.retryable, true);
    assert.equal(s3.askedBy.length, 1);
  });
});

suite('a process whose AWS key was rotated', { timeout: 60_000 }, () => {
  const start = async (t: TestContext, s3: KeyedS3, more: Readonly<Record<string, string>>) => {
    const echo = await startEcho(t);
    return startAttache(t, {
      env: {
        ...environmentOf(s3),
        AWS_CONFIG_FILE: '/dev/null',
        AWS_EC2_METADATA_DISABLED: 'true',
        SRC: '127.0.0.1:0',
        DST: `127.0.0.1:${echo.port}`,
        TLS_MODE: 'server',
        TLS_CERTPATH: 's3://material/server',
        TLS_RELOAD: '0',
        ...more,
      },
    });
  };

  test('promise 33: reads the new one on SIGHUP, and on /reload', async (t) => {
    const [s3, file, authority] = [await startKeyedS3(t, OLD), await credentialsFile(t, OLD), await createAuthority(t)];
    const renew = async () => {
      const { certPath, keyPath } = await authority.issue('server');
      const paths = { ca: authority.caPath, cert: certPath, key: keyPath };
      for (const [name, path] of Object.entries(paths)) s3.objects.set(name, await readFile(path));
    };
    await renew();
    const admin = await freePort();
    const attache = await start(t, s3, { AWS_SHARED_CREDENTIALS_FILE: file, ADMIN_ADDR: `127.0.0.1:${admin}` });
    await attache.port();
    const loaded = (times: number) =>
      attache.line(({ msg, outcome }) => msg === 'tls material' && outcome === 'loaded', times);
    for (const [key, reload] of [
      [NEW, () => attache.child.kill('SIGHUP')],
      [OLD, async () => fetch(`http://127.0.0.1:${admin}/reload`, { method: 'POST' })],
    ] as const) {
      await renew();
      s3.key = key;
      await writeKey(file, key);
      await reload();
      await loaded(key === NEW ? 2 : 3);
    }
    assert.deepEqual(
      attache.lines.filter(({ level }) => level === 'error'),
      [],
    );
  });

  test('promise 33: reads it anew at the start, and exits 78 when S3 still denies access', async (t) => {
    const [s3, file] = [await startKeyedS3(t, NEW), await credentialsFile(t, OLD)];
    const attache = await start(t, s3, { AWS_SHARED_CREDENTIALS_FILE: file });
    assert.equal(await attache.exited, 78);
    assert.deepEqual(
      s3.askedBy,
      Array.from({ length: 4 }, () => OLD.id),
    );
  });
});

async function credentialsFile(t: TestContext, key: AwsKey): Promise<string> {
  const file = join(await scratchFolder(t), 'credentials');
  await writeKey(file, key);
  return file;
}

async function writeKey(file: string, { id, secret }: AwsKey): Promise<void> {
  await writeFile(file, `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`);
}

function environmentOf({ url }: KeyedS3) {
  return { AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL_S3: url };
}

function sourceOf(t: TestContext): MaterialSource {
  const parsed = parseMaterialFolder('s3://material/server');
  if (!parsed.ok) throw new Error(parsed.reason);
  const source = materialSource({ origins: parsed.origins });
  t.after(() => source.stop());
  return source;
}

async function read(source: MaterialSource): Promise<Readonly<Record<string, string>>> {
  const parts = await source.read(new AbortController().signal);
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, String(part.bytes)]));
}
