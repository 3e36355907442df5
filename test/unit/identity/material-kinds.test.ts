import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { inspect } from 'node:util';
import { contextOptionsOf } from '../../../src/identity/context-options.ts';
import type { TlsMaterial } from '../../../src/identity/material.ts';
import { parseMaterial } from '../../../src/identity/parse-material.ts';
import { createAuthority, type KeyDetails } from '../../support/certificates.ts';
import { shakeHands } from '../../support/handshake.ts';
import { client, part, partsOf, server } from '../../support/material.ts';

suite('TLS material', () => {
  test('keys of every kind and format are accepted, and serve', async (t) => {
    const kinds: readonly KeyDetails[] = [
      { type: 'rsa', format: 'traditional' },
      { type: 'rsa', format: 'pkcs8' },
      { type: 'ec', format: 'traditional' },
      { type: 'ec', format: 'pkcs8' },
      { type: 'ed25519' },
    ];
    const authority = await createAuthority(t);
    for (const key of kinds) {
      const { certPath, keyPath } = await authority.issue('web', ['DNS:web'], { key });
      const parts = partsOf({ ca: authority.caPath, cert: certPath, key: keyPath });
      const pair = {
        server: parseMaterial({ purpose: server, parts }),
        client: parseMaterial({ purpose: client, parts }),
      };
      assert.deepEqual([...pair.server.warnings, ...pair.client.warnings], [], JSON.stringify(key));
      const seen = await shakeHands(pair, 'web');
      assert.deepEqual([seen.server, seen.client], ['CN=web', 'CN=web'], JSON.stringify(key));
    }
  });

  test('a chain of any length is served whole', async (t) => {
    const root = await createAuthority(t);
    const middle = await root.intermediate('middle');
    const low = await middle.intermediate('low');
    const files = await low.issue('web', ['DNS:web']);
    const parts = partsOf({ ca: root.caPath, cert: files.chainPath, key: files.keyPath });
    const pair = {
      server: parseMaterial({ purpose: server, parts }),
      client: parseMaterial({ purpose: client, parts }),
    };
    assert.deepEqual(pair.server.warnings, []);
    assert.deepEqual(await shakeHands(pair, 'web'), { server: 'CN=web', client: 'CN=web' });
  });

  test('several authorities in one file, text between them: each is trusted', async (t) => {
    const [one, two] = [await createAuthority(t), await createAuthority(t)];
    const [a, b] = [await one.issue('a', ['DNS:a']), await two.issue('b', ['DNS:b'])];
    const ca = part(
      '/ca.pem',
      `# one\n${readFileSync(one.caPath, 'utf8')}\r\n# two\n${readFileSync(two.caPath, 'utf8')}`,
    );
    const material = (files: { certPath: string; keyPath: string }, purpose: typeof server | typeof client) =>
      parseMaterial({ purpose, parts: { ...partsOf({ cert: files.certPath, key: files.keyPath }), ca } });
    const pair = { server: material(a, server), client: material(b, client) };
    assert.deepEqual(await shakeHands(pair, 'a'), { server: 'CN=a', client: 'CN=b' });
  });

  test('a certificate of an authority that is not in the file is refused in the handshake', async (t) => {
    const [one, two] = [await createAuthority(t), await createAuthority(t)];
    const [a, b] = [await one.issue('a', ['DNS:a']), await two.issue('b', ['DNS:b'])];
    const serving = partsOf({ ca: one.caPath, cert: a.certPath, key: a.keyPath });
    const dialing = partsOf({ ca: one.caPath, cert: b.certPath, key: b.keyPath });
    const pair = {
      server: parseMaterial({ purpose: server, parts: serving }),
      client: parseMaterial({ purpose: client, parts: dialing }),
    };
    await assert.rejects(shakeHands(pair, 'a'), { code: /UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER/ });
  });

  test('an EC PARAMETERS block before the key, and a certificate beside it, are no hindrance', async (t) => {
    const authority = await createAuthority(t);
    const { certPath, keyPath } = await authority.issue('web', ['DNS:web'], { key: { format: 'traditional' } });
    const both = part('/both.pem', `${EC_PARAMETERS}${readFileSync(keyPath, 'utf8')}${readFileSync(certPath, 'utf8')}`);
    const material = parseMaterial({
      purpose: server,
      parts: { ...partsOf({ ca: authority.caPath }), cert: both, key: both },
    });
    assert.equal(material.leaf?.subject, 'CN=web');
    assert.deepEqual((await shakeHands({ server: material, client: material }, 'web')).server, 'CN=web');
  });

  test('in the client role an authority alone will do, and nothing at all means the usual roots', async (t) => {
    const authority = await createAuthority(t);
    const some = parseMaterial({ purpose: client, parts: partsOf({ ca: authority.caPath }) });
    const none = parseMaterial({ purpose: client, parts: {} });
    for (const material of [some, none]) {
      assert.equal(material.leaf, undefined);
      assert.equal(material.notAfterMs, undefined);
    }
    assert.ok(!('ca' in contextOptionsOf({ purpose: client, pem: {}, fingerprint: none.fingerprint })));
    const { certPath, keyPath } = await authority.issue('web', ['DNS:web']);
    const parts = partsOf({ ca: authority.caPath, cert: certPath, key: keyPath });
    const strange = { server: parseMaterial({ purpose: server, parts }), client: none };
    await assert.rejects(shakeHands(strange, 'web'), {
      code: /SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE/,
    });
  });

  test('in the server role without client certificates no authority is needed', async (t) => {
    const authority = await createAuthority(t);
    const { certPath, keyPath } = await authority.issue('web');
    const parts = partsOf({ cert: certPath, key: keyPath });
    assert.equal(parseMaterial({ purpose: { ...server, clientAuth: 'none' }, parts }).leaf?.subject, 'CN=web');
  });
});

