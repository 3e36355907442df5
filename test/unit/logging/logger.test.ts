import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogCapture } from '../../support/log-capture.ts';

test('a line is one JSON object with an ISO time, the level by name and the fields given', async () => {
  const capture = await LogCapture.create();
  capture.log.logger.info({ service: 'redis' }, 'listening');
  const [line] = await capture.lines();
  assert.match(String(line?.['time']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual({ ...line, time: '' }, { level: 'info', time: '', service: 'redis', msg: 'listening' });
});

for (const [level, expected] of [
  ['debug', 5],
  ['info', 4],
  ['warn', 3],
  ['error', 2],
  ['fatal', 1],
  ['silent', 0],
] as const) {
  test(`level ${level} lets ${expected} of debug, info, warn, error and fatal through`, async () => {
    const capture = await LogCapture.create({ level });
    for (const each of ['debug', 'info', 'warn', 'error', 'fatal'] as const) capture.log.logger[each](each);
    assert.equal((await capture.lines()).length, expected);
  });
}

test('promise 41: fields that are known to be secret are censored, in both formats', async () => {
  for (const format of ['json', 'pretty'] as const) {
    const capture = await LogCapture.create({ format });
    capture.log.logger.info({ password: 'hunter2', token: 'hunter2', AWS_SECRET_ACCESS_KEY: 'hunter2' }, 'msg');
    assert.doesNotMatch(await capture.text(), /hunter2/);
  }
});

test('of an error its type, message, code, stack and causes are logged, and nothing a library hung on it', async () => {
  const capture = await LogCapture.create();
  const error = Object.assign(new TypeError('GET http://u:hunter2@h failed', { cause: new Error('inner') }), {
    code: 'ECONNRESET',
    config: { password: 'hunter2' },
  });
  capture.log.logger.error({ err: error }, 'failed');
  const text = await capture.text();
  assert.doesNotMatch(text, /hunter2/);
  const { err } = JSON.parse(text) as { err: Record<string, unknown> };
  assert.deepEqual(Object.keys(err), ['type', 'message', 'code', 'stack', 'cause']);
  assert.equal((err['cause'] as Record<string, unknown>)['message'], 'inner');
});

test('an error that is its own cause, or has an endless message, makes a bounded line', async () => {
  const capture = await LogCapture.create();
  const error = new Error('x'.repeat(1_000_000));
  error.cause = error;
  capture.log.logger.error({ err: error }, 'failed');
  capture.log.logger.error({ err: Object.create(null) }, 'failed');
  assert.ok((await capture.text()).length < 60_000);
});

const HOSTILE = '\u001b]0;owned\u0007\u001b[31mred\u009b2J\r\n{"level":"info"}\u202e';

test('promise 41: no escape sequence or newline of a registry key, message or error reaches a terminal', async () => {
  for (const format of ['json', 'pretty'] as const) {
    const capture = await LogCapture.create({ format });
    capture.log.logger.warn({ key: HOSTILE, nested: { list: [HOSTILE] } }, `ignored ${HOSTILE}`);
    const text = await capture.text();
    // eslint-disable-next-line no-control-regex -- control characters are what must not be there
    assert.doesNotMatch(text.slice(0, -1), /[\u0000-\u001f\u007f-\u009f\u202e]/, format);
    assert.match(text, /\\u001b\[31mred/, format);
  }
});

test('in pretty lines an error keeps the lines of its stack, all of them indented', async () => {
  const capture = await LogCapture.create({ format: 'pretty' });
  capture.log.logger.error({ err: new Error(`bad ${HOSTILE}`) }, 'failed');
  const [first, ...rest] = (await capture.text()).trimEnd().split('\n');
  assert.match(first ?? '', /ERROR: failed/);
  assert.ok(rest.length > 3);
  for (const line of rest) assert.match(line, /^ {4}/);
  // eslint-disable-next-line no-control-regex -- control characters are what must not be there
  assert.doesNotMatch(rest.join(''), /[\u0000-\u001f\u007f-\u009f\u202e]/);
});

test('a pretty line has the time, the level, the message and the fields in a form for people', async () => {
  const capture = await LogCapture.create({ format: 'pretty' });
  capture.log.logger.info({ service: 'redis', port: 6379, error: 'a text' }, 'listening');
  assert.match(
    await capture.text(),
    /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: listening \{"service":"redis","port":6379,"error":"a text"\}\n$/,
  );
});
