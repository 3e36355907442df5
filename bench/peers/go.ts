import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { needProgram } from '../programs.ts';
import { withoutRoles, type Peer, type Route } from './peer.ts';

const BUILT_WITHIN_MS = 120_000;

/** A small relay in Go, built from the source beside this, as proxies written in Go move bytes; no log. */
export function go(project: string): Peer {
  let built: string | undefined;
  return {
    name: 'go',
    program: 'go',
    unsuited: (workload) => {
      const reason = withoutRoles(workload);
      if (reason !== undefined) return reason;
      return workload === 'scale' || workload === 'fairness'
        ? 'one peer is enough to compare these lines with'
        : undefined;
    },
    command: (route) => {
      built ??= build(join(project, 'bench/peers/go-relay/main.go'), route.file('go-relay', ''));
      const addresses = ['-from', `127.0.0.1:${route.from}`, '-to', `127.0.0.1:${route.to}`];
      // One thread for what runs, as the others have: it is the CPU that is measured, not how far it spreads.
      return { program: built, args: [...addresses, ...tlsFlags(route)], env: { GOMAXPROCS: '1' } };
    },
  };
}

function tlsFlags({ task }: Route): readonly string[] {
  if (task.kind === 'plain') return [];
  const side = task.kind === 'tls-server' ? 'server' : 'client';
  const { ca, cert, key } = task.certificates[side];
  return ['-tls', side, '-ca', ca, '-cert', cert, '-key', key, ...(task.resumption ? ['-resume'] : [])];
}

function build(source: string, into: string): string {
  execFileSync(needProgram('go'), ['build', '-o', into, source], {
    env: { ...process.env, CGO_ENABLED: '0', GO111MODULE: 'off', GOCACHE: `${into}-cache` },
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: BUILT_WITHIN_MS,
  });
  return into;
}
