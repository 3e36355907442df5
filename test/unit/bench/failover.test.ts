import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { faultOf, firstValue, readMessages } from '../../../bench/backends/postgres-line.ts';
import { readingOf, writesAfter, WritingApp } from '../../../bench/load/writing-app.ts';
import { attache } from '../../../bench/peers/attache.ts';
import { haproxy } from '../../../bench/peers/haproxy.ts';
import { onlyAttache, withoutRoles, type Route } from '../../../bench/peers/peer.ts';

test('the time counts from the change until the new leader confirms a write, and errors from its beginning', () => {
  const seen = {
    writes: [
      { at: 90, server: 'old' },
      { at: 130, server: 'old' },
      { at: 140, server: 'new' },
      { at: 175, server: 'new' },
      { at: 180, server: 'new' },
    ],
    errors: [80, 100, 120, 160],
  };
  const change = { begunAt: 100, changedAt: 150, server: 'new' };
  assert.deepEqual(
    writesAfter(seen, change).map(({ at }) => at),
    [175, 180],
  );
  assert.deepEqual(readingOf(seen, change), { firstWriteMs: 25, errors: 3 });
});

test('without a write to the new leader there is no figure', () => {
  const seen = { writes: [{ at: 200, server: 'old' }], errors: [] };
  const { firstWriteMs } = readingOf(seen, { begunAt: 100, changedAt: 150, server: 'new' });
  assert.ok(Number.isNaN(firstWriteMs));
});

test('an app connects again after an error, and keeps the connection after a write', async () => {
  const over = new AbortController();
  let [opened, closed] = [0, 0];
  const open = () => {
    opened += 1;
    if (opened === 1) return Promise.reject(new Error('refused'));
    const mine = opened;
    const write = (n: number) => (n === 4 ? Promise.reject(new Error('read-only')) : Promise.resolve(`server ${mine}`));
    return Promise.resolve({ write, close: () => (closed += 1) });
  };
  const app = new WritingApp(open, over.signal);
  const running = app.run();
  while (app.writes.length < 4) await delay(1);
  over.abort();
  await running;
  const servers = app.writes.slice(0, 4).map(({ server }) => server);
  assert.deepEqual(servers, ['server 2', 'server 2', 'server 3', 'server 3']);
  assert.equal(app.errors.length, 2);
  assert.equal(closed, 2);
});

test('messages of PostgreSQL are read when they are whole', () => {
  const received = Buffer.concat([message('C', Buffer.from('SELECT 1\0')), message('Z', Buffer.from('I'))]);
  for (let length = 0; length < received.length; length += 1) {
    const begun = readMessages(received.subarray(0, length));
    const { messages } = readMessages(Buffer.concat([begun.rest, received.subarray(length)]));
    const types = [...begun.messages, ...messages].map(({ type }) => type);
    assert.deepEqual(types, ['C', 'Z'], `cut after ${length} bytes`);
  }
  const { messages, rest } = readMessages(received);
  assert.equal(messages[0]?.body.toString(), 'SELECT 1\0');
  assert.equal(rest.length, 0);
});

test('the message of a fault and the first value of a row are found', () => {
  assert.equal(faultOf(Buffer.from('SERROR\0C25006\0Mcannot execute INSERT\0\0')), 'cannot execute INSERT');
  assert.equal(faultOf(Buffer.from('SERROR\0\0')), 'an error without a message');
  const row = Buffer.concat([Buffer.from([0, 2, 0, 0, 0, 3]), Buffer.from('abc'), Buffer.from([0, 0, 0, 1, 65])]);
  assert.equal(firstValue(row), 'abc');
  assert.equal(firstValue(Buffer.from([0, 1, 255, 255, 255, 255])), '', 'NULL');
  assert.equal(firstValue(Buffer.from([0, 0])), '');
});

test('attache asks Patroni who leads, and has its defaults otherwise', () => {
  const { env } = attache({ node: 'node', nodeVersion: '20.0.0', main: 'main.js', set: {} }).command(route().asked);
  assert.deepEqual(env, {
    SRC: '127.0.0.1:1000',
    DST: '127.0.0.51:2000,127.0.0.52:2000',
    HEALTH_CHECK: 'http://:3000/primary',
    HTTP_ADDR: '127.0.0.1:0',
    ADMIN_ADDR: 'off',
  });
});

test('HAProxy asks as the template of Patroni has it', () => {
  const { asked, files } = route();
  haproxy().command(asked);
  const lines = (files[0] ?? '').split('\n').map((line) => line.trim());
  for (const line of [
    'option httpchk OPTIONS /primary',
    'http-check expect status 200',
    'default-server inter 3s fall 3 rise 2 on-marked-down shutdown-sessions',
    'server pg-0 127.0.0.51:2000 maxconn 100 check port 3000',
    'server pg-1 127.0.0.52:2000 maxconn 100 check port 3000',
  ])
    assert.ok(lines.includes(line), line);
  assert.ok(!lines.some((line) => line.startsWith('server backend')));
});

test('only those who can ask for the role take part', () => {
  assert.match(withoutRoles('failover-patroni') ?? '', /Patroni/);
  assert.match(withoutRoles('failover') ?? '', /Redis/);
  assert.equal(onlyAttache('failover-patroni'), undefined);
  assert.equal(withoutRoles('small'), undefined);
});

function route(): { readonly asked: Route; readonly files: string[] } {
  const files: string[] = [];
  const file = (_name: string, content: string) => `${files.push(content)}`;
  const patroni = { hosts: ['127.0.0.51', '127.0.0.52'], port: 2_000, restPort: 3_000 };
  const task = { kind: 'plain' } as const;
  return { files, asked: { from: 1_000, to: 2_000, patroni, task, connections: 100, openFiles: 1_024, file } };
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeUInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}
