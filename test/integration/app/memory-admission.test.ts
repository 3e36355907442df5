import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { startAttache, type Attache, type AttacheOptions } from '../../support/attache.ts';
import { readAll, startEcho, connectTo } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const EXHAUSTED = 'out of memory: refusing clients; raise the memory limit or lower MAX_CONNECTIONS';
const AT_A_TIME = 100;

/** A pid that is there for sure. */
function pidOf({ child }: Attache): number {
  if (child.pid === undefined) throw new Error('it has not started');
  return child.pid;
}

function residentBytes(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}

interface Flooded {
  readonly attache: Attache;
  readonly port: number;
  /** Carried, each of which has had a byte back. */
  readonly carried: Set<Socket>;
  readonly refused: number;
}

/** Opens up to `clients` connections that stay, each of which asks once; ends when some have been refused. */
async function flood(t: TestContext, clients: number, options: AttacheOptions): Promise<Flooded> {
  const backend = await startEcho(t);
  const attache = startAttache(t, {
    ...options,
    args: ['--src', '127.0.0.1:0', '--dst', `127.0.0.1:${backend.port}`],
    env: { ACCESS_LOG: 'false', ...options.env },
  });
  const port = await attache.port();
  const carried = new Set<Socket>();
  t.after(() => carried.forEach((socket) => socket.destroy()));
  let refused = 0;
  const one = () =>
    new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('?'));
      const gone = () => {
        socket.destroy();
        if (!carried.delete(socket)) refused += 1;
        resolve();
      };
      socket
        .once('data', () => {
          carried.add(socket);
          resolve();
        })
        .on('error', gone)
        .on('end', gone);
    });
  while (carried.size + refused < clients && refused < AT_A_TIME / 2) {
    await Promise.all(Array.from({ length: AT_A_TIME }, one));
  }
  return { attache, port, carried, refused };
}

async function recovers(t: TestContext, { attache, port, carried }: Flooded): Promise<void> {
  const fits = (msg: string) => (line: { readonly msg?: string }) => line.msg === msg;
  assert.equal(attache.child.exitCode, null);
  assert.equal(attache.child.signalCode, null);
  await attache.line(fits(EXHAUSTED));
  assert.equal(attache.lines.filter(fits(EXHAUSTED)).length, 1, 'one line, however many were refused');
  for (const socket of carried) socket.destroy();
  const answers = async () => {
    const socket = await connectTo(port);
    t.after(() => socket.destroy());
    socket.end('?');
    return (await readAll(socket).catch(() => ({ bytes: Buffer.alloc(0) }))).bytes.length === 1;
  };
  await eventually(answers, 'a new client is carried', 10_000);
  const recovered = await attache.line(fits('memory available again'));
  assert.ok(Number(recovered['refused']) > 0);
}

test('a heap of 16 MB: beyond what it has room for clients are refused, the process lives and recovers', async (t) => {
  const flooded = await flood(t, 5_000, { nodeArgs: ['--max-old-space-size=16', '--max-semi-space-size=1'] });
  t.diagnostic(`${flooded.carried.size} were carried, ${flooded.refused} refused`);
  assert.ok(flooded.refused > 0, 'some were refused');
  assert.ok(flooded.carried.size > 200, `${flooded.carried.size} were carried`);
  await recovers(t, flooded);
});

test('MAX_MEMORY: the process stays below it, clients beyond are refused, counted and it recovers', async (t) => {
  const idle = startAttache(t, { args: ['--src', '127.0.0.1:0', '--dst', '127.0.0.1:1'] });
  await idle.port();
  const limit = residentBytes(pidOf(idle)) + 40 * 1024 * 1024;
  const flooded = await flood(t, 6_000, { env: { MAX_MEMORY: String(limit) } });
  const used = residentBytes(pidOf(flooded.attache));
  t.diagnostic(
    `${flooded.carried.size} were carried, ${flooded.refused} refused, ${used - limit} bytes over the limit`,
  );
  assert.ok(flooded.refused > 0, 'some were refused');
  assert.ok(flooded.carried.size > 200, `${flooded.carried.size} were carried`);
  assert.ok(used < limit, `${used} bytes are resident, ${limit} are allowed`);
  await recovers(t, flooded);
});

test('MAX_MEMORY below what the process needs for itself: a few clients are served all the same', async (t) => {
  const { carried, refused } = await flood(t, 60, { env: { MAX_MEMORY: '2Mi' } });
  assert.equal(carried.size, 8);
  assert.ok(refused > 0);
});
