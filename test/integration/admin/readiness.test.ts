import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runAttache, startAttache, type Attache } from '../../support/attache.ts';
import { startEtcd } from '../../support/etcd.ts';
import { freePort, startNamed, startServer } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

interface Answer {
  readonly status: number;
  readonly services: readonly {
    readonly name: string;
    readonly ready: boolean;
    readonly reasons: readonly string[];
    readonly discovery: { readonly status: string; readonly error?: string };
  }[];
}

async function readyz(port: number): Promise<Answer | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`);
    return { status: response.status, ...((await response.json()) as Omit<Answer, 'status'>) };
  } catch {
    return undefined;
  }
}

async function becomes(port: number, status: number, what: string): Promise<Answer> {
  let answer: Answer | undefined;
  await eventually(async () => (answer = await readyz(port))?.status === status, what, 20_000);
  if (answer === undefined) throw new Error('unreachable');
  return answer;
}

const healthcheck = (t: Parameters<typeof runAttache>[0], port: number) =>
  runAttache(t, { args: ['healthcheck'], env: { HTTP_ADDR: `127.0.0.1:${port}` } });

test('promise 34: while an address is taken /readyz is 503 with the address and errno, and 200 once it is free', async (t) => {
  const [http, taken, server] = [await freePort(), await startServer(t), await startNamed(t, 'x')];
  startAttache(t, {
    env: {
      HTTP_ADDR: `127.0.0.1:${http}`,
      SRC_A: `127.0.0.1:${taken.port}`,
      DST_A: `127.0.0.1:${server.port}`,
      SRC_B: '127.0.0.1:0',
      DST_B: `127.0.0.1:${server.port}`,
    },
  });
  const { services } = await becomes(http, 503, 'not ready');
  assert.deepEqual(
    services.map(({ name, ready, reasons }) => [name, ready, reasons]),
    [
      ['a', false, [`not listening on 127.0.0.1:${taken.port}: EADDRINUSE`]],
      ['b', true, []],
    ],
  );
  assert.deepEqual((await healthcheck(t, http)).code, 1);
  await taken.stop();
  await becomes(http, 200, 'ready once the address is free');
  assert.deepEqual((await healthcheck(t, http)).code, 0);
});

test('promise 19 and 24: not ready before the first answer of etcd, ready after it, and still ready with it gone', async (t) => {
  const http = await freePort();
  const etcd = await startEtcd(t);
  await etcd.kill();
  const attache: Attache = startAttache(t, {
    env: { HTTP_ADDR: `127.0.0.1:${http}`, SRC: '127.0.0.1:0', SRV: '/srv/x', DSC: etcd.url },
  });
  await attache.line((line) => line.msg === 'discovery starting' && line['error'] !== undefined);
  const before = await becomes(http, 503, 'not ready');
  assert.match(before.services[0]?.reasons[0] ?? '', /^discovery has not answered yet: ./);
  await etcd.restart();
  await becomes(http, 200, 'ready');
  await attache.line((line) => line.msg === 'discovery synced');
  await etcd.kill();
  await attache.line((line) => line.msg === 'discovery stale');
  const after = await becomes(http, 200, 'still ready');
  assert.equal(after.services[0]?.discovery.status, 'stale');
  assert.ok((after.services[0].discovery.error ?? '') !== '');
});

test('READY_MIN_CANDIDATES: a service with fewer candidates is not ready', async (t) => {
  const http = await freePort();
  const etcd = await startEtcd(t);
  startAttache(t, {
    env: {
      HTTP_ADDR: `127.0.0.1:${http}`,
      SRC: '127.0.0.1:0',
      SRV: '/srv/x',
      DSC: etcd.url,
      READY_MIN_CANDIDATES: '1',
    },
  });
  const { services } = await becomes(http, 503, 'not ready');
  await eventually(
    async () => (await readyz(http))?.services[0]?.reasons[0] === 'too few candidates: 0 of 1',
    `the reason, got ${JSON.stringify(services)}`,
  );
  await etcd.api.put('/srv/x/127.0.0.1:1');
  await becomes(http, 200, 'ready');
});

test('promise 35: draining is 503 at once, while new clients are still accepted', async (t) => {
  const http = await freePort();
  const attache = startAttache(t, {
    env: { HTTP_ADDR: `127.0.0.1:${http}`, SRC: '127.0.0.1:0', DST: '127.0.0.1:1', DRAIN_DELAY: '1s' },
  });
  await becomes(http, 200, 'ready');
  attache.child.kill('SIGTERM');
  const { services } = await becomes(http, 503, 'draining');
  assert.deepEqual(services[0]?.reasons, ['draining']);
  assert.equal(await attache.exited, 0);
});
