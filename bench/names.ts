/** The proxies that attache is measured beside; `attache-typescript` is attache with `ENGINE=typescript`. */
export const peerNames = ['attache-typescript', 'haproxy', 'nginx', 'go', 'socat', 'stunnel'] as const;

export type PeerName = (typeof peerNames)[number];
export type ProxyName = 'attache' | PeerName;

/** The kinds of work. */
export const workloadNames = [
  'small',
  'bulk',
  'connect',
  'idle',
  'tls',
  'start',
  'scale',
  'fairness',
  'failover',
  'checks',
  'registry',
] as const;

export type WorkloadName = (typeof workloadNames)[number];
