/**
 * Takes the pictures of the status page, docs/images/status-page*.png, light and dark, for a screen and a phone, from a real
 * run: two services, candidates of which one is down and one leaves, connections with traffic. Prints what `attache status` says at the same moment.
 * Needs Chromium, and the ports 16379, 15432 and 29091 of 127.0.0.1.
 */
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { runAttache, startAttache } from '../test/support/attache.ts';
import { openStatusPage, startBrowser } from '../test/support/browser.ts';
import { ScriptScope } from '../test/support/scope.ts';
import { connectTo, startServer } from '../test/support/tcp.ts';

const PICTURES = [
  { file: 'status-page.png', colorScheme: 'light', width: 1_280, height: 720 },
  { file: 'status-page-dark.png', colorScheme: 'dark', width: 1_280, height: 720 },
  { file: 'status-page-phone.png', colorScheme: 'light', width: 375, height: 740 },
  { file: 'status-page-phone-dark.png', colorScheme: 'dark', width: 375, height: 740 },
] as const;
/** Of each: they are part of every clone. */
const MAX_BYTES = 120_000;
const HTTP_ADDR = '127.0.0.1:29091';
const [REDIS, POSTGRES] = [16_379, 15_432];
/** The lines of the page show three minutes. */
const RUN_MS = 180_000;
const SRV = 'srv/redis/prod';

const scope = new ScriptScope();
try {
  await main();
} finally {
  await scope.close();
}

async function main(): Promise<void> {
  const registry = await mkdtemp(join(tmpdir(), 'attache-picture-'));
  scope.after(() => rm(registry, { recursive: true, force: true }));
  await mkdir(join(registry, SRV), { recursive: true });
  const register = (member: string) => writeFile(join(registry, SRV, member), '');
  for (const [host, port] of [
    ['127.0.1.134', 6_379],
    ['127.0.1.135', 6_379],
    ['127.0.1.137', 6_379],
    ['127.0.2.11', 5_432],
  ] as const) {
    await startServer(scope, { host, port, onConnection: answerAmply });
  }
  for (const host of ['127.0.1.134', '127.0.1.135', '127.0.1.136']) await register(`${host}:6379`);

  startAttache(scope, {
    env: {
      SRC_REDIS: `127.0.0.1:${REDIS}`,
      SRV_REDIS: `/${SRV}`,
      DSC: pathToFileURL(registry).href,
      BALANCE_REDIS: 'round-robin',
      RETRIES_REDIS: '2',
      MAX_FAILS_REDIS: '1',
      ON_CHANGE_REDIS: 'reset-removed',
      SRC_PG: `127.0.0.1:${POSTGRES}`,
      DST_PG: '127.0.2.10:5432,127.0.2.11:5432',
      FAIL_TIMEOUT: '10m',
      HTTP_ADDR,
      LOG_LEVEL: 'warn',
    },
  });
  const url = await whenServed();
  const clients = [...(await open(REDIS, 5)), ...(await open(POSTGRES, 3))];
  const begunAt = Date.now();
  const traffic = setInterval(() => talk(clients, Date.now() - begunAt), 50);
  scope.after(() => clearInterval(traffic));
  await delay(RUN_MS / 2);
  await register('127.0.1.137:6379');
  await delay(RUN_MS / 8);
  await rm(join(registry, SRV, '127.0.1.135:6379'));
  clients[6]?.resetAndDestroy();
  await delay(RUN_MS / 4);
  clients.push(...(await open(REDIS, 2)));
  await delay(RUN_MS / 8);
  // Opened only now: what was before, the process has noted.
  const browser = await startBrowser(scope);
  for (const { file, colorScheme, width, height } of PICTURES) {
    const { page } = await openStatusPage(browser, url, { viewport: { width, height }, colorScheme });
    await delay(1_500);
    const path = join('docs/images', file);
    await page.screenshot({ path });
    const { size } = await stat(path);
    if (size > MAX_BYTES) throw new Error(`${path} has ${size} bytes, more than ${MAX_BYTES}`);
    await page.context().close();
  }
  console.log((await runAttache(scope, { args: ['status'], env: { HTTP_ADDR } })).stdout);
}

/** Two bytes for each that comes. */
function answerAmply(socket: Socket): void {
  socket.on('data', (chunk: Buffer) => socket.writable && socket.write(Buffer.alloc(chunk.length * 2)));
}

async function open(port: number, count: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  for (let n = 0; n < count; n += 1) {
    const socket = await connectTo(port);
    scope.after(() => socket.destroy());
    socket.write('x');
    await Promise.race([once(socket, 'data'), once(socket, 'close')]);
    sockets.push(socket.resume());
  }
  return sockets;
}

/** Waves, so that the lines are no straight ones. */
function talk(clients: readonly Socket[], ms: number): void {
  clients.forEach((client, n) => {
    const wave = 1 + Math.sin(ms / (9_000 + n * 700)) + 0.7 * Math.sin(ms / 4_100 + n);
    if (client.writable && wave > 0) client.write(Buffer.alloc(Math.ceil(wave * 900)));
  });
}

async function whenServed(): Promise<string> {
  const url = `http://${HTTP_ADDR}`;
  const until = Date.now() + 20_000;
  for (;;) {
    const isServed = await fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isServed) return url;
    if (Date.now() > until) throw new Error(`${url} does not answer`);
    await delay(100);
  }
}
