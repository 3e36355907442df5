import { needProgram } from '../programs.ts';
import type { Peer, Route } from './peer.ts';

/** A thread per connection. It speaks TLS on one side always, so it takes part in the TLS work alone. */
export function stunnel(): Peer {
  return {
    name: 'stunnel',
    program: 'stunnel',
    unsuited: (workload) => (workload === 'tls' ? undefined : 'it carries TLS only'),
    command: (route) => ({
      program: needProgram('stunnel'),
      args: [route.file('stunnel.conf', configuration(route))],
    }),
  };
}

function configuration({ from, to, task }: Route): string {
  if (task.kind === 'plain') throw new Error('stunnel carries TLS only');
  const client = task.kind === 'tls-client';
  const { ca, cert, key } = client ? task.certificates.client : task.certificates.server;
  return `foreground = yes
pid =
debug = 3
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
[bench]
client = ${client ? 'yes' : 'no'}
accept = 127.0.0.1:${from}
connect = 127.0.0.1:${to}
CAfile = ${ca}
cert = ${cert}
key = ${key}
verifyChain = yes
${client ? 'checkHost = localhost\nsni = localhost\n' : ''}${task.resumption ? '' : 'sessionResume = no\n'}`;
}
