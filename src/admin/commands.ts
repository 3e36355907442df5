import { setTimeout as delay } from 'node:timers/promises';
import { formatAddress, type Address } from '../core/address.ts';
import { MAX_DURATION_MS } from '../core/duration.ts';
import { visible } from '../core/visible.ts';
import { askAttache, type AskOptions } from './client.ts';
import { probe } from './healthcheck.ts';
import type { ConnectionsPage } from './status-routes.ts';
import type { StatusReport } from './status-report.ts';
import { connectionsTable, statusTable } from './status-table.ts';
import type { Story } from './story.ts';

/** How a command went: what it prints, and whether that is bad news. */
export interface Outcome {
  readonly ok: boolean;
  /** Without a newline at the end. */
  readonly text: string;
}

/** `attache healthcheck`. */
export async function healthCommand(address: Address): Promise<Outcome> {
  const { ok, detail } = await probe(address);
  return { ok, text: detail };
}

/** `attache quit`: asks at `ADMIN_ADDR` for the same as SIGTERM does. */
export async function quitCommand(address: Address): Promise<Outcome> {
  const reply = await askAttache(address, { path: '/quit', method: 'POST' });
  if (!reply.ok) return { ok: false, text: nobody(address, reply.detail) };
  if (reply.status === 202) return { ok: true, text: visible(reply.body.trim()) };
  return { ok: false, text: stranger(address, reply.status) };
}

/** `attache status`, once. */
export async function statusCommand(address: Address, signal?: AbortSignal): Promise<Outcome> {
  const path = '/status';
  return show(address, { path, ...(signal && { signal }) }, (body) => statusTable(body as StatusReport, Date.now()));
}

export interface WatchOptions {
  /** Only there the screen is cleared. */
  readonly isTerminal: boolean;
  readonly write: (text: string) => void;
}

/** `attache status --watch`: goes on until the process is ended, also while nobody answers. */
export async function watchStatus(address: Address, { isTerminal, write }: WatchOptions): Promise<never> {
  for (;;) {
    const { text } = await statusCommand(address);
    write(isTerminal ? `${CLEAR}${text}\n` : `${text}\n\n`);
    await delay(WATCH_MS);
  }
}

const CLEAR = '\u001b[H\u001b[2J\u001b[3J';
const WATCH_MS = 2_000;

/** `attache connections`: the newest ones, or the story of one. */
export async function connectionsCommand(address: Address, id: number | undefined): Promise<Outcome> {
  if (id !== undefined)
    return show(address, { path: `/connections/${id}` }, (body) => visible((body as Story).story, MAX_STORY));
  return show(address, { path: '/connections' }, (body) => connectionsTable(body as ConnectionsPage));
}

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** `attache wait`: returns when it is ready, or when the time is over. */
export async function waitCommand(address: Address, { timeoutMs, signal }: WaitOptions): Promise<Outcome> {
  // 0 is off: it waits for ever.
  const late = AbortSignal.timeout(timeoutMs === 0 ? MAX_DURATION_MS : timeoutMs);
  const stop = signal === undefined ? late : AbortSignal.any([late, signal]);
  for (let last = 'not asked'; ;) {
    const { ok, detail } = await probe(address, { signal: stop });
    if (ok) return { ok, text: detail };
    // The time that ran out while it was asked says nothing new.
    if (!stop.aborted) last = detail;
    await delay(WAIT_POLL_MS, undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted)
      return { ok: false, text: `not ready at ${formatAddress(address)} within ${timeoutMs} ms: ${last}` };
  }
}

const WAIT_POLL_MS = 100;
const MAX_STORY = 16_384;

async function show(address: Address, options: AskOptions, text: (body: unknown) => string): Promise<Outcome> {
  const reply = await askAttache(address, options);
  if (!reply.ok) return { ok: false, text: nobody(address, reply.detail) };
  try {
    if (reply.status === 200) return { ok: true, text: text(JSON.parse(reply.body)) };
  } catch {
    return { ok: false, text: stranger(address, reply.status) };
  }
  if (reply.status === 404 && options.path.startsWith('/connections/'))
    return { ok: false, text: visible(reply.body.trim()) };
  return { ok: false, text: stranger(address, reply.status) };
}

function nobody(address: Address, detail: string): string {
  return `${visible(detail)} from ${formatAddress(address)}: is attache running, with this address?`;
}

/** Another program, or an attache of another version. */
function stranger(address: Address, status: number | undefined): string {
  return `what listens at ${formatAddress(address)} answered ${status ?? 'nothing'}, as this attache would not`;
}
