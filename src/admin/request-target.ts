import type { IncomingMessage } from 'node:http';

/** What a request asks for, or the answer to one that cannot be understood in one way alone. */
export type Asked =
  | { readonly ok: true; readonly path: string; readonly query: URLSearchParams; readonly host: string | undefined }
  | { readonly ok: false; readonly answer: { readonly status: number; readonly body: string } };

const ABSOLUTE = /^http:\/\/([^/?#]*)([^#]*)$/i;

/**
 * Reads the target and the host of a request. `host` is what the client thinks it speaks to, in lower case: of a target in
 * absolute form, as proxies get it, and of `Host`, which then has to be the same.
 *
 * @param takesBody whether a body is wanted; otherwise a request with one is refused
 */
export function readRequest(request: IncomingMessage, takesBody = false): Asked {
  const { headers, headersDistinct, httpVersion, url = '' } = request;
  const hosts = headersDistinct['host'] ?? [];
  if (hosts.length > 1) return refuse(400, `expected one Host header, got ${hosts.length}`);
  if (hosts.length === 0 && httpVersion !== '1.0') return refuse(400, 'expected a Host header, got none');
  const host = hosts[0]?.toLowerCase();
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue') {
    return refuse(417, 'expected no Expect header but 100-continue');
  }
  if (!takesBody && hasBody(headers)) return refuse(413, 'a request with a body is not supported');
  if (url.startsWith('/')) return { ok: true, ...split(url), host };
  const [, authority = '', rest = ''] = ABSOLUTE.exec(url) ?? [];
  if (authority === '') return refuse(400, 'expected a path, or http://host/path, as the target');
  const named = authority.toLowerCase();
  if (host !== undefined && host !== named) return refuse(400, 'expected the same host in the target and in Host');
  return { ok: true, ...split(rest.startsWith('/') ? rest : `/${rest}`), host: named };
}

/** Whether bytes follow the headers. */
export function hasBody(headers: IncomingMessage['headers']): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function split(target: string): { readonly path: string; readonly query: URLSearchParams } {
  const at = target.indexOf('?');
  const [path, query] = at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
  return { path, query: new URLSearchParams(query) };
}

function refuse(status: number, body: string): Asked {
  return { ok: false, answer: { status, body } };
}
