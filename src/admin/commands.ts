import { setTimeout as delay } from 'node:timers/promises';
import { formatAddress, type Address } from '../core/address.ts';
import { MAX_DURATION_MS } from '../core/duration.ts';
import { escapeInvisible, visible } from '../core/visible.ts';
import type { Reloaded } from './admin-routes.ts';
import { askAttache, type AskOptions } from './client.ts';
import { probe } from './healthcheck.ts';
import type { ConnectionsPage, FinishedPage } from './status-routes.ts';
import type { StatusReport } from './status-report.ts';
import { connectionsTable, finishedTable, statusTable } from './status-table.ts';
import type { Story } from './story.ts';

/** How a command went: what it prints, and whether that is bad news. */
export interface CommandOutcome {
  readonly ok: boolean;
  /** Without a newline at the end. */
  readonly text: string;
  /** It was answered, and what was answered is not as it should be. */
  readonly isBadNews?: boolean;
}

/** `attache healthcheck`. */
export async function healthCommand(address: Address): Promise<CommandOutcome> {
  const { ok, detail } = await probe(address);
  return { ok, text: detail };
}

/** `attache quit`: asks at `ADMIN_ADDR` for the same as SIGTERM does. */
export async function quitCommand(address: Address): Promise<CommandOutcome> {
  const reply = await askAttache(address, { path: '/quit', method: 'POST' });
  if (!reply.ok) return { ok: false, text: nobody(address, reply.detail) };
  if (reply.status === 202) return { ok: true, text: visible(reply.body.trim()) };
  return { ok: false, text: stranger(address, reply.status) };
}

export interface StatusOptions {
  /** The report as it is, in place of a table. */
  readonly json?: boolean;
  /** It is bad news when a service is not serving, or the process is not ready. */
  readonly check?: boolean;
}

/** `attache status`, once. */
export async function statusCommand(
  address: Address,
  { json = false, check = false }: StatusOptions = {},
): Promise<CommandOutcome> {
  let isWell = true;
  const outcome = await show(address, { path: '/status' }, (body) => {
    const report = body as StatusReport;
    isWell = report.ready && report.state === 'serving';
    return json ? asJson(report) : statusTable(report, Date.now());
  });
  return { ...outcome, isBadNews: outcome.ok && check && !isWell };
}

export interface StatusWatchOptions {
  /** Only there the screen is cleared. */
  readonly isTerminal: boolean;
  /** @returns whether there still is a reader */
  readonly write: (text: string) => Promise<boolean>;
}

/** `attache status --watch`: goes on until nobody reads it or the process is ended, also while nobody answers. */
export async function watchStatus(address: Address, { isTerminal, write }: StatusWatchOptions): Promise<void> {
  for (;;) {
    const { text } = await statusCommand(address);
    if (!(await write(isTerminal ? `${CLEAR}${text}\n` : `${text}\n\n`))) return;
    await delay(WATCH_MS);
  }
}

const CLEAR = '\u001b[H\u001b[2J\u001b[3J';
const WATCH_MS = 2_000;

export interface ConnectionsQuery {
  /** The story of this one; undefined: a list. */
  readonly id: number | undefined;
  /** Those that ended, in place of open ones. */
  readonly closed: boolean;
  /** Of those, the ones that did not end well. */
  readonly failed: boolean;
  readonly service: string | undefined;
  readonly limit: number | undefined;
  readonly json: boolean;
}

/** `attache connections`: the newest ones, open or ended, or the story of one. */
export async function connectionsCommand(address: Address, options: ConnectionsQuery): Promise<CommandOutcome> {
  const { id, closed, failed, service, limit, json } = options;
  const as = (text: (body: unknown) => string) => (json ? asJson : text);
  if (id !== undefined)
    return show(
      address,
      { path: `/connections/${id}` },
      as((body) => visible((body as Story).story, MAX_STORY)),
    );
  const query = new URLSearchParams({
    ...(closed && { state: 'closed' }),
    ...(failed && { failed: '1' }),
    ...(service !== undefined && { service }),
    ...(limit !== undefined && { limit: String(limit) }),
  });
  const path = query.size === 0 ? '/connections' : `/connections?${query.toString()}`;
  const text = closed
    ? (body: unknown) => finishedTable(body as FinishedPage, Date.now())
    : (body: unknown) => connectionsTable(body as ConnectionsPage);
  return show(address, { path }, as(text));
}

