import { isIP } from 'node:net';
import { hostCheck, nameIn } from './host-check.ts';
import { judgeHealth } from './health.ts';
import {
  httpEndpoint,
  type AnyAnswer,
  type HttpAnswer,
  type HttpEndpoint,
  type HttpEndpointOptions,
  type HttpRequest,
} from './http-endpoint.ts';
import { adminRoutes, takesBody, type AdminActions } from './admin-routes.ts';
import { natMapAnswer } from './nat-map-route.ts';
import type { ProcessStatus } from '../core/status.ts';

type EndpointOptions = Omit<HttpEndpointOptions, 'answer'>;

export interface HealthServerOptions extends EndpointOptions {
  /** Asked on each request. */
  readonly status: () => ProcessStatus;
  /** A service with fewer candidates is not ready. */
  readonly minCandidates: number;
  /** Names, or `*.` with a suffix, under which it answers besides those that are always fine; default: none. */
  readonly allowHosts?: readonly string[];
  /** Answers other paths, for GET and HEAD alone; undefined: there is no such path. */
  readonly routes?: (request: HttpRequest) => AnyAnswer | Promise<AnyAnswer> | undefined;
}

/** `GET /healthz`: the event loop turns. `GET /readyz`: 200 or 503, with a reason for each service. Changes nothing. */
export function healthServer(options: HealthServerOptions): HttpEndpoint {
  const { status, minCandidates, routes, allowHosts = [], address } = options;
  const isOurs = hostCheck([...allowHosts, ...(address.kind === 'tcp' ? [address.host] : [])]);
  return httpEndpoint({
    ...options,
    answer: (request) => {
      const { method, path } = request;
      if (method !== 'GET' && method !== 'HEAD') return refuse(405, 'only GET and HEAD', 'GET, HEAD');
      // It tells nothing, and a probe that is refused for a name restarts the process.
      if (path === '/healthz') return { status: 200, body: 'ok' };
      if (!isOurs(request.host)) return refuse(403, FOREIGN_HOST);
      if (path === '/readyz') {
        const health = judgeHealth(status(), { minCandidates, now: Date.now() });
        return { status: health.ready ? 200 : 503, body: health };
      }
      const others = routes === undefined ? '' : ', /status, /connections, /metrics and the page at /';
      return routes?.(request) ?? refuse(404, `there are /healthz and /readyz${others}`);
    },
  });
}

const FOREIGN_HOST =
  'expected an IP address, localhost, a name without dots or a name in HTTP_ALLOW_HOSTS as Host: add the name to HTTP_ALLOW_HOSTS';

export interface AdminServerOptions extends EndpointOptions {
  readonly actions: AdminActions;
}

/** Calls that change something, and what they would change. For programs on this machine, never for a web page that a browser has open. */
export function adminServer(options: AdminServerOptions): HttpEndpoint {
  const { actions, address } = options;
  const ownName = address.kind === 'tcp' ? address.host : '';
  const routes = adminRoutes(actions);
  return httpEndpoint({
    ...options,
    takesBody,
    answer: (request) => {
      const read = natMapAnswer(request.path, actions.natMap);
      const methods = read === undefined ? routes.get(request.path) : { GET: () => read };
      if (methods === undefined) return refuse(404, `there are ${[...routes.keys()].join(', ')}`);
      const names = Object.keys(methods);
      const route = names.includes(request.method) ? methods[request.method] : undefined;
      if (route === undefined) return refuse(405, `only ${names.join(' and ')}`, names.join(', '));
      const fault = browserFault(request, ownName);
      if (fault !== undefined) return refuse(403, fault);
      return route(request);
    },
  });
}

/**
 * Every browser sends `Origin` with a POST of a page. And a page whose name was pointed at us after it was loaded (DNS
 * rebinding) names itself in `Host`: an IP address cannot be pointed elsewhere, so only names have to be ours.
 */
function browserFault({ headers, host = '' }: HttpRequest, ownName: string): string | undefined {
  if (headers['origin'] !== undefined) return 'requests of web pages are refused (Origin)';
  const name = nameIn(host) ?? '';
  if (isIP(name) !== 0 || name === 'localhost' || (name !== '' && name === ownName)) return undefined;
  return 'expected localhost or an IP address in Host';
}

function refuse(status: number, body: string, allow?: string): HttpAnswer {
  return allow === undefined ? { status, body } : { status, body, allow };
}
