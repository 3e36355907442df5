import type { Address } from '../core/address.ts';
import { askAttache } from './client.ts';

export interface ProbeResult {
  readonly ok: boolean;
  /** One line for people: `ready`, the reasons of the services that are not, or why nobody answered. */
  readonly detail: string;
}

export interface ProbeOptions {
  /** For the whole answer; default 2 s. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Asks the attache that serves at `address` whether it is ready. Never rejects.
 *
 * @param address as in `HTTP_ADDR`; no host, or the wildcard, means this machine
 */
export async function probe(address: Address, options: ProbeOptions = {}): Promise<ProbeResult> {
  const reply = await askAttache(address, { ...options, path: '/readyz' });
  if (!reply.ok) return { ok: false, detail: printable(reply.detail) };
  if (reply.status === 200) return { ok: true, detail: 'ready' };
  return { ok: false, detail: printable(reasonsIn(reply.body) ?? `answered ${reply.status ?? 'nothing'}`) };
}

/** `redis: not listening on :6379: EADDRINUSE; pg: draining`, or undefined when the text is no answer of ours. */
function reasonsIn(body: string): string | undefined {
  try {
    const { reasons: own = [], services } = JSON.parse(body) as {
      reasons?: readonly string[];
      services: readonly { name: string; reasons: readonly string[] }[];
    };
    const unready = services.filter(({ reasons }) => reasons.length > 0);
    const text = [...own, ...unready.map(({ name, reasons }) => `${name}: ${reasons.join(', ')}`)].join('; ');
    return text === '' ? 'not ready' : text;
  } catch {
    return undefined;
  }
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a0-\u1fff]/g, '?');
}
