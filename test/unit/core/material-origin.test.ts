import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { formatMaterialOrigin, parseMaterialFolder, parseMaterialOrigin } from '../../../src/core/material-origin.ts';

suite('the place of TLS material', () => {
  test('of one part: a path, file:// or s3://', () => {
    const right: readonly (readonly [text: string, canonical: string])[] = [
      ['/etc/tls/cert.pem', '/etc/tls/cert.pem'],
      ['cert.pem', 'cert.pem'],
      ['../tls/my cert.pem', '../tls/my cert.pem'],
      ['file:///etc/tls/my%20cert.pem', '/etc/tls/my cert.pem'],
      ['file://localhost/cert.pem', '/cert.pem'],
      ['s3://devops.example.org/client-cert/cert.pem', 's3://devops.example.org/client-cert/cert.pem'],
      ['S3://bucket/a%20b?c#d', 's3://bucket/a%20b?c#d'],
    ];
    for (const [text, canonical] of right) {
      const parsed = parseMaterialOrigin(text);
      assert.ok(parsed.ok, text);
      assert.equal(formatMaterialOrigin(parsed.origin), canonical);
    }
  });

  test('of all parts: a directory or a prefix, in which they have fixed names', () => {
    const right: readonly (readonly [text: string, canonical: string])[] = [
      ['/etc/tls', '/etc/tls/ca.pem /etc/tls/cert.pem /etc/tls/key.pem'],
      ['/etc/tls//', '/etc/tls/ca.pem /etc/tls/cert.pem /etc/tls/key.pem'],
      ['/', '/ca.pem /cert.pem /key.pem'],
      ['.', './ca.pem ./cert.pem ./key.pem'],
      ['file:///etc/tls/', '/etc/tls/ca.pem /etc/tls/cert.pem /etc/tls/key.pem'],
      ['s3://bucket', 's3://bucket/ca.pem s3://bucket/cert.pem s3://bucket/key.pem'],
      ['s3://bucket/', 's3://bucket/ca.pem s3://bucket/cert.pem s3://bucket/key.pem'],
      ['s3://bucket/a/b/', 's3://bucket/a/b/ca.pem s3://bucket/a/b/cert.pem s3://bucket/a/b/key.pem'],
    ];
    for (const [text, canonical] of right) {
      const parsed = parseMaterialFolder(text);
      assert.ok(parsed.ok, text);
      const { ca, cert, key } = parsed.origins;
      assert.equal([ca, cert, key].map(formatMaterialOrigin).join(' '), canonical);
    }
  });

  test('that is none is refused, and nothing of it is repeated', () => {
    const wrong: readonly (readonly [text: string, reason: RegExp])[] = [
      ['', /^a path, file:\/\/ or s3:\/\//],
      ['/etc/\0', /without control characters$/],
      ['/etc/a\nb', /without control characters$/],
      ['https://example.org/cert.pem', /^a path, file:\/\/ or s3:\/\/$/],
      ['vault://secret', /^a path, file:\/\/ or s3:\/\/$/],
      ['file:cert.pem', /^file:\/\/ and an absolute path/],
      ['file://host/cert.pem', /^file:\/\/ and an absolute path/],
      ['file:///cert.pem?a', /^file:\/\/ and an absolute path/],
      ['file:///a%2fb', /^file:\/\/ and an absolute path/],
      ['file:///a%00b', /^file:\/\/ and an absolute path/],
      ['file:///a%0ab', /^file:\/\/ and an absolute path/],
      ['file:///a%zz', /^file:\/\/ and an absolute path/],
      ['s3://', /^s3:\/\/ and a bucket/],
      ['s3:bucket/key', /^s3:\/\/ and a bucket/],
      ['s3://AKIDEXAMPLE:wJalrXUtnFEMI@bucket/key', /^s3:\/\/ and a bucket/],
      ['s3://a..b/key', /^s3:\/\/ and a bucket/],
      ['s3://../key', /^s3:\/\/ and a bucket/],
      ['s3://bucket/../key', /^a key without empty, "\." or "\.\." parts$/],
      ['s3://bucket/a/../../b', /^a key without/],
      ['s3://bucket/a/..', /^a key without/],
      ['s3://bucket/./a', /^a key without/],
      ['s3://bucket//a', /^a key without/],
      [`s3://bucket/${'a'.repeat(1025)}`, /^a key of at most 1024 bytes$/],
    ];
    for (const [text, reason] of wrong) {
      for (const parsed of [parseMaterialOrigin(text), parseMaterialFolder(text)]) {
        assert.ok(!parsed.ok, text);
        assert.match(parsed.reason, reason, text);
        assert.ok(!parsed.reason.includes('AKID') && !parsed.reason.includes('wJalr'));
      }
    }
  });

  test('a bucket alone, or a prefix, is no place of one part', () => {
    for (const text of ['s3://bucket', 's3://bucket/', 's3://bucket/prefix/']) {
      const parsed = parseMaterialOrigin(text);
      assert.ok(!parsed.ok);
      assert.match(parsed.reason, /^an object, as in s3:\/\/bucket\/prefix\/cert\.pem$/);
    }
  });
});
