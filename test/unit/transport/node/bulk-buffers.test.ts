import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import {
  bulkBytes,
  giveBulkBuffer,
  NARROW_BYTES,
  SPARE_MS,
  takeBulkBuffer,
} from '../../../../src/transport/node/bulk-buffers.ts';
import { WRITE_HIGH_WATER_BYTES } from '../../../../src/transport/node/high-water.ts';
import { startService } from '../../../support/service.ts';
import { startServer } from '../../../support/tcp.ts';
import { eventually } from '../../../support/wait.ts';

const MIB = 1024 * 1024;

test('buffers are bounded in number, used again, and spare ones go when nobody has needed them', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const taken: Buffer[] = [];
  for (let buffer = takeBulkBuffer('trial'); buffer !== undefined; buffer = takeBulkBuffer('trial')) taken.push(buffer);
  assert.equal(new Set(taken).size, 128);
  assert.equal(bulkBytes().out, 128 * NARROW_BYTES);
  const [one, ...others] = taken;
  assert.ok(one !== undefined);
  giveBulkBuffer('trial', one, true);
  assert.equal(takeBulkBuffer('trial'), one);
  giveBulkBuffer('trial', one, false);
  const fresh = takeBulkBuffer('trial');
  assert.notEqual(fresh, one, 'what is still under way is not used again');
  for (const buffer of [fresh ?? one, ...others]) giveBulkBuffer('trial', buffer, true);
  assert.deepEqual(bulkBytes(), { out: 0, spare: 128 * NARROW_BYTES });
  t.mock.timers.tick(SPARE_MS);
  t.mock.timers.tick(SPARE_MS);
  assert.deepEqual(bulkBytes(), { out: 0, spare: 0 });
});

test('300 clients that do not read keep a bounded number of bytes each, and none when they have gone', async (t) => {
  const backend = await startServer(t, { onConnection: (socket) => socket.write(Buffer.alloc(16 * MIB)) });
  const { service, port } = await startService(t, { candidates: [backend.address] });
  const clients: Socket[] = [];
  t.after(() => clients.forEach((client) => client.destroy()));
  for (let i = 0; i < 300; i += 1) {
    const client = connect(port, '127.0.0.1').on('error', () => undefined);
    clients.push(client.pause());
    await once(client, 'connect');
  }
  let before = -1;
  const settled = () => {
    const { bytesToClient } = service.traffic;
    const isSettled = bytesToClient > 0 && bytesToClient === before;
    before = bytesToClient;
    return isSettled;
  };
  await eventually(
    () => settled() && [...service.open].every(({ moving }) => (moving?.bytesToClient ?? 0) > 0),
    'all are stuck',
    30_000,
  );
  const { out } = bulkBytes();
  t.diagnostic(`${(out / MIB).toFixed(1)} MiB of buffers are out`);
  assert.ok(out <= 16 * MIB, `${(out / MIB).toFixed(1)} MiB of buffers are out`);
  for (const client of clients) client.destroy();
  await eventually(() => bulkBytes().out === 0, 'every buffer has been given back', 10_000);
});

/** A candidate that a client is carried to, and how many of its bytes the client has got. */
async function carried(t: TestContext) {
  const backend = await startServer(t);
  const { port } = await startService(t, { candidates: [backend.address] });
  const client = connect(port, '127.0.0.1').on('error', () => undefined);
  t.after(() => client.destroy());
  let got = 0;
  client.on('data', (chunk) => (got += chunk.length));
  return { candidate: await backend.accepted(), got: () => got };
}

test('a connection that has moved 1 MiB and idles keeps no buffer', async (t) => {
  const { candidate, got } = await carried(t);
  candidate.write(Buffer.alloc(MIB));
  await eventually(() => got() === MIB, 'all has come');
  await eventually(() => bulkBytes().out === 0, 'its buffer has been given back');
});

test('a connection whose last read filled the buffer keeps none', async (t) => {
  const { candidate, got } = await carried(t);
  let sent = 0;
  // Each comes when nothing else is under way, so a read takes it whole.
  for (const bytes of [WRITE_HIGH_WATER_BYTES, NARROW_BYTES, NARROW_BYTES, NARROW_BYTES]) {
    candidate.write(Buffer.alloc(bytes));
    sent += bytes;
    await eventually(() => got() === sent, 'it has come');
    await eventually(() => bulkBytes().out === 0, 'its buffer has been given back');
  }
});
