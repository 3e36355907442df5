/**
 * The main job on one machine, with nothing installed: a registry of folders and files, two tiny backends, the real
 * program between them and a client that keeps asking. One backend leaves and comes back; the client never changes.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ASK_EVERY_MS = 250;
const ANSWER_WITHIN_MS = 2_000;
const ACT_MS = 3_000;
/** Between a question without an answer and the next, so that a sidecar that is gone is not asked in a spin. */
const ASK_AGAIN_MS = 20;

const started = performance.now();
const registry = mkdtempSync(join(tmpdir(), 'attache-demo-'));
const members = join(registry, 'srv', 'demo');
mkdirSync(members, { recursive: true });
const answers = new Map<string, number>();
/** Who answered last, and how often in a row. */
let streak: { readonly name: string; count: number } | undefined;
let failures = 0;
let sidecar: ChildProcess | undefined;
// Nothing may stay behind, the sidecar and the registry least of all, however the demo is ended.
const over = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => over.abort());

try {
  await play();
} catch (error) {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error;
} finally {
  sidecar?.kill('SIGTERM');
  if (sidecar?.exitCode === null && sidecar.signalCode === null) await once(sidecar, 'exit');
  rmSync(registry, { recursive: true, force: true });
}
const total = [...answers.values()].reduce((sum, count) => sum + count, 0);
const spread = [...answers].map(([name, count]) => `${name} ${count}`).join(', ');
say(
  `summary: ${total} answers (${spread}), ${failures} questions asked twice, attache exit code ${sidecar?.exitCode ?? '?'}`,
);
// Both backends must have answered, or the demo has shown nothing.
process.exit(answers.size === 2 && sidecar?.exitCode === 0 ? 0 : 1);

async function play(): Promise<void> {
  const [blue, green] = [await startBackend('blue'), await startBackend('green')];
  // Candidates are tried in the order of their names, and blue is to be the first.
  const [first, second] = blue.port < green.port ? [blue, green] : [green, blue];
  for (const backend of [first, second]) register(backend);
  const port = await startSidecar();
  const client = keepAsking(port, over.signal);
  const act = async () => {
    await delay(ACT_MS, undefined, { signal: over.signal });
    sayStreak();
  };

  await act();
  say(`${first.name} leaves: rm ${fileOf(first)}`);
  rmSync(fileOf(first));
  await act();
  say(`${first.name} comes back: touch ${fileOf(first)}`);
  register(first);
  await act();
  if (process.stdout.isTTY) {
    say(`your turn: rm and touch files in ${members} from another terminal; Ctrl-C ends`);
    await once(over.signal, 'abort');
  }
  over.abort();
  await client;
}

interface Backend {
  readonly name: string;
  readonly port: number;
}

/** Answers every question with its name; a question is one small packet. */
async function startBackend(name: string): Promise<Backend> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', () => socket.write(`${name}\n`));
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  return { name, port: (server.address() as AddressInfo).port };
}

function fileOf({ port }: Backend): string {
  return join(members, `127.0.0.1:${port}`);
}

function register(backend: Backend): void {
  writeFileSync(fileOf(backend), '');
  say(`registered ${backend.name}: ${fileOf(backend)}`);
}

async function startSidecar(): Promise<number> {
  const settings = {
    SRC: '127.0.0.1:0',
    SRV: '/srv/demo',
    DSC: `file://${registry}`,
    // The page of the browser.
    HTTP_ADDR: '127.0.0.1:0',
    ADMIN_ADDR: 'off',
    LOG_FORMAT: 'json',
  };
  const command = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  say(`${command.join(' ')} attache`);
  const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
  const child = spawn(process.execPath, [main], {
    // These settings alone: others of attache may be set here.
    env: { PATH: process.env['PATH'], ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  sidecar = child;
  // Whatever happens to the demo, its sidecar goes with it.
  process.once('exit', () => child.kill('SIGKILL'));
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => {
      reject(new Error(`attache exited with ${code}`));
      over.abort();
    });
    let port = 0;
    createInterface(child.stdout).on('line', (text) => {
      const line = JSON.parse(text) as { msg: string; address?: string; reason?: string; candidate?: string };
      if (line.msg === 'listening') port = Number(line.address?.split(':').at(-1));
      if (line.msg === 'HTTP server listening') say(`watch it in a browser: http://${line.address ?? ''}/`);
      // Who comes earlier finds no candidate.
      if (line.msg === 'discovery synced') resolve(port);
      if (line.msg === 'connection closed')
        say(`  attache: connection to ${line.candidate ?? 'nobody'} closed, ${line.reason ?? ''}`);
    });
  });
}

/** An app that knows one address, asks again and again, and connects anew when its connection is reset. */
async function keepAsking(port: number, signal: AbortSignal): Promise<void> {
  let connection: Socket | undefined;
  while (!signal.aborted) {
    if (connection === undefined || connection.destroyed) {
      connection = connect(port, '127.0.0.1');
      connection.on('error', () => undefined);
    }
    const answer = await ask(connection);
    if (answer === undefined) {
      failures += 1;
      connection.destroy();
      await delay(ASK_AGAIN_MS);
      continue;
    }
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
    note(answer, port);
    await delay(ASK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
  connection?.destroy();
}

/** An answer is told when another backend gave the last one; of those in between the number is. */
function note(name: string, port: number): void {
  if (streak?.name === name) {
    streak.count += 1;
    return;
  }
  sayStreak();
  streak = { name, count: 1 };
  say(`client: asks 127.0.0.1:${port} every ${ASK_EVERY_MS} ms, answered by ${name}`);
}

function sayStreak(): void {
  if (streak === undefined || streak.count < 2) return;
  say(`client: ${streak.count} answers by ${streak.name}`);
  streak.count = 0;
}

/** One question; undefined when the connection ended, or nothing came in time. */
function ask(connection: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    const settle = (answer?: string) => {
      clearTimeout(limit);
      connection.off('data', onData).off('close', onClose);
      resolve(answer);
    };
    const onData = (chunk: Buffer) => settle(chunk.toString().trim());
    const onClose = () => settle();
    const limit = setTimeout(settle, ANSWER_WITHIN_MS);
    connection.on('data', onData).on('close', onClose);
    connection.write('who are you?\n');
  });
}

function say(text: string): void {
  process.stdout.write(`${((performance.now() - started) / 1000).toFixed(2).padStart(6)} s  ${text}\n`);
}
