import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { suite, test } from 'node:test';
import { parseMaterialFolder, type MaterialOrigins } from '../../../src/core/material-origin.ts';
import { parseMaterial } from '../../../src/identity/parse-material.ts';
import { materialSource } from '../../../src/identity/sources.ts';
import { createAuthority } from '../../support/certificates.ts';
import { shakeHands } from '../../support/handshake.ts';
import { keep, loadedSets } from '../../support/keeper.ts';
import { client, part, partsOf, server } from '../../support/material.ts';
import { ACCOUNT, s3Error, setEnvironment, startS3, type TestS3 } from '../../support/s3.ts';
import { createSecretVolume } from '../../support/secret-volume.ts';
import { eventually } from '../../support/wait.ts';

const LIMIT = { timeout: 60_000 } as const;

suite('rotation of material', LIMIT, () => {
  test('ten new pairs in a Secret, a broken one in the middle: each good one serves, the broken one never', async (t) => {
    const authority = await createAuthority(t);
    const ca = readFileSync(authority.caPath);
    const volume = await createSecretVolume(t);
    const publish = async (pair: Pair): Promise<void> => {
      await volume.publish({
        'ca.pem': ca,
        'cert.pem': readFileSync(pair.certPath),
        'key.pem': readFileSync(pair.keyPath),
      });
    };
    const dialer = await authority.issue('dialer');
    const parts = partsOf({ ca: authority.caPath, cert: dialer.certPath, key: dialer.keyPath });
    const dialing = parseMaterial({ purpose: client, parts });

    await publish(await authority.issue('pair-0', ['DNS:web']));
    const { keeper, reports } = keep(t, { source: sourceAt(volume.directory), reloadMs: 10 });
    await keeper.load();

    for (let n = 1; n <= 10; n++) {
      if (n === 5) {
        const [one, other] = [
          await authority.issue('broken', ['DNS:web']),
          await authority.issue('broken', ['DNS:web']),
        ];
        await publish({ certPath: one.certPath, keyPath: other.keyPath });
        await eventually(() => keeper.state.status === 'stale', 'the broken pair was seen');
        assert.equal(keeper.current?.leaf?.subject, 'CN=pair-4');
        const seen = await shakeHands({ server: keeper.current, client: dialing }, 'web');
        assert.equal(seen.server, 'CN=pair-4');
      }
      await publish(await authority.issue(`pair-${n}`, ['DNS:web']));
      await eventually(() => keeper.current?.leaf?.subject === `CN=pair-${n}`, `pair ${n} is in use`);
      const material = keeper.current;
      assert.ok(material !== undefined);
      const seen = await shakeHands({ server: material, client: dialing }, 'web');
      assert.deepEqual(seen, { server: `CN=pair-${n}`, client: 'CN=dialer' });
    }

    assert.deepEqual(
      loadedSets(reports).map(({ leaf }) => leaf?.subject),
      Array.from({ length: 11 }, (_, n) => `CN=pair-${n}`),
    );
    const { counters, status } = keeper.state;
    assert.equal(status, 'ready');
    assert.equal(counters.loaded, 11);
    assert.ok(counters.refused > 0);
    assert.equal(counters.unavailable, 0);
    const failures = reports.filter(({ kind }) => kind === 'failed');
    assert.equal(failures.length, 1, 'the broken pair is told of once');
    assert.match(JSON.stringify(failures), /tls_material_invalid/);
  });

  test('under a burst of rotations no mixture is ever taken into use', async (t) => {
    const authorities = [await createAuthority(t), await createAuthority(t), await createAuthority(t)];
    const sets = await Promise.all(
      authorities.map(async (authority, n) => {
        const { certPath, keyPath } = await authority.issue(`set-${n}`);
        return {
          'ca.pem': readFileSync(authority.caPath),
          'cert.pem': readFileSync(certPath),
          'key.pem': readFileSync(keyPath),
        };
      }),
    );
    const volume = await createSecretVolume(t);
    const publish = (n: number): Promise<void> => volume.publish(sets[n % sets.length] ?? {});
    await publish(0);
    const { keeper, reports } = keep(t, { source: sourceAt(volume.directory), reloadMs: 1 });
    await keeper.load();
    const whole = new Map(
      sets.map((set, n) => {
        const parts = {
          ca: part('ca', set['ca.pem']),
          cert: part('cert', set['cert.pem']),
          key: part('key', set['key.pem']),
        };
        return [`CN=set-${n}`, parseMaterial({ purpose: server, parts }).fingerprint];
      }),
    );
    for (let n = 1; n <= 200; n++) await publish(n);
    await keeper.reload();
    assert.equal(keeper.current?.leaf?.subject, `CN=set-${200 % sets.length}`);
    for (const { leaf, fingerprint } of loadedSets(reports)) {
      assert.equal(fingerprint, whole.get(leaf?.subject ?? ''), leaf?.subject);
    }
    assert.deepEqual([keeper.state.counters.refused, keeper.state.status], [0, 'ready']);
    assert.ok(keeper.state.counters.loaded > 3);
  });
});

