import type { Address } from '../core/address.ts';
import type { DialPolicy } from '../core/dial-policy.ts';
import { explained } from '../core/errno-hint.ts';
import type { Resolver } from '../core/resolver.ts';
import { writeProxyHeader } from '../core/write-proxy-header.ts';
import type { ServiceConfig } from '../config/config.ts';
import type { TlsDialSettings } from '../transport/engine.ts';
import { nodeEngine } from '../transport/node/engine.ts';

export interface DialOnceParts {
  readonly resolver: Resolver;
  readonly policy: DialPolicy;
  readonly tls: TlsDialSettings | undefined;
}

/** Dials a candidate as a connection of its service would, and leaves nothing behind. Never rejects. */
export function dialOnce(
  address: Address,
  service: ServiceConfig,
  { resolver, policy, tls }: DialOnceParts,
): Promise<{ readonly ok: boolean; readonly says: string }> {
  const { net, connectTimeoutMs, proxyProtocol: version } = service;
  const family = net === 'tcp' ? 0 : net === 'tcp4' ? 4 : 6;
  const started = performance.now();
  return new Promise((resolve) => {
    const settings = { connectTimeoutMs, keepAliveMs: 0, family, policy, resolver, tls } as const;
    const dial = nodeEngine().dial(address, settings, {
      // Without a client there is nobody to tell of.
      preface: version === 'off' ? undefined : writeProxyHeader({ version, ends: undefined, tls: undefined }),
      dialed(candidate) {
        const ms = Math.max(1, Math.round(performance.now() - started));
        const peer = candidate.tls?.name === undefined ? '' : `, TLS with ${candidate.tls.name}`;
        candidate.reset();
        resolve({ ok: true, says: `answers in ${ms} ms${peer}` });
      },
      dialFailed(errno, stage = 'connect', refusal) {
        const why = refusal === undefined ? explained(errno) : `not allowed: ${refusal}`;
        resolve({ ok: false, says: stage === 'handshake' ? `TLS handshake failed: ${why}` : why });
      },
      faulted(error) {
        dial.abort();
        resolve({ ok: false, says: `a bug in attache: ${String(error)}` });
      },
    });
    dial.start();
  });
}