suite('what TLS material says of itself', () => {
  test('subject, names, serial and time of the leaf; the earliest end of the chain', async (t) => {
    const end = new Date(Math.floor(Date.now() / 1000) * 1000 + 24 * 3_600_000);
    const later = new Date(end.getTime() + 3_600_000);
    const root = await createAuthority(t);
    const low = await root.intermediate('low', { notAfter: end });
    const files = await low.issue('web', ['DNS:Web.Internal', 'URI:spiffe://prod/web', 'IP:10.0.0.7', 'IP:::1'], {
      subject: '/O=acme/CN=web',
      notAfter: later,
    });
    const parts = partsOf({ ca: root.caPath, cert: files.chainPath, key: files.keyPath });
    const { leaf, notAfterMs } = parseMaterial({ purpose: server, parts });
    assert.equal(leaf?.subject, 'O=acme, CN=web');
    assert.deepEqual(leaf.names, {
      dns: ['Web.Internal'],
      uris: ['spiffe://prod/web'],
      ips: ['10.0.0.7', '::1'],
      commonName: 'web',
    });
    assert.match(leaf.serial, /^[0-9A-F]{8,}$/);
    assert.equal(leaf.notAfterMs, later.getTime());
    assert.ok(leaf.notBeforeMs < Date.now());
    assert.equal(notAfterMs, end.getTime());
  });

  test('the same bytes have the same fingerprint, another byte in any part another', async (t) => {
    const { material, parts } = await sample(t);
    assert.equal(parseMaterial({ purpose: server, parts }).fingerprint, material.fingerprint);
    for (const name of ['ca', 'cert', 'key'] as const) {
      const touched = part('/x', `${String(parts[name]?.bytes)}\n`);
      const other = parseMaterial({ purpose: server, parts: { ...parts, [name]: touched } });
      assert.notEqual(other.fingerprint, material.fingerprint, name);
    }
  });

  test('it is frozen, and no log of it shows the key', async (t) => {
    const { material, parts } = await sample(t);
    assert.ok(Object.isFrozen(material) && Object.isFrozen(material.leaf));
    const secret = String(parts.key?.bytes).split('\n')[1] ?? '';
    assert.ok(secret.length > 20);
    for (const shown of [
      JSON.stringify(material),
      inspect(material, { depth: 9, showHidden: true }),
      JSON.stringify({ ...material }),
    ]) {
      assert.ok(!shown.includes(secret), shown);
    }
  });
});

async function sample(
  t: Parameters<typeof createAuthority>[0],
): Promise<{ material: TlsMaterial; parts: ReturnType<typeof partsOf> }> {
  const authority = await createAuthority(t);
  const { certPath, keyPath } = await authority.issue('web');
  const parts = partsOf({ ca: authority.caPath, cert: certPath, key: keyPath });
  return { material: parseMaterial({ purpose: server, parts }), parts };
}

/** P-256, as `openssl ecparam -genkey` writes it before the key. */
const EC_PARAMETERS = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
