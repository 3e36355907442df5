import { isIP } from 'node:net';
import { judgeHealth } from './health.ts';
import {
  httpEndpoint,
  type AnyAnswer,
  type HttpAnswer,
  type HttpEndpoint,
  type HttpEndpointOptions,
  type HttpRequest,
} from './http-endpoint.ts';
import { adminRoutes, type AdminActions } from './admin-routes.ts';
import type { ProcessStatus } from './status.ts';

type EndpointOptions = Omit<HttpEndpointOptions, 'answer'>;

export interface HealthServerOptions extends EndpointOptions {
  /** Asked on each request. */
  readonly status: () => ProcessStatus;
  /** A service with fewer candidates is not ready. */
  readonly minCandidates: number;
  /** Answers other paths, for GET and HEAD alone; undefined: there is no such path. */
  readonly routes?: (request: HttpRequest) => AnyAnswer | Promise<AnyAnswer> | undefined;
}

/** `GET /healthz`: the event loop turns. `GET /readyz`: 200 or 503, with a reason for each service. Changes nothing. */
export function healthServer(options: HealthServerOptions): HttpEndpoint {
  const { status, minCandidates, routes } = options;
  return httpEndpoint({
    ...options,
    answer: (request) => {
      const { method, path } = request;
      if (method !== 'GET' && method !== 'HEAD') return refuse(405, 'only GET and HEAD', 'GET, HEAD');
      if (path === '/healthz') return { status: 200, body: 'ok' };
      if (path === '/readyz') {
        const health = judgeHealth(status(), { minCandidates, now: Date.now() });
        return { status: health.ready ? 200 : 503, body: health };
      }
      const others = routes === undefined ? '' : ', /status, /connections, /metrics and the page at /';
      return routes?.(request) ?? refuse(404, `there are /healthz and /readyz${others}`);
    },
  });
}

export interface AdminServerOptions extends EndpointOptions {
  readonly actions: AdminActions;
}

/** Calls that change something, all POST. For programs on this machine, never for a web page that a browser has open. */
export function adminServer(options: AdminServerOptions): HttpEndpoint {
  const { actions, address } = options;
  const ownName = address.kind === 'tcp' ? address.host : '';
  const routes = adminRoutes(actions);
  return httpEndpoint({
    ...options,
    answer: (request) => {
      const route = routes.get(request.path);
      if (route === undefined) return refuse(404, `there are ${[...routes.keys()].join(', ')}`);
      if (request.method !== 'POST') return refuse(405, 'only POST', 'POST');
      const fault = browserFault(request, ownName);
      if (fault !== undefined) return refuse(403, fault);
      return route(request.query);
    },
  });
}

/**
 * Every browser sends `Origin` with a POST of a page. And a page whose name was pointed at us after it was loaded (DNS
 * rebinding) names itself in `Host`: an IP address cannot be pointed elsewhere, so only names have to be ours.
 */
function browserFault({ headers }: HttpRequest, ownName: string): string | undefined {
  if (headers['origin'] !== undefined) return 'requests of web pages are refused (Origin)';
  const host = String(headers['host'] ?? '');
  const name = host.replace(/:\d*$/, '').toLowerCase();
  const ip = name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name;
  if (isIP(ip) !== 0 || name === 'localhost' || (name !== '' && name === ownName)) return undefined;
  return 'expected localhost or an IP address in Host';
}

function refuse(status: number, body: string, allow?: string): HttpAnswer {
  return allow === undefined ? { status, body } : { status, body, allow };
}
