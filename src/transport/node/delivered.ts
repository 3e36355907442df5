import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** A peer that takes nothing for so long is not waited for. */
const PATIENCE_MS = 5_000;
const LEAST_PAUSE_MS = 5;
const MOST_PAUSE_MS = 200;

/**
 * Resolves when the kernel of the other side has taken what was written to `socket`, a TCP one: a reset before that would throw
 * it away. At once where the system does not tell (it does on Linux). Never rejects.
 */
export async function delivered(socket: Socket): Promise<void> {
  let before = Infinity;
  let movedAt = performance.now();
  for (let wait = LEAST_PAUSE_MS; !socket.destroyed; wait = Math.min(wait * 2, MOST_PAUSE_MS)) {
    const left = await underWay(socket);
    const now = performance.now();
    if (left < before) movedAt = now;
    before = left;
    if (left === 0 || now - movedAt >= PATIENCE_MS) return;
    await pause(wait);
  }
}

/** Bytes that the other side's kernel has not acknowledged; 0 also where that is not known. */
async function underWay({ localPort, remotePort, remoteFamily }: Socket): Promise<number> {
  if (localPort === undefined || remotePort === undefined) return 0;
  const table = await tableOf(remoteFamily === 'IPv6' ? '/proc/net/tcp6' : '/proc/net/tcp');
  // proc(5). Two connections of the same ports and other addresses are taken for one: that may be waited for as well.
  const rows = new RegExp(`:${hex(localPort)} [0-9A-F]+:${hex(remotePort)} [0-9A-F]{2} ([0-9A-F]{8}):`, 'g');
  return Math.max(0, ...[...table.matchAll(rows)].map(([, queue = '0']) => Number.parseInt(queue, 16)));
}

const reading = new Map<string, Promise<string>>();

/** Those who ask while it is read share the text: it is as long as there are connections. */
function tableOf(path: string): Promise<string> {
  const shared = reading.get(path);
  if (shared !== undefined) return shared;
  const text = readFile(path, 'latin1').catch(() => '');
  reading.set(path, text);
  void text.then(() => reading.delete(path));
  return text;
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}
