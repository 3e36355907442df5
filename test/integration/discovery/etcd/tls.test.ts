import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { createAuthority } from '../../../support/certificates.ts';
import { memberKey, startSource } from '../../../support/etcd-source.ts';
import { startEtcd } from '../../../support/etcd.ts';

test('etcd with TLS and client certificates: listed and watched', async (t) => {
  const authority = await createAuthority(t);
  const [server, client] = [await authority.issue('etcd-server'), await authority.issue('etcd-client')];
  const etcd = await startEtcd(t, { tls: { caPath: authority.caPath, server, client } });
  await etcd.api.put(memberKey('10.0.0.1:1'));

  for (const host of ['127.0.0.1', 'localhost']) {
    await t.test(`by ${host}`, async (t) => {
      const { recorder } = startSource(t, {
        endpoints: [`https://${host}:${etcd.port}`],
        caCertPath: authority.caPath,
        ...client,
      });
      await recorder.untilStatus('synced');
      await etcd.api.put(memberKey('10.0.0.2:1'));
      await recorder.untilSet(['10.0.0.1:1', '10.0.0.2:1']);
    });
  }

  await t.test('without a client certificate it is refused, and says so', async (t) => {
    const { recorder } = startSource(t, { endpoints: [etcd.url], caCertPath: authority.caPath });
    await recorder.untilStatus('starting', { error: /127\.0\.0\.1:\d+/ });
    assert.equal(recorder.current, undefined);
  });

  await t.test('a server certificate of another authority is refused, and says so', async (t) => {
    const other = await createAuthority(t);
    const { recorder } = startSource(t, { endpoints: [etcd.url], caCertPath: other.caPath, ...client });
    await recorder.untilStatus('starting', { error: /^(UNABLE_TO_VERIFY|SELF_SIGNED|CERT_)/ });
  });

  await t.test('unusable files are named, and used as soon as they are right', async (t) => {
    const late = await authority.issue('late');
    const { certPath, keyPath } = client;
    const { recorder } = startSource(t, {
      endpoints: [etcd.url],
      caCertPath: authority.caPath,
      certPath: `${certPath}.not-there`,
      keyPath,
    });
    await recorder.untilStatus('starting', { error: /^ENOENT: .*not-there/ });

    const good = await readFile(late.certPath);
    await writeFile(late.certPath, 'not a certificate');
    const { recorder: second } = startSource(t, {
      endpoints: [etcd.url],
      caCertPath: authority.caPath,
      certPath: late.certPath,
      keyPath: late.keyPath,
    });
    await second.untilStatus('starting', { error: /^ERR_OSSL|PEM/ });
    await writeFile(late.certPath, good);
    await second.untilStatus('synced');
  });
});
