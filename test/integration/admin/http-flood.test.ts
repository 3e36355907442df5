import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startAttache } from '../../support/attache.ts';
import { endWithProcess } from '../../support/end-with.ts';
import { httpPort } from '../../support/http.ts';
import { askRaw } from '../../support/raw-http.ts';

const PROBES = 70;
const HOST = 'Host: 127.0.0.1\r\n';
const PROBE = `GET /healthz HTTP/1.1\r\n${HOST}\r\n`;

for (const [what, bytes] of [
  ['say nothing', ''],
  ['send half a request', `GET /healthz HTTP/1.1\r\n${HOST}X`],
  ['do not read /metrics', `GET /metrics HTTP/1.1\r\n${HOST}\r\n`],
  ['do not read /events', `GET /events HTTP/1.1\r\n${HOST}\r\n`],
] as const) {
  for (const [where, addresses] of [
    ['one address', 1],
    ['300 addresses', 300],
  ] as const) {
    test(`${PROBES} of ${PROBES} probes are answered within 1 s beside 300 clients of ${where} that ${what}`, async (t) => {
      const attache = startAttache(t, { env: { SRC: '127.0.0.1:0', DST: '127.0.0.1:1', HTTP_ADDR: '127.0.0.1:0' } });
      const port = await httpPort(attache, 'health');
      // What the first answer loads is not what is asked here.
      await askRaw({ port, bytes: `GET /metrics HTTP/1.1\r\n${HOST}\r\n`, withinMs: 20_000 });
      await flood(t, { port, addresses, bytes });
      assert.deepEqual(await probe(port, '127.0.0.1'), []);
    });
  }
}

test(`${PROBES} of ${PROBES} probes are answered at PROBE_ADDR beside a flood of HTTP_ADDR from the same address`, async (t) => {
  const env = { SRC: '127.0.0.1:0', DST: '127.0.0.1:1', HTTP_ADDR: '127.0.0.1:0', PROBE_ADDR: '127.0.0.1:0' };
  const attache = startAttache(t, { env });
  await flood(t, { port: await httpPort(attache, 'health'), addresses: 1, bytes: '' });
  assert.deepEqual(await probe(await httpPort(attache, 'probe'), '127.0.0.2'), []);
});

interface Flood {
  readonly port: number;
  /** How many it comes from. */
  readonly addresses: number;
  readonly bytes: string;
}

/** Starts it, and waits until there are more than may stay. */
async function flood(t: TestContext, { port, addresses, bytes }: Flood): Promise<void> {
  const file = fileURLToPath(new URL('../../support/http-flood.js', import.meta.url));
  const child = spawn(process.execPath, [file, String(port), String(addresses), bytes], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  endWithProcess(child);
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  child.stdout.resume();
  // The flood has come up when an answer has got through it, or will not.
  await askRaw({ port, bytes: PROBE, withinMs: 5_000 });
}

/** @returns what went wrong, probe by probe */
async function probe(port: number, localAddress: string): Promise<readonly string[]> {
  const faults: string[] = [];
  for (let i = 0; i < PROBES; i += 1) {
    const { statuses, ms } = await askRaw({ port, bytes: PROBE, localAddress, withinMs: 1_000 });
    if (statuses[0] !== 200 || ms > 1_000) faults.push(`probe ${i}: ${statuses.join()} after ${Math.round(ms)} ms`);
    await delay(10);
  }
  return faults;
}
