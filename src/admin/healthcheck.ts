import { request, type IncomingMessage, type RequestOptions } from 'node:http';
import type { Address } from '../core/address.ts';
import { errnoOf, messageOf } from '../core/errors.ts';

export interface ProbeResult {
  readonly ok: boolean;
  /** One line for people: `ready`, the reasons of the services that are not, or why nobody answered. */
  readonly detail: string;
}

const DEADLINE_MS = 2_000;
const MAX_BODY_BYTES = 262_144;

/**
 * Asks the attache that serves at `address` whether it is ready. Never rejects.
 *
 * @param address as in `HTTP_ADDR`; no host, or the wildcard, means this machine
 * @param deadlineMs for the whole answer
 */
export async function probe(address: Address, deadlineMs = DEADLINE_MS): Promise<ProbeResult> {
  const signal = AbortSignal.timeout(deadlineMs);
  try {
    const response = await ask({ ...target(address), path: '/readyz', agent: false, signal });
    const body = await bodyOf(response);
    if (response.statusCode === 200) return { ok: true, detail: 'ready' };
    return { ok: false, detail: printable(reasonsIn(body) ?? `answered ${response.statusCode ?? 'nothing'}`) };
  } catch (error) {
    if (signal.aborted) return { ok: false, detail: `no answer within ${deadlineMs} ms` };
    const errno = errnoOf(error);
    return { ok: false, detail: printable(errno === 'UNKNOWN' ? messageOf(error) : `no answer: ${errno}`) };
  }
}

function target(address: Address): RequestOptions {
  if (address.kind === 'unix') return { socketPath: address.path };
  const { host, port } = address;
  if (host === '' || host === '0.0.0.0') return { host: '127.0.0.1', port };
  return { host: host === '::' ? '::1' : host, port };
}

function ask(options: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(options, resolve).on('error', reject).end();
  });
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Something else sits on our port.
    if (size > MAX_BODY_BYTES) throw new Error('the answer is too long to be ours');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** `redis: not listening on :6379: EADDRINUSE; pg: draining`, or undefined when the text is no answer of ours. */
function reasonsIn(body: string): string | undefined {
  try {
    const { services } = JSON.parse(body) as { services: readonly { name: string; reasons: readonly string[] }[] };
    const unready = services.filter(({ reasons }) => reasons.length > 0);
    const text = unready.map(({ name, reasons }) => `${name}: ${reasons.join(', ')}`).join('; ');
    return text === '' ? 'not ready' : text;
  } catch {
    return undefined;
  }
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a0-\u1fff]/g, '?');
}
