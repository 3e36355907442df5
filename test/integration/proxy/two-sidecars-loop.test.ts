import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAttache } from '../../support/attache.ts';
import { connectTo, freePort, readAll } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const MOST = 40;

test(
  'two sidecars that point at each other stop at MAX_CONNECTIONS, and all connections end',
  { timeout: 60_000 },
  async (t) => {
    const [one, other] = [await freePort(), await freePort()];
    const start = (port: number, candidate: number) =>
      startAttache(t, {
        env: {
          SRC: `127.0.0.1:${port}`,
          DST: `127.0.0.1:${candidate}`,
          MAX_CONNECTIONS: String(MOST),
          LOG_LEVEL: 'debug',
        },
      });
    const sidecars = [start(one, other), start(other, one)];
    for (const sidecar of sidecars) await sidecar.port();

    const client = await connectTo(one);
    client.write('ping\n');
    const { bytes } = await readAll(client);
    client.destroy();
    assert.equal(bytes.length, 0);
    const linesOf = (msg: string) => sidecars.flatMap(({ lines }) => lines).filter((line) => line.msg === msg);
    await eventually(
      () => linesOf('connection closed').length === linesOf('connection opened').length,
      'every connection is over',
    );
    const closed = linesOf('connection closed');
    // One side was full, and one more made it say so.
    assert.ok(closed.length > MOST && closed.length <= 2 * MOST + 1, String(closed.length));
    assert.equal(closed.filter(({ reason }) => reason === 'max_connections').length, 1);
  },
);
