import type { ServiceConfig } from '../config/config.ts';
import { peerName, peerPolicy } from '../identity/peer.ts';
import { systemMaterial } from '../identity/system-material.ts';
import type { HealthOptions } from '../proxy/service-health.ts';
import { Handshakes } from '../transport/handshakes.ts';
import type { DialSettings, TlsDialSettings } from '../transport/engine.ts';
import { nodeEngine } from '../transport/node/engine.ts';
import { TlsSessions } from '../transport/tls-sessions.ts';

/** How the candidates of a service are dialed for its health checks; undefined: it has none. */
export function healthOptions({ health }: ServiceConfig, dialing: DialSettings): HealthOptions | undefined {
  if (health === undefined) return undefined;
  const { check, timeoutMs } = health;
  const tls =
    check.kind === 'http'
      ? check.isSecure
        ? httpsDialing(dialing.tls, check.host)
        : undefined
      : // A mere connection is without it.
        check.kind === 'tcp'
        ? undefined
        : dialing.tls;
  // On Node's sockets, whatever carries the connections: checks are few, and what they read is JavaScript's.
  const engine = nodeEngine();
  return { settings: health, engine, dialing: { ...dialing, connectTimeoutMs: timeoutMs, keepAliveMs: 0, tls } };
}

/** With what the service trusts; where it speaks no TLS to its candidates, with what the system does. */
function httpsDialing(own: TlsDialSettings | undefined, host: string | undefined): TlsDialSettings {
  const serverName = host ?? own?.serverName;
  const sessions = new TlsSessions();
  const handshakes = new Handshakes();
  if (own !== undefined) return { ...own, serverName, sessions, handshakes };
  const peers = { policy: peerPolicy([]), nameOf: peerName };
  return { material: systemMaterial, serverName, peers, sessions, handshakes };
}
