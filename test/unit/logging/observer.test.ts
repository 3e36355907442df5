import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AttacheEvent } from '../../../src/core/observer.ts';
import { eventLog } from '../../../src/logging/observer.ts';
import { LogCapture } from '../../support/log-capture.ts';

const address = { kind: 'tcp', host: '127.0.0.1', port: 6379 } as const;

/** What the log says of these events, without the times. */
async function linesOf(events: readonly AttacheEvent[], now?: () => number): Promise<Record<string, unknown>[]> {
  const capture = await LogCapture.create();
  const observer = eventLog(capture.log.logger, now);
  events.forEach(observer);
  return (await capture.lines()).map(({ time, ...line }) => {
    assert.equal(typeof time, 'string');
    return line;
  });
}

const service = 'redis';

const table: readonly (readonly [AttacheEvent, Record<string, unknown>])[] = [
  [
    { type: 'listening', service, listener: 0, address },
    { level: 'info', service, listener: 0, address: '127.0.0.1:6379', msg: 'listening' },
  ],
  [
    { type: 'listen-failed', service, listener: 1, address, errno: 'EADDRINUSE', retryInMs: 99.7 },
    {
      level: 'error',
      service,
      listener: 1,
      address: '127.0.0.1:6379',
      errno: 'EADDRINUSE',
      hint: 'another process has this address: stop that process, or choose another port',
      retryInMs: 100,
      msg: 'listen failed',
    },
  ],
  [
    { type: 'listener-closed', service, listener: 0, reason: 'no-candidate' },
    { level: 'info', service, listener: 0, reason: 'no-candidate', msg: 'listener closed' },
  ],
  [
    { type: 'state-file', outcome: 'ignored', path: '/s', error: 'written by something else' },
    { level: 'warn', outcome: 'ignored', path: '/s', error: 'written by something else', msg: 'state file' },
  ],
  [
    { type: 'state-file', outcome: 'unwritable', path: '/s', error: 'EROFS: x' },
    { level: 'warn', outcome: 'unwritable', path: '/s', error: 'EROFS: x', msg: 'state file' },
  ],
  [
    { type: 'state-file', outcome: 'recovered', path: '/s' },
    { level: 'info', outcome: 'recovered', path: '/s', msg: 'state file' },
  ],
  [
    { type: 'connection-opened', service, id: 1, client: '127.0.0.1:5' },
    { level: 'debug', service, id: 1, client: '127.0.0.1:5', msg: 'connection opened' },
  ],
  [
    { type: 'dial-failed', service, id: 1, candidate: 'a:1', errno: 'ECONNREFUSED', ms: 1.4 },
    { level: 'debug', service, id: 1, candidate: 'a:1', errno: 'ECONNREFUSED', ms: 1, msg: 'dial failed' },
  ],
  [
    { type: 'candidates-changed', service, candidates: [address], added: ['127.0.0.1:6379'], removed: ['b:2'] },
    {
      level: 'info',
      service,
      candidates: 1,
      added: 1,
      removed: 1,
      addedCandidates: ['127.0.0.1:6379'],
      removedCandidates: ['b:2'],
      msg: 'candidates changed',
    },
  ],
  [
    {
      type: 'candidate-ejected',
      service,
      candidate: 'a:1',
      errno: 'ECONNREFUSED',
      fails: 3,
      forMs: 10_000,
      again: false,
    },
    {
      level: 'warn',
      service,
      candidate: 'a:1',
      errno: 'ECONNREFUSED',
      fails: 3,
      forMs: 10_000,
      msg: 'candidate ejected',
    },
  ],
  [
    { type: 'candidate-ejected', service, candidate: 'a:1', errno: 'TIMEOUT', fails: 4, forMs: 10_000, again: true },
    {
      level: 'debug',
      service,
      candidate: 'a:1',
      errno: 'TIMEOUT',
      fails: 4,
      forMs: 10_000,
      msg: 'candidate still ejected',
    },
  ],
  [
    { type: 'candidate-recovered', service, candidate: 'a:1', by: 'probe' },
    { level: 'info', service, candidate: 'a:1', by: 'probe', msg: 'candidate recovered' },
  ],
  [
    { type: 'discovery-state', service, status: 'starting', error: 'ECONNREFUSED http://u:hunter2@etcd:2379' },
    {
      level: 'warn',
      service,
      status: 'starting',
      error: 'ECONNREFUSED http://[redacted]@etcd:2379',
      msg: 'discovery starting',
    },
  ],
  [
    { type: 'discovery-state', service, status: 'stale', error: 'no leader' },
    { level: 'warn', service, status: 'stale', error: 'no leader', msg: 'discovery stale' },
  ],
  [
    { type: 'discovery-state', service, status: 'synced' },
    { level: 'info', service, status: 'synced', msg: 'discovery synced' },
  ],
  [
    { type: 'candidate-ignored', service, key: '\u001b[31mx', reason: 'expected host:port' },
    { level: 'warn', service, key: '\u001b[31mx', reason: 'expected host:port', msg: 'candidate ignored' },
  ],
  [
    { type: 'candidate-detail-ignored', service, key: 'a:1', reason: 'expected "weight"' },
    { level: 'warn', service, key: 'a:1', reason: 'expected "weight"', msg: 'candidate detail ignored' },
  ],
  [
    { type: 'accept-failed', service, errno: 'EMFILE' },
    { level: 'error', service, errno: 'EMFILE', msg: 'accept failed' },
  ],
  [
    { type: 'connections-reset', service, connections: 7, mode: 'reset' },
    { level: 'info', service, connections: 7, mode: 'reset', msg: 'connections reset' },
  ],
  [
    { type: 'lifecycle', phase: 'draining', connections: 3 },
    { level: 'info', phase: 'draining', connections: 3, msg: 'lifecycle' },
  ],
  [
    { type: 'lifecycle', phase: 'cutting', connections: 3 },
    { level: 'warn', phase: 'cutting', connections: 3, msg: 'lifecycle' },
  ],
];

