import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Below every system's ephemeral ports, of which a run uses up thousands. */
const FIRST = 12_000;
const LAST = 30_000;
const LOOK_EVERY_MS = 2;

const given = new Set<number>();

/** A port that nobody listens on at these addresses of loopback, and that was not given before. */
export async function freePort(hosts: readonly string[] = ['127.0.0.1']): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (given.has(port)) continue;
    const free = await Promise.all(hosts.map((host) => isFree(host, port)));
    if (!free.every(Boolean)) continue;
    given.add(port);
    return port;
  }
  throw new Error(`found no free port from ${FIRST} to ${LAST}`);
}

/** Waits until something listens there, without connecting: a connection would already be work. */
export async function listening(port: number, signal: AbortSignal): Promise<void> {
  const until = performance.now() + 10_000;
  while (!isListening(readFileSync('/proc/net/tcp', 'latin1'), port)) {
    if (performance.now() > until) throw new Error(`nobody listens on port ${port} after 10 s`);
    await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}

/** Whether a table as in /proc/net/tcp has a listener on loopback or on every address. */
export function isListening(table: string, port: number): boolean {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A `;
  return table.includes(`0100007F${suffix}`) || table.includes(`00000000${suffix}`);
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
