import assert from 'node:assert/strict';
import { createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { suite, test, type TestContext } from 'node:test';
import { parsePeerRule } from '../../../src/core/peer-rule.ts';
import { peerName, peerPolicy } from '../../../src/identity/peer.ts';
import { createAuthority, type CertificateDetails } from '../../support/certificates.ts';

/** Tags of GeneralName (RFC 5280, 4.2.1.6). */
const [EMAIL, DNS, URI] = [1, 2, 6] as const;

suite('a peer policy', () => {
  test('lets in a certificate that has one of the names, and no other', async (t) => {
    const names = ['DNS:api.Prod.internal', 'DNS:api', 'URI:spiffe://prod/web', 'IP:10.0.0.7', 'IP:2001:db8::7'];
    const certificate = await issue(t, names);
    const permitted = [
      'dns:api.prod.internal',
      'dns:API.prod.internal.',
      'dns:*.prod.internal',
      'dns:api.*.internal',
      'dns:*.*.internal',
      'dns:api',
      'uri:spiffe://prod/web',
      'ip:10.0.0.7',
      'ip:2001:DB8:0::7',
      'cn:web',
    ];
    const refused = [
      'dns:web',
      'dns:prod.internal',
      'dns:*.internal',
      'dns:*.api.prod.internal',
      'dns:api.prod.internal.com',
      'dns:*.prod',
      'uri:spiffe://prod/we',
      'uri:spiffe://prod/web/',
      'uri:SPIFFE://prod/web',
      'uri:api:prod',
      'ip:10.0.0.8',
      'ip:::ffff:10.0.0.7',
      'cn:Web',
      'cn:api.Prod.internal',
      'cn:we',
    ];
    for (const rule of permitted) assert.ok(policy(rule).permits(certificate), rule);
    for (const rule of refused) assert.ok(!policy(rule).permits(certificate), rule);
    assert.ok(!policy(...refused).permits(certificate));
    assert.ok(policy(...refused, 'cn:web').permits(certificate));
  });

  test('without rules lets in everybody; with one nobody without a certificate', async (t) => {
    assert.ok(peerPolicy([]).permits(undefined));
    assert.ok(peerPolicy([]).permits(await issue(t, [])));
    assert.ok(!policy('cn:web').permits(undefined));
  });

  test('does not take a wildcard in a certificate for a name', async (t) => {
    const certificate = await issue(t, ['DNS:*.prod.internal', 'DNS:*']);
    for (const rule of ['dns:web.prod.internal', 'dns:*.prod.internal', 'dns:*.*.internal', 'dns:web']) {
      assert.ok(!policy(rule).permits(certificate), rule);
    }
  });

  test('does not take the name of one kind for that of another', async (t) => {
    const certificate = await issue(t, ['URI:dns:good', 'DNS:spiffe.prod', 'email:good@x.y'], {
      subject: '/O=DNS:good/CN=DNS:good',
    });
    for (const rule of ['dns:good', 'dns:dns.good', 'uri:spiffe.prod:x', 'cn:good']) {
      assert.ok(!policy(rule).permits(certificate), rule);
    }
  });
});

suite('forged names in a certificate let nobody in', () => {
  const forged: readonly (readonly [what: string, names: readonly (readonly [tag: number, value: string])[]])[] = [
    ['a list entry within a DNS name', [[DNS, 'x, DNS:good.example']]],
    ['a list entry after a quote', [[DNS, 'x", DNS:good.example']]],
    ['a list entry within quotes', [[DNS, '"x", DNS:good.example, "y"']]],
    ['a list entry within a URI', [[URI, 'http://x/, DNS:good.example, URI:spiffe://prod/good']]],
    ['a list entry within an e-mail address', [[EMAIL, 'a@b, DNS:good.example, URI:spiffe://prod/good']]],
    ['an escape that JSON would undo', [[DNS, 'good\\u002eexample']]],
    ['a name that ends early for readers of C strings', [[DNS, 'good.example\0.evil']]],
    ['a URI that ends early for readers of C strings', [[URI, 'spiffe://prod/good\0/evil']]],
    ['blanks around a name', [[DNS, ' good.example']]],
    ['a line end after a name', [[DNS, 'good.example\n']]],
    ['letters that fold to ASCII', [[DNS, 'good.exaMple'.replace('M', '\u212a')]]],
  ];
  const rules = ['dns:good.example', 'dns:*.example', 'dns:good.*', 'uri:spiffe://prod/good'];

  for (const [what, names] of forged) {
    test(what, async (t) => {
      const certificate = await issue(t, [`DER:${generalNames(names)}`]);
      for (const rule of rules)
        assert.ok(!policy(rule).permits(certificate), `${rule}: ${certificate.subjectAltName ?? ''}`);
    });
  }

  test('and an honest name beside a forged one still counts', async (t) => {
    const certificate = await issue(t, [
      `DER:${generalNames([
        [DNS, 'x, DNS:evil"'],
        [DNS, 'good.example'],
      ])}`,
    ]);
    assert.ok(policy('dns:good.example').permits(certificate));
  });

  test('a common name with another one in it, beside it, or that ends early', async (t) => {
    const subjects = ['/CN=x, CN=good', '/CN=x\\+CN=good', '/CN=evil/CN=good', '/CN=good/CN=evil', '/O=CN\\=good/CN=x'];
    for (const subject of subjects) {
      const certificate = await issue(t, [], { subject });
      assert.ok(!policy('cn:good').permits(certificate), certificate.subject);
    }
    const patch = (der: string): string => der.replace('goodXevil', 'good\0evil');
    const cut = await issue(t, [], { subject: '/CN=goodXevil', patch });
    assert.ok(cut.subject.includes('good'));
    assert.ok(!policy('cn:good').permits(cut), JSON.stringify(cut.subject));
  });
});

suite('the name of a peer in a log', () => {
  test('is its first URI, else its first DNS name, else its common name, else nothing', async (t) => {
    const named = async (names: readonly string[], subject = '/CN=web') => peerName(await issue(t, names, { subject }));
    assert.equal(await named(['DNS:a.b', 'URI:spiffe://prod/x', 'URI:spiffe://prod/y']), 'spiffe://prod/x');
    assert.equal(await named(['IP:10.0.0.1', 'DNS:a.b', 'DNS:c.d']), 'a.b');
    assert.equal(await named([]), 'web');
    assert.equal(await named(['IP:10.0.0.1'], '/O=acme'), undefined);
    assert.equal(
      await named([
        `DER:${generalNames([
          [URI, 'spiffe://a\nb'],
          [DNS, 'a\0b'],
        ])}`,
      ]),
      'web',
    );
  });
});

function policy(...rules: readonly string[]): ReturnType<typeof peerPolicy> {
  return peerPolicy(
    rules.map((text) => {
      const parsed = parsePeerRule(text);
      if (!parsed.ok) throw new Error(`${text}: expected ${parsed.reason}`);
      return parsed.rule;
    }),
  );
}

/** @param patch changes the signed part as text of one character a byte, to the same length; it is signed anew */
async function issue(
  t: TestContext,
  names: readonly string[],
  { patch, ...details }: CertificateDetails & { readonly patch?: (der: string) => string } = {},
): Promise<X509Certificate> {
  const authority = await createAuthority(t, { key: { type: 'ed25519' } });
  const { certPath } = await authority.issue('web', names, details);
  const certificate = new X509Certificate(readFileSync(certPath));
  if (patch === undefined) return certificate;
  const { raw } = certificate;
  const [signedFrom, signedTo] = [4, raw.length - ED25519_TAIL];
  const signed = Buffer.from(patch(raw.toString('latin1', signedFrom, signedTo)), 'latin1');
  const signature = sign(null, signed, createPrivateKey(readFileSync(authority.keyPath)));
  const patched = [raw.subarray(0, signedFrom), signed, raw.subarray(signedTo, -signature.length), signature];
  const result = new X509Certificate(Buffer.concat(patched));
  assert.equal(result.raw.length, raw.length);
  assert.ok(result.verify(new X509Certificate(readFileSync(authority.caPath)).publicKey));
  return result;
}

/** After what is signed: the algorithm's name, then the signature as a bit string. */
const ED25519_TAIL = 7 + 3 + 64;

/** GeneralNames (RFC 5280, 4.2.1.6) in DER, in the hexadecimal that openssl's configuration takes. */
function generalNames(names: readonly (readonly [tag: number, value: string])[]): string {
  const entries = names.map(([tag, value]) => tlv(0x80 + tag, Buffer.from(value, 'utf8')));
  return tlv(0x30, Buffer.concat(entries))
    .toString('hex')
    .replace(/..(?!$)/g, '$&:');
}

function tlv(tag: number, value: Buffer): Buffer {
  const length = value.length < 0x80 ? [value.length] : [0x81, value.length];
  return Buffer.concat([Buffer.from([tag, ...length]), value]);
}
