import { needProgram } from '../programs.ts';
import { withoutRoles, type Peer } from './peer.ts';

/** A process per connection, which is what `fork` makes of it. */
export function socat(): Peer {
  return {
    name: 'socat',
    program: 'socat',
    mostConnections: 50,
    unsuited: (workload) => {
      const reason = withoutRoles(workload);
      if (reason !== undefined) return reason;
      if (workload === 'idle' || workload === 'scale' || workload === 'fairness')
        return 'it runs a process per connection';
      return workload === 'tls' ? 'only plain TCP is compared with it' : undefined;
    },
    command: ({ from, to }) => ({
      program: needProgram('socat'),
      args: [`TCP4-LISTEN:${from},bind=127.0.0.1,fork,reuseaddr,backlog=1024,nodelay`, `TCP4:127.0.0.1:${to},nodelay`],
    }),
  };
}
