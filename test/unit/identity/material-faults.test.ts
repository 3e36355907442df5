import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test, type TestContext } from 'node:test';
import type { MaterialParts } from '../../../src/identity/parts.ts';
import { parseMaterial } from '../../../src/identity/parse-material.ts';
import { createAuthority, type CertificateDetails, type TestAuthority } from '../../support/certificates.ts';
import { client, errorOf, part, partsOf, server } from '../../support/material.ts';

const HOUR_MS = 3_600_000;

suite('TLS material that is no good is refused, with its place, what was expected and what was found', () => {
  test('an authority file that holds only a key', async (t) => {
    const { parts } = await good(t);
    const ca = { ...parts.ca, origin: '/tls/ca.pem', bytes: parts.key.bytes };
    await refuses({ ...parts, ca }, '/tls/ca.pem: expected at least one certificate, found one PRIVATE KEY');
  });

  test('files that are no PEM, or only the beginning of one', async (t) => {
    const { parts } = await good(t);
    const text = parts.cert.bytes.toString();
    const der = Buffer.from(text.replace(/-----.*-----|\s/g, ''), 'base64');
    const wrong: readonly (readonly [content: string | Buffer, found: string])[] = [
      ['', 'an empty file'],
      ['hello', 'no PEM block'],
      [der, 'binary data \\(DER\\?\\)'],
      [text.slice(0, -30), 'a PEM block without its END line'],
      [`${text}${text.slice(0, 200)}`, 'a PEM block without its END line'],
      [`${text.slice(0, 200)}\n${text}`, 'a PEM block without its END line'],
    ];
    for (const [content, found] of wrong) {
      for (const name of ['ca', 'cert', 'key'] as const) {
        const what = name === 'key' ? 'a private key' : 'certificates';
        const faulty = { ...parts, [name]: part('/tls/x.pem', content) };
        await refuses(faulty, new RegExp(`^/tls/x.pem: expected ${what} in PEM, found ${found}$`));
      }
    }
  });

  test('blocks whose content cannot be read, though good ones are beside them', async (t) => {
    const { parts } = await good(t);
    const text = parts.cert.bytes.toString();
    const broken = text.replace(/\n[^\n]{20}/, '\nAAAAAAAAAAAAAAAAAAAA');
    const which = (origin: string): string =>
      `${origin}: expected certificates, found one that cannot be read (number 2 of 2)`;
    await refuses({ ...parts, cert: part('/c.pem', text + broken) }, which('/c.pem'));
    await refuses({ ...parts, ca: part('/ca.pem', text + broken) }, which('/ca.pem'));
    const key = parts.key.bytes.toString().replace(/\n[^\n]{20}/, '\nAAAAAAAAAAAAAAAAAAAA');
    const unreadable = '/k.pem: expected a private key in PKCS#8, PKCS#1 or SEC1, found an unreadable PRIVATE KEY';
    await refuses({ ...parts, key: part('/k.pem', key) }, unreadable);
  });

  test('a key of another certificate', async (t) => {
    const { parts, authority } = await good(t);
    const { keyPath } = await authority.issue('other');
    const message = `${keyPath}: expected the key of the certificate in ${parts.cert.origin} (CN=web), found another`;
    await refuses({ ...parts, ...partsOf({ key: keyPath }) }, message);
  });

  test('a key of another type', async (t) => {
    const { parts, authority } = await good(t);
    const { keyPath } = await authority.issue('other', [], { key: { type: 'ed25519' } });
    await refuses(
      { ...parts, ...partsOf({ key: keyPath }) },
      /expected the key of the certificate in .* found another$/,
    );
  });

  test('encrypted keys, in PKCS#8 and in the old form, with the way out', async (t) => {
    const { parts, authority } = await good(t);
    for (const format of ['pkcs8', 'traditional'] as const) {
      const key = { type: 'rsa', format, passphrase: 'open sesame' } as const;
      const { keyPath } = await authority.issue('locked', [], { key });
      const fault = await refuses(
        { ...parts, ...partsOf({ key: keyPath }) },
        /key\.pem: expected a private key without a passphrase, found an encrypted one; decrypt it by: openssl pkey /,
      );
      assert.ok(!fault.includes('sesame'));
    }
  });

  test('no key where one belongs, several keys, a public key, a certificate file of keys', async (t) => {
    const { parts } = await good(t);
    const [cert, key] = [parts.cert.bytes.toString(), parts.key.bytes.toString()];
    const publicKey = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n';
    await refuses({ ...parts, key: part('/k', cert) }, '/k: expected a private key, found one CERTIFICATE');
    await refuses({ ...parts, key: part('/k', publicKey) }, '/k: expected a private key, found one PUBLIC KEY');
    await refuses({ ...parts, key: part('/k', key + key) }, '/k: expected one private key, found 2');
    await refuses(
      { ...parts, cert: part('/c', key + key) },
      '/c: expected at least one certificate, found 2 times PRIVATE KEY',
    );
  });

  test('an own certificate that has expired, or is not valid yet', async (t) => {
    const past = { notBefore: new Date(Date.now() - 3 * HOUR_MS), notAfter: new Date(Date.now() - HOUR_MS) };
    const future = { notBefore: new Date(Date.now() + HOUR_MS), notAfter: new Date(Date.now() + 3 * HOUR_MS) };
    const TIME = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ';
    const valid = `expected a certificate that is valid now \\(${TIME}\\)`;
    const old = await good(t, past);
    await refuses(
      old.parts,
      new RegExp(`^${old.parts.cert.origin}: ${valid}, found one that expired at ${TIME} \\(CN=web\\)$`),
    );
    const early = await good(t, future);
    await refuses(early.parts, new RegExp(`${valid}, found one that is valid only from ${TIME} on \\(CN=web\\)$`));
    const later = Date.now() + 2 * HOUR_MS;
    assert.equal(parseMaterial({ purpose: server, parts: early.parts, now: later }).leaf?.subject, 'CN=web');
  });

  test('authorities that have all expired', async (t) => {
    const { parts } = await good(t);
    const old = await createAuthority(t, { notAfter: new Date(Date.now() - HOUR_MS / 2) });
    await refuses({ ...parts, ...partsOf({ ca: old.caPath }) }, /found one that expired at .* \(CN=test-ca\)$/);
  });

  test('a chain whose leaf is not first', async (t) => {
    const root = await createAuthority(t);
    const low = await root.intermediate('low');
    const { certPath, chainPath, keyPath } = await low.issue('web');
    const [leaf, chain] = [readFileSync(certPath, 'utf8'), readFileSync(chainPath, 'utf8')];
    const parts = {
      ...partsOf({ ca: root.caPath, key: keyPath }),
      cert: part('/c.pem', chain.replace(leaf, '') + leaf),
    };
    const message = '/c.pem: expected the leaf first and its issuers after it, found the leaf as certificate 2 of 2';
    await refuses(parts, message);
  });

  test('a key that is too short for OpenSSL', async (t) => {
    const { parts, authority } = await good(t);
    const weak = await authority.issue('weak', [], { key: { type: 'rsa-512' } });
    const small = { ...parts, ...partsOf({ cert: weak.certPath, key: weak.keyPath }) };
    await refuses(
      small,
      /weak-.*\.pem: expected material that OpenSSL accepts, found that OpenSSL says ERR_SSL_EE_KEY_TOO_SMALL$/,
    );
  });

  test('parts that a role needs and does not have', async (t) => {
    const { parts } = await good(t);
    const { ca, cert, key } = parts;
    await refuses(
      {},
      ['ca', 'cert', 'key'].map((name) => `${name}: expected one in the server role, found none`).join('\n'),
    );
    await refuses({ cert, key }, 'ca: expected one in the server role, found none');
    const dialing = (some: MaterialParts) => errorOf(() => parseMaterial({ purpose: client, parts: some }));
    assert.equal((await dialing({ ca, cert })).message, `key: expected the key of ${cert.origin}, found none`);
    assert.equal((await dialing({ ca, key })).message, `cert: expected the certificate of ${key.origin}, found none`);
  });

  test('several faults are told at once', async (t) => {
    const { parts } = await good(t);
    const error = await errorOf(() =>
      parseMaterial({
        purpose: server,
        parts: { ca: part('/ca', ''), cert: part('/cert', 'x'), key: part('/key', String(parts.cert.bytes)) },
      }),
    );
    assert.deepEqual(
      error.faults.map(({ origin }) => origin),
      ['/ca', '/cert', '/key'],
    );
    assert.equal(error.code, 'tls_material_invalid');
    assert.equal(error.retryable, false);
  });
});

