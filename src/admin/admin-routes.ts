import { setTimeout as delay } from 'node:timers/promises';
import { formatAddress, parseAddress } from '../core/address.ts';
import type { NatMap } from '../core/nat-map.ts';
import { visible } from '../core/visible.ts';
import { MAX_BODY_BYTES, type HttpAnswer, type HttpRequest } from './http-endpoint.ts';

/** What an operator can have done. */
export interface AdminActions {
  /** Begins the end of the process; returns at once. */
  readonly quit: () => void;
  /** Reads TLS material again. Never rejects. */
  readonly reload: () => Promise<readonly Reloaded[]>;
  /** @returns the services that have the candidate */
  readonly drain: (candidate: string, options: DrainRequest) => readonly string[];
  /** The services in force, in the shape of `SERVICES`, without secrets. */
  readonly services: () => readonly object[];
  /** Undefined: no service has the name. */
  readonly natMap: (service: string) => NatMap | undefined;
  /** Goes over to the services of a JSON text, or to none of them. Never rejects. */
  readonly replaceServices: (json: string) => Promise<Replaced>;
  /** `fault`: a sentence that names what was expected. */
  readonly setLogLevel: (
    text: string,
  ) => { readonly ok: true; readonly level: string } | { readonly ok: false; readonly fault: string };
}

/** The result of a new list of services. With faults nothing has changed. */
export type Replaced =
  | {
      readonly ok: true;
      readonly added: readonly string[];
      readonly changed: readonly string[];
      readonly removed: readonly string[];
    }
  | { readonly ok: false; readonly faults: readonly string[] };

export interface DrainRequest {
  /** Undefined: every service. */
  readonly service: string | undefined;
  /** False: undo it. */
  readonly drained: boolean;
}

/** The result of reading the TLS material of one service again. */
export interface Reloaded {
  readonly service: string;
  readonly outcome: 'unchanged' | 'loaded' | 'refused' | 'unavailable';
  readonly error?: string;
}

type Route = (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>;

/** What is done at one path, by method. */
export type Routes = ReadonlyMap<string, Readonly<Partial<Record<string, Route>>>>;

const RELOAD_TIMEOUT_MS = 15_000;

/** What is done, by path. */
export function adminRoutes(actions: AdminActions): Routes {
  return new Map<string, Readonly<Partial<Record<string, Route>>>>([
    ['/quit', { POST: () => quit(actions) }],
    ['/reload', { POST: () => reload(actions) }],
    ['/drain', { POST: ({ query }) => drain(query, actions, true) }],
    ['/undrain', { POST: ({ query }) => drain(query, actions, false) }],
    ['/loglevel', { POST: ({ query }) => logLevel(query, actions) }],
    [
      SERVICES_PATH,
      {
        GET: () => ({ status: 200, body: actions.services() }),
        PUT: (request) => replaceServices(request, actions),
      },
    ],
  ]);
}

const SERVICES_PATH = '/services';

/** The one request that may have a body. */
export function takesBody(method: string, target: string): boolean {
  return method === 'PUT' && target.split('?', 1)[0] === SERVICES_PATH;
}

async function replaceServices({ body }: HttpRequest, actions: AdminActions): Promise<HttpAnswer> {
  const json = await body();
  if (json === undefined) return { status: 413, body: `expected at most ${MAX_BODY_BYTES} bytes` };
  const replaced = await actions.replaceServices(json);
  if (!replaced.ok) return { status: 400, body: { faults: replaced.faults } };
  const { added, changed, removed } = replaced;
  return { status: 200, body: { added, changed, removed } };
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
  if (services === undefined) return { status: 202, body: 'still reading: see the lines "tls material" in the log' };
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
