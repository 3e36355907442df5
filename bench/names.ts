/** The proxies that attache is measured beside; `attache-typescript` is attache with `ENGINE=typescript`. */
export const peerNames = ['attache-typescript', 'haproxy', 'nginx', 'go', 'socat', 'stunnel'] as const;

export type PeerName = (typeof peerNames)[number];
export type ProxyName = 'attache' | PeerName;

/** The kinds of work that a run does when none is named. */
export const usualWorkloadNames = ['small', 'bulk', 'connect', 'idle', 'tls', 'start', 'scale', 'fairness'] as const;

/** All kinds of work. Those that are not usual take minutes, and have a part of their own in the pages. */
export const workloadNames = [...usualWorkloadNames, 'failover', 'failover-patroni', 'checks', 'registry'] as const;

export type WorkloadName = (typeof workloadNames)[number];
