import type { IncomingMessage, RequestOptions } from 'node:http';
import { isIP } from 'node:net';
import type { Address } from '../core/address.ts';
import { explained } from '../core/errno-hint.ts';
import { errnoOf, messageOf } from '../core/errors.ts';
import { lookupBy } from '../names/lookup.ts';
import { systemResolver } from '../names/system-resolver.ts';
import { nodeHttp } from './node-http.ts';

/** What another attache answered, or why it did not. */
export type AttacheAnswer =
  | { readonly ok: true; readonly status: number | undefined; readonly body: string }
  /** One line for people. */
  | { readonly ok: false; readonly detail: string };

export interface AskOptions {
  readonly path: string;
  /** Default GET. */
  readonly method?: 'GET' | 'POST' | 'PUT';
  /** Default: none. */
  readonly sent?: string;
  /** For the whole answer; default 2 s. */
  readonly deadlineMs?: number;
  /** Ends the asking early. */
  readonly signal?: AbortSignal;
}

const DEADLINE_MS = 2_000;
/** A whole page of connections fits. */
const MAX_BODY_BYTES = 4_194_304;

/**
 * Asks the attache that serves at `address`. Never rejects.
 *
 * @param address as in `HTTP_ADDR`; no host, or the wildcard, means this machine
 */
export async function askAttache(address: Address, options: AskOptions): Promise<AttacheAnswer> {
  const { path, method = 'GET', sent, deadlineMs = DEADLINE_MS, signal: stop } = options;
  const late = AbortSignal.timeout(deadlineMs);
  const signal = stop === undefined ? late : AbortSignal.any([late, stop]);
  try {
    const response = await ask({ ...target(address), path, method, agent: false, signal }, sent);
    return { ok: true, status: response.statusCode, body: await bodyOf(response) };
  } catch (error) {
    if (late.aborted) return { ok: false, detail: `no answer within ${deadlineMs} ms` };
    const errno = errnoOf(error);
    return { ok: false, detail: errno === 'UNKNOWN' ? messageOf(error) : `no answer: ${explained(errno)}` };
  }
}

function target(address: Address): RequestOptions {
  if (address.kind === 'unix') return { socketPath: address.path };
  const { host, port } = address;
  if (host === '' || host === '0.0.0.0') return { host: '127.0.0.1', port };
  if (host === '::') return { host: '::1', port };
  return isIP(host) === 0 ? { host, port, lookup: lookupBy(systemResolver()) } : { host, port };
}

function ask(options: RequestOptions, sent: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    nodeHttp().request(options, resolve).on('error', reject).end(sent);
  });
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Something else sits on our port.
    if (size > MAX_BODY_BYTES) throw new Error('the answer is longer than an answer of attache: check the address');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
