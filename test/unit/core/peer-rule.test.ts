import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { canonicalIp, formatPeerRule, parsePeerRule } from '../../../src/core/peer-rule.ts';

suite('a peer rule', () => {
  test('is read into its kind, in one form', () => {
    const right: readonly (readonly [text: string, canonical: string])[] = [
      ['dns:web.prod.internal', 'dns:web.prod.internal'],
      ['dns:WEB.Prod.Internal.', 'dns:web.prod.internal'],
      ['dns:*.prod.internal', 'dns:*.prod.internal'],
      ['dns:web.*.internal', 'dns:web.*.internal'],
      ['dns:_sip.web_1', 'dns:_sip.web_1'],
      ['dns:web', 'dns:web'],
      ['uri:spiffe://prod/ns/a/sa/web', 'uri:spiffe://prod/ns/a/sa/web'],
      ['uri:urn:uuid:0', 'uri:urn:uuid:0'],
      ['ip:10.0.0.7', 'ip:10.0.0.7'],
      ['ip:2001:DB8:0:0::7', 'ip:2001:db8::7'],
      ['cn:web', 'cn:web'],
      ['cn:Web Server (prod)', 'cn:Web Server (prod)'],
      ['cn:dns:web', 'cn:dns:web'],
    ];
    for (const [text, canonical] of right) {
      const parsed = parsePeerRule(text);
      assert.ok(parsed.ok, text);
      assert.equal(formatPeerRule(parsed.rule), canonical);
    }
  });

  test('that could not mean what it says is refused, with what was expected', () => {
    const wrong: readonly (readonly [text: string, reason: RegExp])[] = [
      ['', /^dns:, uri:, ip: or cn: and a name/],
      ['web', /^dns:, uri:, ip: or cn:/],
      ['*', /^dns:, uri:, ip: or cn:/],
      ['DNS:web', /^dns:, uri:, ip: or cn:/],
      ['email:a@b.c', /^dns:, uri:, ip: or cn:/],
      ['dns:', /^a DNS name after dns:/],
      ['dns:a..b', /^a DNS name/],
      ['dns:web-*.prod', /\* stands for one whole label$/],
      ['dns:**.prod', /\* stands for one whole label$/],
      ['dns:-a', /^a DNS name/],
      ['dns:a b', /^a DNS name/],
      ['dns:a\0b', /^a DNS name/],
      [`dns:${'a'.repeat(64)}`, /^a DNS name/],
      [`dns:${'a.'.repeat(127)}a`, /^a DNS name/],
      ['dns:*', /^at least one label that is not \*/],
      ['dns:*.*', /^at least one label that is not \*/],
      ['uri:web', /^a URI after uri:/],
      ['uri:spiffe://prod/a b', /^a URI after uri:/],
      ['uri:spiffe://prod/*', /^a URI without \*/],
      ['ip:10.0.0', /^an IP address/],
      ['ip:10.0.0.0/8', /^an IP address/],
      ['ip:[::1]', /^an IP address/],
      ['ip:fe80::1%eth0', /^an IP address/],
      ['cn:', /^a common name after cn:/],
      ['cn: ', /^a common name after cn:/],
      ['cn:a\nb', /^a common name after cn:/],
      ['cn:*', /^a common name without \*/],
    ];
    for (const [text, reason] of wrong) {
      const parsed = parsePeerRule(text);
      assert.ok(!parsed.ok, text);
      assert.match(parsed.reason, reason, text);
    }
  });

  test('an IP address has one form, whatever way it is written', () => {
    assert.equal(canonicalIp('0:0:0:0:0:0:0:1'), '::1');
    assert.equal(canonicalIp('2001:DB8::FF'), canonicalIp('2001:db8:0:0:0:0:0:ff'));
    assert.notEqual(canonicalIp('::ffff:10.0.0.1'), canonicalIp('10.0.0.1'));
    assert.equal(canonicalIp('web'), undefined);
  });
});
