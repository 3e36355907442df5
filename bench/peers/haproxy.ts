import { needProgram } from '../programs.ts';
import { onlyAttache, type PatroniServers, type Peer, type Route } from './peer.ts';

/** A few for itself: listener, poller, standard streams, the socket of the other side while it is dialed. */
const OWN_FILES = 100;
/** Two ends of a pipe for each connection that is being spliced. */
const MOST_PIPES = 250;

/** One thread, because attache has one; `splice-auto`, its fastest way; no log. */
export function haproxy(): Peer {
  return {
    name: 'haproxy',
    program: 'haproxy',
    unsuited: onlyAttache,
    command: (route) => ({
      program: needProgram('haproxy'),
      // -db: in the foreground, one process.
      args: ['-db', '-f', route.file('haproxy.cfg', configuration(route))],
    }),
  };
}

function configuration(route: Route): string {
  // It refuses to start when the connections it is told of could need more files than it may open.
  const most = Math.floor((route.openFiles - OWN_FILES - 2 * MOST_PIPES) / 2);
  return `global
  nbthread 1
  maxconn ${Math.min(most, route.connections + 100)}
  maxpipes ${MOST_PIPES}
defaults
  mode tcp
  option splice-auto
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen bench
  bind 127.0.0.1:${route.from}${bindOptions(route)}
${servers(route)}
${route.second === undefined ? '' : secondService(route.second)}`;
}

function servers(route: Route): string {
  if (route.patroni !== undefined) return ofLeader(route.patroni);
  if (route.replica !== undefined) return ofPrimary([route.to, route.replica]);
  return `  server backend 127.0.0.1:${route.to}${serverOptions(route)}`;
}

/** As Patroni's own template has it. */
function ofLeader({ hosts, port, restPort }: PatroniServers): string {
  const servers = hosts.map((host, index) => `  server pg-${index} ${host}:${port} maxconn 100 check port ${restPort}`);
  return `  retries 2
  timeout client 30m
  timeout connect 4s
  timeout server 30m
  timeout check 5s
  option httpchk OPTIONS /primary
  http-check expect status 200
  default-server inter 3s fall 3 rise 2 on-marked-down shutdown-sessions
${servers.join('\n')}`;
}

/** As charts of Redis have it: every second one check, which decides; who is not primary loses its connections. */
function ofPrimary(ports: readonly number[]): string {
  const servers = ports.map((port, index) => `  server redis${index} 127.0.0.1:${port} check`);
  return `  option tcp-check
  tcp-check connect
  tcp-check send PING\\r\\n
  tcp-check expect string +PONG
  tcp-check send info\\ replication\\r\\n
  tcp-check expect string role:master
  tcp-check send QUIT\\r\\n
  tcp-check expect string +OK
  default-server inter 1s fall 1 rise 1 on-marked-down shutdown-sessions
${servers.join('\n')}`;
}

function secondService({ from, to }: Pick<Route, 'from' | 'to'>): string {
  return `listen second
  bind 127.0.0.1:${from}
  server backend 127.0.0.1:${to}
`;
}

function bindOptions({ task }: Route): string {
  if (task.kind !== 'tls-server') return '';
  const { both, ca } = task.certificates.server;
  return ` ssl crt ${both} ca-file ${ca} verify required${task.resumption ? '' : ' no-tls-tickets'}`;
}

function serverOptions({ task }: Route): string {
  if (task.kind !== 'tls-client') return '';
  const { both, ca } = task.certificates.client;
  const reuse = task.resumption ? '' : ' no-ssl-reuse';
  return ` ssl crt ${both} ca-file ${ca} verify required sni str(localhost) verifyhost localhost${reuse}`;
}