suite('material kept from S3', LIMIT, () => {
  test('trouble at the start is waited out; a missing object later keeps what is there', async (t) => {
    const s3 = await startS3(t);
    await publish(s3, await createAuthority(t));
    s3.answer(s3Error(500, 'InternalError'), s3Error(503, 'SlowDown'), (_, response) => response.destroy());
    const { keeper, reports } = keep(t, { source: sourceAt('s3://material/web') });
    const material = await keeper.load();
    assert.equal(material.leaf?.subject, 'CN=s3');
    assert.deepEqual(keeper.state.counters, { loaded: 1, refused: 0, unavailable: 3 });
    s3.answer(s3Error(404, 'NoSuchKey'));
    await keeper.reload();
    assert.ok(keeper.state.status === 'stale' && keeper.state.material === material);
    assert.match(keeper.state.error, /^s3:\/\/material\/web\/ca\.pem: .* found none \(404 NoSuchKey\)$/);
    await keeper.reload();
    assert.equal(keeper.current, material);
    assert.equal(reports.at(-1)?.kind, 'recovered');
    assert.deepEqual(s3.statuses.slice(-3), [304, 304, 304]);
  });

  test('what is missing at the start is final', async (t) => {
    const s3 = await startS3(t);
    s3.answer(s3Error(503, 'SlowDown'));
    const { keeper } = keep(t, { source: sourceAt('s3://material/web') });
    await assert.rejects(keeper.load(), { code: 'tls_material_unavailable', retryable: false });
    assert.equal(keeper.state.counters.unavailable, 2);
  });

  test('credentials that the network has later are waited for', async (t) => {
    const s3 = await startS3(t);
    await publish(s3, await createAuthority(t));
    let isUp = false;
    let asked = 0;
    const provider = createServer((_, response) => {
      asked += 1;
      if (!isUp) return response.writeHead(503).end();
      const { AWS_ACCESS_KEY_ID: AccessKeyId, AWS_SECRET_ACCESS_KEY: SecretAccessKey } = ACCOUNT;
      const Expiration = new Date(Date.now() + 3_600_000).toISOString();
      return response.end(JSON.stringify({ AccessKeyId, SecretAccessKey, Token: 'token', Expiration }));
    });
    provider.listen(0, '127.0.0.1');
    await once(provider, 'listening');
    t.after(() => provider.close());
    const url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/credentials`;
    setEnvironment(t, {
      AWS_ENDPOINT_URL_S3: s3.url,
      AWS_REGION: 'us-east-1',
      AWS_CONTAINER_CREDENTIALS_FULL_URI: url,
    });
    const { keeper } = keep(t, { source: sourceAt('s3://material/web') });
    const loading = keeper.load();
    await eventually(() => keeper.state.counters.unavailable > 0, 'there were none');
    assert.ok(keeper.state.status === 'loading' && asked > 0);
    assert.match(keeper.state.error ?? '', /expected AWS credentials to read it with, found none/);
    isUp = true;
    assert.equal((await loading).leaf?.subject, 'CN=s3');
  });
});

interface Pair {
  readonly certPath: string;
  readonly keyPath: string;
}

function sourceAt(folder: string): ReturnType<typeof materialSource> {
  return materialSource({ origins: originsAt(folder) });
}

function originsAt(folder: string): MaterialOrigins {
  const parsed = parseMaterialFolder(folder);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.origins;
}

async function publish(s3: TestS3, authority: Awaited<ReturnType<typeof createAuthority>>): Promise<void> {
  const { certPath, keyPath } = await authority.issue('s3');
  await s3.put('material/web/ca.pem', readFileSync(authority.caPath));
  await s3.put('material/web/cert.pem', readFileSync(certPath));
  await s3.put('material/web/key.pem', readFileSync(keyPath));
}
