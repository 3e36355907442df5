import type { Peer, Route } from './peer.ts';

export interface AttachePaths {
  readonly node: string;
  /** Of `node`: 22.1.0. */
  readonly nodeVersion: string;
  /** dist/main.js */
  readonly main: string;
  /** Settings that the operator of the bench adds. */
  readonly set: Readonly<Record<string, string>>;
}

/**
 * TLS without tickets: the library that Node uses reads this, attache has no setting for it. Without tickets there is
 * nothing to resume in TLS 1.3.
 */
const NO_TICKETS = `nodejs_conf = nodejs_init
[nodejs_init]
ssl_conf = ssl_sections
[ssl_sections]
system_default = no_tickets
[no_tickets]
NumTickets = 0
`;

/** attache as it is deployed: the built program, access log on, health endpoint on. */
export function attache(paths: AttachePaths): Peer {
  return {
    name: 'attache',
    program: undefined,
    unsuited: () => undefined,
    // Node 20 does not know it.
    compileCache: Number.parseInt(paths.nodeVersion) < 22 ? undefined : (folder) => ({ NODE_COMPILE_CACHE: folder }),
    command: (route) => ({
      program: paths.node,
      args: [paths.main],
      env: {
        ...serviceSettings(route),
        HTTP_ADDR: '127.0.0.1:0',
        ADMIN_ADDR: 'off',
        ...tlsSettings(route),
        ...paths.set,
      },
    }),
  };
}

/** The same without its native engine. */
export function attacheTypescript(paths: AttachePaths): Peer {
  return {
    ...attache({ ...paths, set: { ...paths.set, ENGINE: 'typescript' } }),
    name: 'attache-typescript',
    unsuited: (workload) => (workload === 'registry' ? 'no engine takes part in it' : undefined),
  };
}

function serviceSettings({ from, to, second, replica, patroni }: Route): Record<string, string> {
  if (replica !== undefined) {
    const DST = [to, replica].map((port) => `127.0.0.1:${port}`).join();
    return { SRC: `127.0.0.1:${from}`, DST, HEALTH_CHECK: 'redis-primary', HOLD_TIMEOUT: '15s' };
  }
  if (patroni !== undefined) {
    const { hosts, port, restPort } = patroni;
    const DST = hosts.map((host) => `${host}:${port}`).join();
    return { SRC: `127.0.0.1:${from}`, DST, HEALTH_CHECK: `http://:${restPort}/primary` };
  }
  if (second === undefined) return { SRC: `127.0.0.1:${from}`, DST: `127.0.0.1:${to}` };
  const services = [{ from, to }, second].map((one, i) => ({
    name: `bench${i}`,
    src: `127.0.0.1:${one.from}`,
    dst: `127.0.0.1:${one.to}`,
  }));
  return { SERVICES: JSON.stringify(services) };
}

function tlsSettings({ task, file }: Route): Record<string, string> {
  switch (task.kind) {
    case 'plain':
      return {};
    case 'tls-client':
      return {
        TLS_MODE: 'client',
        TLS_CERTPATH: task.certificates.client.folder,
        TLS_SERVER_NAME: 'localhost',
      };
    case 'tls-server':
      return {
        TLS_MODE: 'server',
        TLS_CERTPATH: task.certificates.server.folder,
        ...(task.resumption ? {} : { OPENSSL_CONF: file('openssl.cnf', NO_TICKETS) }),
      };
  }
}
