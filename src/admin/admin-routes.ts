import { setTimeout as delay } from 'node:timers/promises';
import { formatAddress, parseAddress } from '../core/address.ts';
import { visible } from '../core/visible.ts';
import type { HttpAnswer } from './http-endpoint.ts';

/** What an operator can have done. */
export interface AdminActions {
  /** Begins the end of the process; returns at once. */
  readonly quit: () => void;
  /** Reads TLS material again. Never rejects. */
  readonly reload: () => Promise<readonly Reloaded[]>;
  /** @returns the services that have the candidate */
  readonly drain: (candidate: string, options: DrainRequest) => readonly string[];
  /** `fault`: a sentence that names what was expected. */
  readonly setLogLevel: (
    text: string,
  ) => { readonly ok: true; readonly level: string } | { readonly ok: false; readonly fault: string };
}

export interface DrainRequest {
  /** Undefined: every service. */
  readonly service: string | undefined;
  /** False: undo it. */
  readonly drained: boolean;
}

/** What came of reading the TLS material of one service again. */
export interface Reloaded {
  readonly service: string;
  readonly outcome: 'unchanged' | 'loaded' | 'refused' | 'unavailable';
  readonly error?: string;
}

type Route = (query: URLSearchParams) => HttpAnswer | Promise<HttpAnswer>;

const RELOAD_TIMEOUT_MS = 15_000;

/** What is done for a POST, by path. */
export function adminRoutes(actions: AdminActions): ReadonlyMap<string, Route> {
  return new Map<string, Route>([
    ['/quit', () => quit(actions)],
    ['/reload', () => reload(actions)],
    ['/drain', (query) => drain(query, actions, true)],
    ['/undrain', (query) => drain(query, actions, false)],
    ['/loglevel', (query) => logLevel(query, actions)],
  ]);
}

function quit(actions: AdminActions): HttpAnswer {
  actions.quit();
  return { status: 202, body: 'quitting' };
}

async function reload(actions: AdminActions): Promise<HttpAnswer> {
  const timer = new AbortController();
  const late = delay(RELOAD_TIMEOUT_MS, undefined, { signal: timer.signal, ref: false }).catch(() => undefined);
  const services = await Promise.race([actions.reload(), late]);
  timer.abort();
  if (services === undefined) return { status: 202, body: 'still reading; the log will say what came of it' };
  const isGood = services.every(({ outcome }) => outcome === 'unchanged' || outcome === 'loaded');
  return { status: isGood ? 200 : 503, body: { services } };
}

function drain(query: URLSearchParams, actions: AdminActions, drained: boolean): HttpAnswer {
  const asked = query.get('candidate') ?? '';
  if (asked === '') return { status: 400, body: 'candidate: expected host:port, as in ?candidate=10.0.3.144:6379' };
  const parsed = parseAddress(asked, 'candidate');
  const candidate = parsed.ok ? formatAddress(parsed.address) : asked;
  const service = query.get('service') ?? undefined;
  const services = actions.drain(candidate, { service, drained });
  if (services.length > 0) return { status: 200, body: { candidate, drained, services } };
  const who = service === undefined ? 'no service has the' : `service ${visible(service, 80)} has no`;
  return { status: 404, body: `${who} candidate ${visible(candidate, 80)}` };
}

function logLevel(query: URLSearchParams, actions: AdminActions): HttpAnswer {
  const set = actions.setLogLevel(query.get('level') ?? '');
  return set.ok ? { status: 200, body: { level: set.level } } : { status: 400, body: `level: ${set.fault}` };
}
