import { existsSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { needProgram } from '../programs.ts';
import { withoutRoles, type Peer, type Route } from './peer.ts';

/** nginx's stream module with one worker; no log. */
export function nginx(): Peer {
  return {
    name: 'nginx',
    program: 'nginx',
    unsuited: (workload) => {
      const reason = withoutRoles(workload);
      if (reason !== undefined) return reason;
      return workload === 'scale' || workload === 'fairness'
        ? 'one peer is enough to compare these lines with'
        : undefined;
    },
    command: (route) => {
      const program = needProgram('nginx');
      const pidFile = route.file('nginx.pid', '');
      const config = route.file('nginx.conf', configuration(route, { pidFile, module: streamModule(program) }));
      // -e: before the configuration is read it would write to the system's log.
      return { program, args: ['-e', 'stderr', '-c', config] };
    },
  };
}

function configuration(route: Route, { pidFile, module }: { pidFile: string; module: string | undefined }): string {
  return `${module === undefined ? '' : `load_module ${module};\n`}daemon off;
worker_processes 1;
pid ${pidFile};
error_log stderr error;
events { worker_connections ${2 * route.connections + 200}; }
stream {
  server {
    listen 127.0.0.1:${route.from}${route.task.kind === 'tls-server' ? ' ssl' : ''};
    proxy_pass 127.0.0.1:${route.to};
    proxy_timeout 1h;
${tlsLines(route)
  .map((line) => `    ${line};\n`)
  .join('')}  }
}
`;
}

function tlsLines({ task }: Route): readonly string[] {
  switch (task.kind) {
    case 'plain':
      return [];
    case 'tls-server': {
      const { ca, cert, key } = task.certificates.server;
      return [
        `ssl_certificate ${cert}`,
        `ssl_certificate_key ${key}`,
        `ssl_client_certificate ${ca}`,
        'ssl_verify_client on',
        'ssl_protocols TLSv1.2 TLSv1.3',
      ];
    }
    case 'tls-client': {
      const { ca, cert, key } = task.certificates.client;
      return [
        'proxy_ssl on',
        `proxy_ssl_certificate ${cert}`,
        `proxy_ssl_certificate_key ${key}`,
        `proxy_ssl_trusted_certificate ${ca}`,
        'proxy_ssl_verify on',
        'proxy_ssl_name localhost',
        'proxy_ssl_server_name on',
        'proxy_ssl_protocols TLSv1.2 TLSv1.3',
        `proxy_ssl_session_reuse ${task.resumption ? 'on' : 'off'}`,
      ];
    }
  }
}

/** The file of the stream module; undefined where it is built in. */
function streamModule(program: string): string | undefined {
  const build = execFileSync('/bin/sh', ['-c', '"$0" -V 2>&1', program], { encoding: 'utf8', timeout: 10_000 });
  if (/--with-stream(\s|$)/.test(build)) return undefined;
  const folder = /--modules-path=(\S+)/.exec(build)?.[1] ?? '/usr/lib/nginx/modules';
  const file = join(folder, 'ngx_stream_module.so');
  if (!existsSync(file)) {
    throw new Error('nginx has no stream module: apt-get install --no-install-recommends libnginx-mod-stream');
  }
  return file;
}
