import { isIP } from 'node:net';
import { judgeHealth } from './health.ts';
import {
  httpEndpoint,
  type HttpAnswer,
  type HttpEndpoint,
  type HttpEndpointOptions,
  type HttpRequest,
} from './http-endpoint.ts';
import type { ProcessStatus } from './status.ts';

type EndpointOptions = Omit<HttpEndpointOptions, 'answer'>;

export interface HealthServerOptions extends EndpointOptions {
  /** Asked on each request. */
  readonly status: () => ProcessStatus;
  /** A service with fewer candidates is not ready. */
  readonly minCandidates: number;
}

/** `GET /healthz`: the event loop turns. `GET /readyz`: 200 or 503, with a reason for each service. Changes nothing. */
export function healthServer(options: HealthServerOptions): HttpEndpoint {
  const { status, minCandidates } = options;
  return httpEndpoint({
    ...options,
    answer: ({ method, path }) => {
      if (method !== 'GET' && method !== 'HEAD') return refuse(405, 'only GET and HEAD', 'GET, HEAD');
      if (path === '/healthz') return { status: 200, body: 'ok' };
      if (path !== '/readyz') return refuse(404, 'there are /healthz and /readyz');
      const health = judgeHealth(status(), { minCandidates, now: Date.now() });
      return { status: health.ready ? 200 : 503, body: health };
    },
  });
}

export interface AdminServerOptions extends EndpointOptions {
  /** Begins the end of the process; returns at once. */
  readonly quit: () => void;
}

/** `POST /quit`: as SIGTERM. For programs on this machine, never for a web page that a browser has open. */
export function adminServer(options: AdminServerOptions): HttpEndpoint {
  const { quit, address } = options;
  const ownName = address.kind === 'tcp' ? address.host : '';
  return httpEndpoint({
    ...options,
    answer: (request) => {
      if (request.path !== '/quit') return refuse(404, 'there is /quit');
      if (request.method !== 'POST') return refuse(405, 'only POST', 'POST');
      const fault = browserFault(request, ownName);
      if (fault !== undefined) return refuse(403, fault);
      quit();
      return { status: 202, body: 'quitting' };
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
