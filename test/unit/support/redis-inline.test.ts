import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { RedisInline } from '../../support/redis-inline.ts';
import { startServer } from '../../support/tcp.ts';

test('a connection may idle between two questions for longer than a reply may take', async (t) => {
  const server = await startServer(t, { onConnection: (socket) => socket.on('data', () => socket.write('+PONG\r\n')) });
  const redis = await RedisInline.connect(server.port, '127.0.0.1', 1_000);
  assert.equal(await redis.ask('ping'), 'PONG');
  await pause(1_500);
  assert.equal(await redis.ask('ping'), 'PONG');
  redis.close();
});

test('a question without a reply is given up', async (t) => {
  const server = await startServer(t);
  const redis = await RedisInline.connect(server.port, '127.0.0.1', 200);
  await assert.rejects(redis.ask('ping'), /the connection ended before the reply/);
});