suite('TLS material that peers may refuse is accepted with a warning', () => {
  test('extended key usages without the one of the role', async (t) => {
    const onlyClient = await good(t, { usages: ['clientAuth'] });
    const warned = parseMaterial({ purpose: server, parts: onlyClient.parts }).warnings;
    const expected =
      'expected serverAuth among the extended key usages of a server, found clientAuth: peers may refuse it';
    assert.deepEqual(warned, [`${onlyClient.parts.cert.origin}: ${expected}`]);
    assert.deepEqual(parseMaterial({ purpose: client, parts: onlyClient.parts }).warnings, []);
    const other = await good(t, { usages: ['codeSigning', 'serverAuth'] });
    assert.match(
      parseMaterial({ purpose: client, parts: other.parts }).warnings.join(),
      /expected clientAuth .* found 1\.3\.6\.1\.5\.5\.7\.3\.3, serverAuth/,
    );
  });

  test('no warning without the extension, or with any usage allowed', async (t) => {
    for (const usages of [[], ['anyExtendedKeyUsage']]) {
      const { parts } = await good(t, { usages });
      assert.deepEqual(parseMaterial({ purpose: server, parts }).warnings, []);
    }
  });

  test('a chain with a stranger in it, or an expired issuer', async (t) => {
    const root = await createAuthority(t);
    const low = await root.intermediate('low', { notAfter: new Date(Date.now() - HOUR_MS / 2) });
    const { certPath, chainPath, keyPath } = await low.issue('web');
    const parts = partsOf({ ca: root.caPath, cert: chainPath, key: keyPath });
    const expired = parseMaterial({ purpose: server, parts });
    assert.equal(expired.warnings.length, 1);
    assert.match(expired.warnings.join(), /found one that expired at .* \(CN=low\)$/);
    assert.ok((expired.notAfterMs ?? Infinity) < Date.now());
    const stranger = part('/c.pem', readFileSync(certPath, 'utf8') + readFileSync(root.caPath, 'utf8'));
    const { warnings } = parseMaterial({ purpose: server, parts: { ...parts, cert: stranger } });
    assert.deepEqual(warnings, [
      '/c.pem: expected each certificate to be followed by its issuer, found that number 2 is not the issuer of number 1',
    ]);
  });

  test('an expired authority beside a good one, and one that is no authority', async (t) => {
    const { parts, authority } = await good(t);
    const old = await createAuthority(t, { notAfter: new Date(Date.now() - HOUR_MS / 2), subject: '/CN=old' });
    const leaf = await authority.issue('leaf');
    const files = [old.caPath, authority.caPath, leaf.certPath].map((path) => readFileSync(path, 'utf8'));
    const { warnings } = parseMaterial({ purpose: server, parts: { ...parts, ca: part('/ca.pem', files.join('')) } });
    assert.equal(warnings.length, 2);
    assert.match(warnings[0] ?? '', /^\/ca\.pem: expected .* found one that expired at .* \(CN=old\)$/);
    assert.equal(
      warnings[1],
      '/ca.pem: expected certificates of authorities, found one that is not an authority (CN=leaf)',
    );
  });
});

/** The message, once it is as it should be; no fault may show any of the key's text. */
async function refuses(parts: MaterialParts, message: string | RegExp): Promise<string> {
  const error = await errorOf(() => parseMaterial({ purpose: server, parts }));
  assert.equal(error.code, 'tls_material_invalid');
  if (typeof message === 'string') assert.equal(error.message, message);
  else assert.match(error.message, message);
  for (const line of String(parts.key?.bytes).split('\n')) {
    if (line.length > 8 && !line.startsWith('-----')) assert.ok(!error.message.includes(line));
  }
  assert.equal(error.cause, undefined);
  return error.message;
}

type Whole = Required<MaterialParts>;

async function good(
  t: TestContext,
  details: CertificateDetails = {},
): Promise<{ readonly parts: Whole; readonly authority: TestAuthority }> {
  const authority = await createAuthority(t);
  const { certPath, keyPath } = await authority.issue('web', ['DNS:web'], details);
  return { parts: partsOf({ ca: authority.caPath, cert: certPath, key: keyPath }) as Whole, authority };
}
