import type { OpenConnection } from '../core/open-connection.ts';
import { routineEnds } from '../core/close-reason.ts';
import type { NatMap } from '../core/nat-map.ts';
import type { Changes } from './changes.ts';
import type { HttpAnswer, HttpRequest } from './http-endpoint.ts';
import { Metrics, type Measured } from './metrics.ts';
import { RECORDED, type FinishedConnection, type FlightRecorder } from './recorder.ts';
import { natMapAnswer } from './nat-map-route.ts';
import { statusReport, type StatusReport, type ShownSettings } from './status-report.ts';
import { finishedStory, openStory } from './story.ts';
import type { Counters } from './counters.ts';

/** An ambassador, as far as it is looked at from outside. */
export interface Observed extends Measured {
  natMap(service: string): NatMap | undefined;
  connections(options: {
    readonly before?: number;
    readonly limit?: number;
    readonly service?: string | undefined;
  }): readonly OpenConnection[];
}

export interface StatusRoutesOptions {
  readonly ambassador: Observed;
  readonly metrics: Metrics;
  readonly counters: Counters;
  readonly changes: Changes;
  readonly recorder: FlightRecorder;
  readonly version: string;
  /** The effective settings of each service, without secrets. */
  readonly settings: () => Readonly<Record<string, ShownSettings>>;
  readonly minCandidates: number;
  /** `performance.now()`: time since the process started. */
  readonly uptimeMs: () => number;
}

/** The answer of `/connections`. */
export interface ConnectionsPage {
  /** How many are open. */
  readonly open: number;
  /** Newest first. */
  readonly connections: readonly OpenConnection[];
  /** `cursor` of the next page; missing on the last. */
  readonly next?: string;
}

/** The answer of `/connections?state=closed`: of the last thousand that ended, newest first. */
export interface FinishedPage {
  readonly connections: readonly FinishedConnection[];
}

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 500;
const ONE = /^\/connections\/(\d{1,15})$/;
const NUMBER = /^\d{1,15}$/;

/**
 * `/metrics`, `/status`, `/connections`, `/connections/<id>` and `/services/<name>/natmap`: what there is to see, and nothing that changes anything.
 *
 * @returns what answers a GET; undefined for a path that is not of these
 */
export function statusRoutes(
  options: StatusRoutesOptions,
): (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer> | undefined {
  const { ambassador, metrics } = options;
  return ({ path, query }) => {
    if (path === '/metrics') {
      return metrics.render(ambassador).then((body) => ({ status: 200, body, type: Metrics.contentType }));
    }
    if (path === '/status') return { status: 200, body: currentReport(options) };
    if (path === '/connections') return page(options, query);
    const id = ONE.exec(path)?.[1];
    if (id !== undefined) return story(Number(id), options);
    return natMapAnswer(path, (service) => ambassador.natMap(service));
  };
}

/** What `/status` says now. */
export function currentReport({
  ambassador,
  counters,
  changes,
  version,
  settings,
  minCandidates,
  uptimeMs,
}: StatusRoutesOptions): StatusReport {
  const [now, uptime] = [Date.now(), uptimeMs()];
  return statusReport({
    status: ambassador.status,
    traffic: ambassador.traffic(),
    counters: counters.services,
    changes,
    settings: settings(),
    version,
    minCandidates,
    startedAtMs: now - uptime,
    now,
    uptimeMs: uptime,
  });
}

function page({ ambassador, recorder }: StatusRoutesOptions, query: URLSearchParams): HttpAnswer {
  const limit = query.get('limit') ?? String(DEFAULT_LIMIT);
  const cursor = query.get('cursor');
  const service = query.get('service') ?? undefined;
  if (!NUMBER.test(limit) || Number(limit) < 1) return { status: 400, body: `limit: expected 1 to ${MAX_LIMIT}` };
  if (cursor !== null && !NUMBER.test(cursor)) return { status: 400, body: 'cursor: expected the "next" of a page' };
  const { services } = ambassador.status;
  const shown = services.filter(({ name }) => service === undefined || name === service);
  if (shown.length === 0) return { status: 404, body: 'no service has this name: /status lists the services' };
  const state = query.get('state') ?? 'open';
  if (state !== 'open' && state !== 'closed') return { status: 400, body: 'state: expected open or closed' };
  if (state === 'closed') {
    const isFailed = query.has('failed');
    const connections = recorder.ended(
      (one) => (service === undefined || one.service === service) && !(isFailed && routineEnds.has(one.reason)),
      Math.min(Number(limit), RECORDED),
    );
    return { status: 200, body: { connections } satisfies FinishedPage };
  }
  const most = Math.min(Number(limit), MAX_LIMIT);
  const before = cursor === null ? {} : { before: Number(cursor) };
  // One more than is shown tells whether there is a next page.
  const found = ambassador.connections({ ...before, service, limit: most + 1 });
  const connections = found.slice(0, most);
  const last = connections.at(-1);
  const body: ConnectionsPage = {
    open: shown.reduce((sum, { connections: open }) => sum + open, 0),
    connections,
    ...(found.length > most && last !== undefined ? { next: String(last.id) } : {}),
  };
  return { status: 200, body };
}

function story(id: number, { ambassador, recorder }: StatusRoutesOptions): HttpAnswer {
  const [open] = ambassador.connections({ before: id + 1, limit: 1 });
  if (open?.id === id) return { status: 200, body: openStory(open, Date.now()) };
  const finished = recorder.find(id);
  if (finished !== undefined) return { status: 200, body: finishedStory(finished) };
  return {
    status: 404,
    body: `no connection has this number: it is neither open nor among the last ${RECORDED} that ended`,
  };
}
