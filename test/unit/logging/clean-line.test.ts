import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cleanLine } from '../../../src/logging/clean-line.ts';
import { Stopwatch } from '../../support/stopwatch.ts';

const asLine = (text: string) => `${JSON.stringify({ error: text })}\n`;
const textOf = (line: string) => (JSON.parse(line) as { error: string }).error;

const secrets: readonly [string, string][] = [
  ['connect to http://root:hunter2@etcd0:2379 failed', 'hunter2'],
  ['Invalid URL: https://root:p@ss/w0rd@etcd0', 'w0rd'],
  ['postgres://u:"quoted"secret@db', 'quoted'],
  ['403 on https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIAX&X-Amz-Signature=deadbeef01', 'deadbeef01'],
  ['403 on https://b.s3.amazonaws.com/k?X-Amz-Security-Token=FQoGZXIv', 'FQoGZXIv'],
  ['login with password=hunter2 refused', 'hunter2'],
  ['aws_secret_access_key=wJalrXUtnFEMI', 'wJalrXUtnFEMI'],
  ['ETCD_PASSWORD: hunter2', 'hunter2'],
  ['token:hunter2', 'hunter2'],
  ['Authorization: Bearer abcdefgh.ijkl.mnop', 'ijkl'],
  ['authorization: basic cm9vdDpodW50ZXIy', 'cm9vdDpodW50ZXIy'],
  ['-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----', 'MIIEow'],
  ['-----BEGIN PRIVATE KEY-----\nMIIEow"\\', 'MIIEow'],
];

for (const [text, secret] of secrets) {
  test(`the secret in ${JSON.stringify(text)} does not get out`, () => {
    const line = cleanLine(asLine(text));
    assert.ok(!line.includes(secret), line);
    assert.match(textOf(line), /\[redacted\]/);
  });
}

for (const text of [
  'connect ECONNREFUSED 10.0.0.1:6379',
  'http://etcd0:2379 does not answer',
  'user@example.org is no address',
  'etcdserver: invalid auth token',
  'the key has no slash',
]) {
  test(`"${text}" stays as it is`, () => {
    assert.equal(textOf(cleanLine(asLine(text))), text);
  });
}

test('promise 41: no password in a URL gets out, whatever characters it has', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[^\s]{6,30}$/), (password) => {
      const text = textOf(cleanLine(asLine(`GET http://user:${password}@host/path failed`)));
      assert.equal(text, 'GET http://[redacted]@host/path failed');
    }),
  );
});

test('any text stays one line of JSON, with nothing in it that a terminal obeys', () => {
  const hostile = fc.string({
    unit: fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      fc.constantFrom('\u001b[31m', '\u009b', '\u007f', '\n', '\u2028', '\u202e', '"', '\\', '@', '://', '=', 'token='),
      fc.constantFrom('-----BEGIN PRIVATE KEY-----', 'password: ', 'Bearer '),
    ),
    maxLength: 60,
  });
  fc.assert(
    fc.property(hostile, (text) => {
      const line = cleanLine(asLine(text));
      assert.equal(typeof textOf(line), 'string');
      // eslint-disable-next-line no-control-regex -- control characters are what must not be there
      assert.doesNotMatch(line.slice(0, -1), /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/);
    }),
    { numRuns: 500 },
  );
});

test('a text made to be slow to search is searched in time', () => {
  for (const text of ['a-'.repeat(8_000), '://'.repeat(4_000), 'token'.repeat(3_000), '='.repeat(16_000)]) {
    const since = new Stopwatch();
    cleanLine(asLine(`${text}@=`));
    cleanLine(asLine(`${text}=`));
    assert.ok(since.ms() < 2_000, text.slice(0, 10));
  }
});
