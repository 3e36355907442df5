import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectionClosedEvent, DialAttempt } from '../../../src/core/observer.ts';
import { accessLog } from '../../../src/logging/access-log.ts';
import { LogCapture } from '../../support/log-capture.ts';

const good: DialAttempt = { candidate: '10.0.1.134:6379', outcome: 'ok', ms: 0.5123 };
const refused: DialAttempt = { candidate: '10.0.1.135:6379', outcome: 'ECONNREFUSED', ms: 0.2 };

function closed(changes: Partial<ConnectionClosedEvent> = {}): ConnectionClosedEvent {
  return {
    type: 'connection-closed',
    service: 'redis',
    id: 42,
    client: '127.0.0.1:54321',
    candidate: good.candidate,
    bytesToCandidate: 64,
    bytesToClient: 1_024,
    dialMs: 0.5123,
    totalMs: 12.3456,
    endedBy: 'client',
    reason: 'finished',
    attempts: [good],
    ...changes,
  };
}

async function lineOf(event: ConnectionClosedEvent): Promise<Record<string, unknown>> {
  const capture = await LogCapture.create();
  accessLog(capture.log)(event);
  const lines = await capture.lines();
  assert.equal(lines.length, 1);
  return { ...lines[0], time: undefined };
}

const usual = {
  level: 'info',
  time: undefined,
  service: 'redis',
  id: 42,
  client: '127.0.0.1:54321',
  candidate: '10.0.1.134:6379',
  bytesToCandidate: 64,
  bytesToClient: 1_024,
  dialMs: 0.51,
  totalMs: 12.35,
  endedBy: 'client',
  reason: 'finished',
  msg: 'connection closed',
};

test('promise 11: a finished connection is one line of who, where, how much, how long and why', async () => {
  assert.deepEqual(await lineOf(closed()), usual);
});

test('a client that was turned away is a warning, also where nothing but warnings is logged; one that left is not', async () => {
  for (const reason of ['no_candidate_answered', 'no_candidates', 'max_connections', 'loop'] as const) {
    const { level } = await lineOf(closed({ reason, candidate: undefined, attempts: [] }));
    assert.equal(level, 'warn', reason);
    const failedTwice: readonly DialAttempt[] = [refused, refused];
    assert.equal(
      (await lineOf(closed({ reason, candidate: undefined, attempts: failedTwice })))['level'],
      'warn',
      reason,
    );
  }
  for (const reason of ['client_gone', 'candidate_reset', 'idle_timeout'] as const)
    assert.equal((await lineOf(closed({ reason })))['level'], 'info', reason);
});

test('an attempt whose code does not say what to do has a hint beside it', async () => {
  const attempts: readonly DialAttempt[] = [{ candidate: 'six.test:6379', outcome: 'IPV6_ONLY', ms: 1 }];
  const { attempts: told } = await lineOf(closed({ attempts }));
  const [attempt] = told as readonly { readonly hint?: string }[];
  assert.match(attempt?.hint ?? '', /IPv6 address.*NET=tcp6/);
});

test('a client that somebody carried is named together with who carried it', async () => {
  const line = await lineOf(closed({ client: '203.0.113.7:41002', via: '10.0.0.2:5000' }));
  assert.deepEqual(line, { ...usual, client: '203.0.113.7:41002', via: '10.0.0.2:5000' });
});

test('candidates that were tried in vain are listed in their order', async () => {
  assert.deepEqual(await lineOf(closed({ attempts: [refused, good] })), {
    ...usual,
    tried: 2,
    attempts: [
      { candidate: refused.candidate, outcome: 'ECONNREFUSED', ms: 0.2 },
      { candidate: good.candidate, outcome: 'ok', ms: 0.51 },
    ],
  });
});

test('a connection that no candidate carried has none, and says what was tried', async () => {
  const line = await lineOf(
    closed({ candidate: undefined, attempts: [refused], endedBy: 'attache', reason: 'no_candidate_answered' }),
  );
  assert.ok(!('candidate' in line) || line['candidate'] === undefined);
  assert.equal(line['tried'], 1);
  assert.equal(line['reason'], 'no_candidate_answered');
});

test('hundreds of attempts are counted and the first ten listed', async () => {
  const line = await lineOf(closed({ attempts: Array.from({ length: 300 }, () => refused) }));
  assert.equal(line['tried'], 300);
  assert.equal((line['attempts'] as unknown[]).length, 10);
});

test('above level info there are no access lines, and other events are never any', async () => {
  const quiet = await LogCapture.create({ level: 'warn' });
  accessLog(quiet.log)(closed());
  assert.deepEqual(await quiet.lines(), []);
  const capture = await LogCapture.create();
  accessLog(capture.log)({ type: 'connection-opened', service: 'redis', id: 1, client: 'c' });
  assert.deepEqual(await capture.lines(), []);
});

test('the usual line, which pino has no part in, is what pino writes for the same connection', async () => {
  const capture = await LogCapture.create();
  const observe = accessLog(capture.log);
  for (const changes of [{}, { candidate: undefined, attempts: [] }, { dialMs: 0.1 + 0.2, totalMs: 1e-7 }]) {
    observe(closed(changes));
    // A name of the client's is never usual, so pino writes this one.
    observe(closed({ ...changes, via: 'x' }));
  }
  const lines = await capture.lines();
  assert.equal(lines.length, 6);
  for (const index of [0, 2, 4]) {
    const [usualOne, pinoOne] = [lines[index], lines[index + 1]];
    assert.deepEqual({ ...usualOne, time: 0, via: 'x' }, { ...pinoOne, time: 0 });
    assert.deepEqual(
      Object.keys(usualOne ?? {}),
      Object.keys(pinoOne ?? {}).filter((key) => key !== 'via'),
    );
  }
});

test('whatever a candidate is called, its line is one clean JSON object', async () => {
  const capture = await LogCapture.create();
  const observe = accessLog(capture.log);
  const names = ['a"b\\c', 'line\nbreak', 'esc\u001b[2J', 'rtl\u202e', 'http://user:secret@host', '\u0085'];
  for (const candidate of [...names, ...names]) observe(closed({ candidate, attempts: [] }));
  const lines = await capture.lines();
  assert.equal(lines.length, 2 * names.length);
  const text = JSON.stringify(lines);
  assert.ok(!text.includes('secret'));
});

test('an end without close_notify is told in the line', async () => {
  const tls = { peer: 'web', version: 'TLSv1.3', resumed: false };
  assert.equal((await lineOf(closed({ tls, unclean: true })))['unclean'], true);
  assert.equal('unclean' in (await lineOf(closed({ tls }))), false);
});
