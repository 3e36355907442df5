import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import { parseMaterialFolder, type MaterialOrigins } from '../../../src/core/material-origin.ts';
import type { MaterialError } from '../../../src/identity/material-error.ts';
import { s3Timing, type S3Timing } from '../../../src/identity/s3-objects.ts';
import { materialSource, type MaterialSource } from '../../../src/identity/sources.ts';
import { errorOf } from '../../support/material.ts';
import { activeResources, untilResourcesAre } from '../../support/resources.ts';
import { s3Error, setEnvironment, startS3, type Answer, type TestS3 } from '../../support/s3.ts';

suite('material in S3', { timeout: 60_000 }, () => {
  test('is found below a prefix, and at the top of a bucket with dots in its name', async (t) => {
    const s3 = await startS3(t);
    for (const folder of ['material/a b/ü%23', 'devops.example.org']) {
      await fill(s3, folder);
      const parts = await read(sourceAt(t, `s3://${decodeURIComponent(folder)}`));
      assert.deepEqual(parts, { ca: 'ca', cert: 'cert', key: 'key' });
    }
    assert.ok(
      s3.requests.every(({ url }) => /^\/(material|devops\.example\.org)\//.test(url ?? '')),
      'path style',
    );
    assert.ok(s3.requests.every(({ headers }) => headers.authorization?.includes('Credential=S3RVER/')));
  });

  test('that has not changed is not sent again, and what has changed is', async (t) => {
    const s3 = await startS3(t);
    await fill(s3, 'material');
    const source = sourceAt(t, 's3://material');
    await read(source);
    assert.deepEqual(await read(source), { ca: 'ca', cert: 'cert', key: 'key' });
    assert.deepEqual(s3.statuses, [200, 200, 200, 304, 304, 304]);
    await s3.put('material/cert.pem', 'another');
    assert.deepEqual(await read(source), { ca: 'ca', cert: 'another', key: 'key' });
    assert.deepEqual(s3.statuses.slice(6), [304, 200, 304]);
  });

  test('missing objects and a missing bucket are final, and each is named', async (t) => {
    const s3 = await startS3(t);
    await s3.put('material/x/cert.pem', 'cert');
    const missing = await failure(sourceAt(t, 's3://material/x'));
    const found = 'expected an object that can be read, found none (404 NoSuchKey)';
    assert.deepEqual(missing.faults, [
      { origin: 's3://material/x/ca.pem', message: found },
      { origin: 's3://material/x/key.pem', message: found },
    ]);
    assert.deepEqual([missing.code, missing.retryable], ['tls_material_unavailable', false]);
    const nowhere = await failure(sourceAt(t, 's3://no-such/x'));
    assert.match(
      nowhere.message,
      /^s3:\/\/no-such\/x\/ca\.pem: expected .*, found no bucket no-such \(404 NoSuchBucket\)$/m,
    );
    assert.equal(nowhere.retryable, false);
  });

  test('denied is final, and no text of ours shows who asked', async (t) => {
    const s3 = await startS3(t);
    await fill(s3, 'material');
    Object.assign(process.env, FAKE);
    const wrong = await failure(sourceAt(t, 's3://material'));
    assert.match(
      wrong.message,
      /^s3:\/\/material\/ca\.pem: expected .*, found that access is denied \(403 InvalidAccessKeyId\)$/m,
    );
    assert.equal(wrong.retryable, false);
    // The first is asked for again, with credentials that are read anew.
    const denials = [s3Error(403, 'AccessDenied'), s3Error(403, 'AccessDenied'), s3Error(403, 'SignatureDoesNotMatch')];
    s3.answer(...denials, (_, response) => response.writeHead(403).end());
    const denied = await failure(sourceAt(t, 's3://material'));
    assert.deepEqual(
      denied.faults.map(({ message }) => /\((.*)\)/.exec(message)?.[1]?.slice(0, 25)),
      ['403 AccessDenied', '403 SignatureDoesNotMatch', '403'],
    );
    assert.equal(denied.retryable, false);
  });

  test('trouble of S3 can pass: the next reading is as if nothing had been', async (t) => {
    const s3 = await startS3(t);
    await fill(s3, 'material');
    const troubles: readonly (readonly [answer: Answer, found: RegExp])[] = [
      [s3Error(500, 'InternalError'), /found S3 in trouble \(500 InternalError\)$/],
      [s3Error(503, 'SlowDown'), /found S3 in trouble \(503 SlowDown\)$/],
      [
        (_, response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<html><p>bad'),
        /found S3 in trouble \(502/,
      ],
      [(_, response) => response.writeHead(504).end(), /found S3 in trouble \(504/],
      [s3Error(403, 'RequestTimeTooSkewed'), /\(403 RequestTimeTooSkewed\)$/],
      [(_, response) => response.destroy(), /found no answer \(ECONNRESET\)$/],
    ];
    for (const [answer, found] of troubles) {
      const source = sourceAt(t, 's3://material');
      s3.answer(answer);
      const error = await failure(source);
      assert.match(error.message, found);
      assert.match(error.message, /^s3:\/\/material\/ca\.pem: /);
      assert.equal(error.retryable, true, error.message);
      assert.deepEqual(await read(source), { ca: 'ca', cert: 'cert', key: 'key' });
    }
  });

  test('a token that has expired can pass, also when the one that is read anew has expired', async (t) => {
    const s3 = await startS3(t);
    await fill(s3, 'material');
    const source = sourceAt(t, 's3://material');
    s3.answer(s3Error(400, 'ExpiredToken'), s3Error(400, 'ExpiredToken'));
    const error = await failure(source);
    assert.match(error.message, /^s3:\/\/material\/ca\.pem: .* found that S3 refuses \(400 ExpiredToken\)$/);
    assert.equal(error.retryable, true);
    assert.deepEqual(await read(source), { ca: 'ca', cert: 'cert', key: 'key' });
  });

  test('other refusals are final', async (t) => {
    const s3 = await startS3(t);
    for (const [status, code] of [
      [400, 'InvalidRequest'],
      [405, 'MethodNotAllowed'],
      [301, 'PermanentRedirect'],
    ] as const) {
      s3.answer(s3Error(status, code));
      const error = await failure(sourceAt(t, 's3://material'));
      assert.match(error.message, new RegExp(`\\(${status} ${code}\\)`));
      assert.equal(error.retryable, false);
    }
  });

  test('an answer or a body that does not come ends within its time', async (t) => {
    const s3 = await startS3(t);
    await fill(s3, 'material');
    const silences: readonly (readonly [answer: Answer, found: RegExp, timing: Partial<S3Timing>])[] = [
      [() => undefined, /expected an answer of S3 within 300 ms, found none$/, { answerMs: 300 }],
      [(_, response) => response.writeHead(200, { 'content-length': 100 }).write('x'), STALLED, { stallMs: 300 }],
      [(_, response) => response.writeHead(200, { 'content-length': 100 }).flushHeaders(), STALLED, { stallMs: 300 }],
      [(_, response) => trickle(t, response), /expected the whole object within 400 ms/, { totalMs: 400 }],
    ];
    for (const [answer, found, timing] of silences) {
      const source = sourceAt(t, 's3://material', timing);
      s3.answer(answer);
      const error = await failure(source);
      assert.match(error.message, found);
      assert.equal(error.retryable, true);
    }
  });

  test('a body that breaks off is no body', async (t) => {
    const s3 = await startS3(t);
    await fill(s3, 'material');
    for (const headers of [{ 'content-length': 100 }, { 'transfer-encoding': 'chunked' }]) {
      s3.answer((_, response) => {
        response.writeHead(200, headers).write('half of it', () => response.destroy());
      });
      const error = await failure(sourceAt(t, 's3://material'));
      assert.match(error.message, /s3:\/\/material\/ca\.pem: expected an object .* found no answer \(ECONNRESET\)$/);
      assert.equal(error.retryable, true);
    }
  });

  test('a body over 1 MiB is refused, announced or not, and 1 MiB is not', async (t) => {
    const s3 = await startS3(t);
    await fill(s3, 'material');
    await s3.put('material/ca.pem', Buffer.alloc(1_048_576, 'a'));
    assert.equal((await read(sourceAt(t, 's3://material')))['ca']?.length, 1_048_576);
    await s3.put('material/ca.pem', Buffer.alloc(2 * 1_048_576));
    let sent = 0;
    const unannounced: Answer = (_, response) => {
      response.writeHead(200);
      const more = (): void => {
        sent += 65_536;
        // Newer Nodes call back before the event loop has gone round: the client would never be heard.
        if (!response.destroyed) response.write(Buffer.alloc(65_536), () => setImmediate(more));
      };
      more();
    };
    for (const answers of [[], [unannounced]]) {
      s3.answer(...answers);
      const error = await failure(sourceAt(t, 's3://material'));
      assert.equal(error.message, 's3://material/ca.pem: expected at most 1 MiB, found more');
      assert.deepEqual([error.code, error.retryable], ['tls_material_invalid', false]);
    }
    assert.ok(sent < 64 * 1_048_576, 'the rest of an endless body was not read');
  });

  test('a bucket in another region is asked for there, each part', async (t) => {
    const s3 = await startS3(t);
    await fill(s3, 'material');
    const elsewhere: Answer = (request, response, forward) => {
      if (regionOf(request.headers.authorization) === 'eu-west-1') {
        forward();
        return;
      }
      s3Error(301, 'PermanentRedirect', { 'x-amz-bucket-region': 'eu-west-1' })(request, response, forward);
    };
    s3.answer(...Array.from({ length: 6 }, () => elsewhere));
    assert.deepEqual(await read(sourceAt(t, 's3://material')), { ca: 'ca', cert: 'cert', key: 'key' });
    const regions = s3.requests.map(({ headers }) => regionOf(headers.authorization));
    assert.deepEqual(regions, ['us-east-1', 'eu-west-1', 'us-east-1', 'eu-west-1', 'us-east-1', 'eu-west-1']);
  });

  test('without a region one is assumed, as S3 itself tells the right one', async (t) => {
    const s3 = await startS3(t);
    await fill(s3, 'material');
    delete process.env['AWS_REGION'];
    await read(sourceAt(t, 's3://material'));
    assert.equal(regionOf(s3.requests[0]?.headers.authorization), 'us-east-1');
  });
});

suite('S3 that cannot be reached', { timeout: 60_000 }, () => {
  test('because nobody listens', async (t) => {
    const s3 = await startS3(t);
    process.env['AWS_ENDPOINT_URL_S3'] = 'http://127.0.0.1:9';
    const error = await failure(sourceAt(t, 's3://material'));
    assert.equal(
      error.message,
      's3://material/ca.pem: expected an object that can be read, found no answer (ECONNREFUSED)',
    );
    assert.equal(error.retryable, true);
    assert.equal(s3.requests.length, 0);
  });

  test('because there are no credentials yet', async (t) => {
    const s3 = await startS3(t);
    await fill(s3, 'material');
    const { AWS_ENDPOINT_URL_S3 = '' } = process.env;
    setEnvironment(t, { AWS_ENDPOINT_URL_S3 });
    const error = await failure(sourceAt(t, 's3://material'));
    assert.match(
      error.message,
      /^s3:\/\/material\/ca\.pem: expected AWS credentials .* found none \(CredentialsProviderError; /,
    );
    assert.equal(error.retryable, true);
    assert.equal(s3.requests.length, 0);
  });

  test('because its endpoint is none', async (t) => {
    await startS3(t);
    process.env['AWS_ENDPOINT_URL_S3'] = 'not a url';
    const error = await failure(sourceAt(t, 's3://material'));
    assert.match(error.message, /\(ERR_INVALID_URL\)$/m);
    assert.equal(error.retryable, false);
  });

  test('because it was stopped: at once, in the midst of a body', async (t) => {
    const s3 = await startS3(t);
    const asked = new Promise<void>((resolve) => {
      s3.answer((_, response) => {
        response
          .on('close', resolve)
          .writeHead(200, { 'content-length': 100 })
          .write('x', () => controller.abort(reason));
      });
    });
    const controller = new AbortController();
    const reason = new Error('stopped');
    const source = sourceAt(t, 's3://material');
    const before = activeResources();
    await assert.rejects(source.read(controller.signal), reason);
    source.stop();
    await asked;
    await untilResourcesAre(before, 5_000);
  });
});

const STALLED = /expected its next byte within 300 ms, found none$/;
const FAKE = {
  AWS_ACCESS_KEY_ID: 'AKIAFAKEFAKEFAKEFAKE',
  AWS_SECRET_ACCESS_KEY: 'fakeSecretFakeSecretFakeSecret',
  AWS_SESSION_TOKEN: 'fakeTokenFakeToken',
};

async function fill(s3: TestS3, folder: string): Promise<void> {
  for (const name of ['ca', 'cert', 'key']) await s3.put(`${folder}/${name}.pem`, name);
}

function sourceAt(t: TestContext, folder: string, timing: Partial<S3Timing> = {}): MaterialSource {
  const source = materialSource({ origins: originsAt(folder), s3Timing: { ...s3Timing, ...timing } });
  t.after(() => source.stop());
  return source;
}

function originsAt(folder: string): MaterialOrigins {
  const parsed = parseMaterialFolder(folder);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.origins;
}

async function read(source: MaterialSource): Promise<Readonly<Record<string, string>>> {
  const parts = await source.read(new AbortController().signal);
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, String(part.bytes)]));
}

/** The error of a reading; whatever it is, it shows no credential, nor does anything that hangs on it. */
async function failure(source: MaterialSource): Promise<MaterialError> {
  const error = await errorOf(async () => read(source));
  const shown = [
    error.message,
    error.stack ?? '',
    JSON.stringify(error),
    JSON.stringify(Object.getOwnPropertyDescriptors(error)),
  ].join();
  for (const secret of [...Object.values(FAKE), 'S3RVER']) assert.ok(!shown.includes(secret), shown);
  assert.equal(error.cause, undefined);
  return error;
}

function regionOf(authorization: string | undefined): string | undefined {
  return /Credential=[^/]+\/\d+\/([^/]+)\/s3\//.exec(authorization ?? '')?.[1];
}

function trickle(t: TestContext, response: Parameters<Answer>[1]): void {
  response.writeHead(200, { 'content-length': 1_000_000 });
  const timer = setInterval(() => response.write('x'), 20);
  response.on('close', () => clearInterval(timer));
  t.after(() => clearInterval(timer));
}