/** `attache drain` and `attache undrain`. */
export async function drainCommand(
  address: Address,
  {
    kind,
    candidate,
    service,
  }: { readonly kind: 'drain' | 'undrain'; readonly candidate: string; readonly service: string | undefined },
): Promise<CommandOutcome> {
  const query = new URLSearchParams({ candidate, ...(service !== undefined && { service }) });
  return order(address, `/${kind}?${query.toString()}`, (body) => {
    const { candidate: drained, services } = body as { candidate: string; services: readonly string[] };
    return `${drained} ${kind === 'drain' ? 'is drained' : 'gets new connections again'} in ${services.join(', ')}`;
  });
}

/** `attache loglevel`. */
export async function logLevelCommand(address: Address, level: string): Promise<CommandOutcome> {
  const query = new URLSearchParams({ level });
  return order(address, `/loglevel?${query.toString()}`, (body) => `log level is ${(body as { level: string }).level}`);
}

/** `attache reload`. */
export async function reloadCommand(address: Address): Promise<CommandOutcome> {
  return order(address, '/reload', (body) => {
    const { services } = body as { services: readonly Reloaded[] };
    if (services.length === 0) return 'no service speaks TLS: there is nothing to read';
    return services
      .map(({ service, outcome, error }) => `${service}: ${outcome}${error === undefined ? '' : `: ${error}`}`)
      .join('\n');
  });
}

/** `attache apply`. */
export async function applyCommand(address: Address, json: string): Promise<CommandOutcome> {
  const asked = { path: '/services', method: 'PUT', sent: json, deadlineMs: ORDER_DEADLINE_MS } as const;
  const reply = await askAttache(address, asked);
  if (!reply.ok) return { ok: false, text: nobody(address, reply.detail) };
  const { status, body } = reply;
  try {
    const { faults = [], ...lists } = JSON.parse(body) as { faults?: readonly string[] } & Record<
      string,
      readonly string[]
    >;
    if (status === 400) return { ok: false, text: faults.map((fault) => visible(fault, MAX_STORY)).join('\n') };
    const told = ['added', 'changed', 'removed'].flatMap((name) => {
      const services = lists[name] ?? [];
      return services.length === 0 ? [] : [`${name}: ${services.map((one) => visible(one)).join(', ')}`];
    });
    if (status === 200) return { ok: true, text: told.length === 0 ? 'nothing has changed' : told.join('\n') };
  } catch {
    if (status === 413) return { ok: false, text: visible(body.trim()) };
  }
  return { ok: false, text: stranger(address, status) };
}

/** Something is to be done: what was not is told in the words of the attache that runs. */
async function order(address: Address, path: string, text: (body: unknown) => string): Promise<CommandOutcome> {
  const reply = await askAttache(address, { path, method: 'POST', deadlineMs: ORDER_DEADLINE_MS });
  if (!reply.ok) return { ok: false, text: nobody(address, reply.detail) };
  const { status = 0, body } = reply;
  if (status === 202 || status === 400 || status === 404)
    return { ok: status === 202, text: visible(body.trim(), MAX_STORY) };
  try {
    const lines = text(JSON.parse(body))
      .split('\n')
      .map((line) => visible(line, MAX_STORY));
    if (status === 200 || status === 503) return { ok: status === 200, text: lines.join('\n') };
  } catch {
    // Not ours.
  }
  return { ok: false, text: stranger(address, status) };
}

/** Reading material from far away takes its time. */
const ORDER_DEADLINE_MS = 20_000;

function asJson(body: unknown): string {
  return escapeInvisible(JSON.stringify(body));
}

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** `attache wait`: returns when it is ready, or when the time is over. */
export async function waitCommand(address: Address, { timeoutMs, signal }: WaitOptions): Promise<CommandOutcome> {
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

async function show(address: Address, options: AskOptions, text: (body: unknown) => string): Promise<CommandOutcome> {
  const reply = await askAttache(address, options);
  if (!reply.ok) return { ok: false, text: nobody(address, reply.detail) };
  try {
    if (reply.status === 200) return { ok: true, text: text(JSON.parse(reply.body)) };
  } catch {
    return { ok: false, text: stranger(address, reply.status) };
  }
  // What another program says of a path that it does not have is not ours to tell.
  const isAnswer =
    reply.status === 400 || (reply.status === 404 && /^\/connections(\/|\?.*service=)/.test(options.path));
  if (isAnswer) return { ok: false, text: visible(reply.body.trim()) };
  return { ok: false, text: stranger(address, reply.status) };
}

function nobody(address: Address, detail: string): string {
  return `${visible(detail)} from ${formatAddress(address)}: check that attache runs with this address`;
}

/** Another program, or an attache of another version. */
function stranger(address: Address, status: number | undefined): string {
  return `the program at ${formatAddress(address)} answered ${status ?? 'nothing'}, as attache does not: check the address`;
}