for (const [event, expected] of table) {
  test(`${event.type} is one line: ${JSON.stringify(expected)}`, async () => {
    assert.deepEqual(await linesOf([event]), [expected]);
  });
}

test('an internal error is logged with where it was caught and its stack', async () => {
  const [line] = await linesOf([{ type: 'internal-error', service, where: 'relay', error: new Error('bug') }]);
  assert.equal(line?.['level'], 'error');
  assert.equal(line['where'], 'relay');
  assert.match(JSON.stringify(line['err']), /"message":"bug".*"stack"/);
});

test('a finished connection is left to the access log', async () => {
  const closed = {
    type: 'connection-closed',
    service,
    id: 1,
    client: 'c',
    candidate: undefined,
    bytesToCandidate: 0,
    bytesToClient: 0,
    dialMs: 0,
    totalMs: 0,
    endedBy: 'attache',
    reason: 'no_candidates',
    attempts: [],
  } as const;
  assert.deepEqual(await linesOf([closed]), []);
});

test('a port that stays taken is an error once, again when the errno changes and after it had listened, else debug', async () => {
  const failed = (errno: string, listener = 0) =>
    ({ type: 'listen-failed', service, listener, address, errno, retryInMs: 1 }) as const;
  const lines = await linesOf([
    failed('EADDRINUSE'),
    failed('EADDRINUSE'),
    failed('EADDRINUSE', 1),
    failed('EACCES'),
    failed('EACCES'),
    { type: 'listening', service, listener: 0, address },
    failed('EACCES'),
  ]);
  assert.deepEqual(
    lines.map(({ level }) => level),
    ['error', 'debug', 'error', 'error', 'debug', 'info', 'error'],
  );
});

test('promise 24: a backend that is down makes one line per change of state, however often it is tried', async () => {
  const down = (error: string) => ({ type: 'discovery-state', service, status: 'stale', error }) as const;
  const up = { type: 'discovery-state', service, status: 'synced' } as const;
  const lines = await linesOf([
    up,
    up,
    ...Array.from({ length: 1_000 }, (_, i) => down(`attempt ${i}`)),
    { ...down('attempt'), service: 'other' },
    up,
    up,
  ]);
  assert.deepEqual(
    lines.map((line) => [line['service'], line['status'], line['error']]),
    [
      [service, 'synced', undefined],
      [service, 'stale', 'attempt 0'],
      ['other', 'stale', 'attempt'],
      [service, 'synced', undefined],
    ],
  );
});

test('promise 10: running out of descriptors makes one line in 10 s, the next one with a count', async () => {
  let now = 0;
  const paused = { type: 'accept-failed', service, errno: 'EMFILE' } as const;
  const capture = await LogCapture.create();
  const observer = eventLog(capture.log.logger, () => now);
  for (now = 0; now < 10_000; now += 100) observer(paused);
  observer(paused);
  const lines = await capture.lines();
  assert.deepEqual(
    lines.map(({ suppressed }) => suppressed),
    [undefined, 99],
  );
});

test('clients that are refused for their header make a bounded number of lines, the next one with a count', async () => {
  let now = 0;
  const refused = { type: 'proxy-header-refused', service, id: 1, address: '127.0.0.1:5', code: 'NO_HEADER' } as const;
  const capture = await LogCapture.create();
  const observer = eventLog(capture.log.logger, () => now);
  for (let i = 0; i < 1_000; i += 1) observer(refused);
  now = 10_000;
  observer(refused);
  const lines = await capture.lines();
  assert.equal(lines.length, 21);
  const { time, ...last } = lines.at(-1) ?? {};
  assert.equal(typeof time, 'string');
  const { type, ...fields } = refused;
  assert.equal(type, 'proxy-header-refused');
  assert.deepEqual(last, { level: 'warn', ...fields, suppressed: 980, msg: 'proxy header refused' });
});

test('a registry filled with garbage makes a bounded number of bounded lines', async () => {
  const lines = await linesOf(
    Array.from({ length: 1_000 }, (_, i) => ({
      type: 'candidate-ignored',
      service,
      key: `${i}${'x'.repeat(10_000)}`,
      reason: 'expected host:port',
    })),
    () => 0,
  );
  assert.equal(lines.length, 20);
  assert.ok(JSON.stringify(lines).length < 20_000);
});

test('a change of thousands of candidates makes a short line', async () => {
  const many = Array.from({ length: 5_000 }, (_, i) => `10.0.0.${i}:1`);
  const [line] = await linesOf([{ type: 'candidates-changed', service, candidates: [], added: many, removed: many }]);
  assert.equal(line?.['added'], 5_000);
  assert.ok(JSON.stringify(line).length < 2_000);
});

test('a candidate that fails and answers by turns makes a bounded number of lines', async () => {
  const ejected = {
    type: 'candidate-ejected',
    service,
    candidate: 'a:1',
    errno: 'TIMEOUT',
    fails: 1,
    forMs: 1,
  } as const;
  const lines = await linesOf(
    Array.from({ length: 1_000 }, () => [
      { ...ejected, again: false },
      { type: 'candidate-recovered', service, candidate: 'a:1', by: 'connection' } as const,
    ]).flat(),
    () => 0,
  );
  assert.equal(lines.length, 40);
});
