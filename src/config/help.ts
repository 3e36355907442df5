import type { Word } from './word.ts';
import { words } from './words.ts';

const USAGE = `Usage: attache [command] [flags]

Commands
  run           proxy until SIGTERM or SIGINT (the default)
  tls-client    the same with TLS_MODE=client: plain in, mutual TLS out
  tls-server    the same with TLS_MODE=server: mutual TLS in, plain out
  check         validate, print the resolved services, exit; --json for programs
  healthcheck   ask /readyz of the attache beside it; exit 0 or 1
  wait          until it is ready; --timeout 30s (0: for ever); exit 0 or 1
  status        what it is doing, as a table; --watch goes on
  connections   the newest open ones; --id 42 tells the story of one, also when it has ended
  quit          drain and exit 0, as SIGTERM
  help          this text (also --help, -h)
  version       the version (also --version, -v)

Examples
  attache --src :16379 --dst 10.0.3.144:6379
  attache --src :16379 --srv /srv/redis/debug --dsc http://etcd0:2379 --dsc http://etcd1:2379
  SRC_REDIS=:16379 SRV_REDIS=/srv/redis/debug LB_REDIS=true SRC_PG=127.0.0.1:5432 DST_PG=pg1:5432,pg2:5432 attache
  SERVICES='[{"name":"cache","src":":6379","srv":"/srv/redis/cache"}]' attache

Every word is an environment variable and a flag: CONNECT_TIMEOUT is --connect-timeout. Flags win.
SRC_<NAME> declares a service; other words of it take the same suffix (DST_<NAME>, --dst-<name>).`;

const GRAMMAR = `Values
  address    :6379, host:6379, 10.0.3.144:6379, [::1]:6379, unix:/run/app.sock
  list       separated by commas, or the flag repeated
  duration   500ms, 5s, 1m30s, 2h; 0 is off
  boolean    true/false, 1/0, yes/no, on/off; as a flag, --lb alone is true
  secret     the value, or <WORD>_FILE with the path of a file that holds it

Exit codes
  0 stopped cleanly, 1 connections were cut at SHUTDOWN_TIMEOUT, 69 no service could listen, 70 a bug,
  78 bad configuration`;

/** What `attache help` prints, without a newline at the end. */
export function helpText(): string {
  return [
    USAGE,
    section(
      'Words of a service',
      words.filter(({ scope }) => scope === 'service'),
    ),
    section(
      'Words of the process',
      words.filter(({ scope }) => scope === 'process'),
    ),
    GRAMMAR,
  ].join('\n\n');
}

function section(title: string, rows: readonly Word[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length));
  return [title, ...rows.map((word) => `  ${word.name.padEnd(width)}  ${describe(word)}`)].join('\n');
}

function describe({ kind, meaning, default: fallback, aliases = [] }: Word): string {
  const details = [
    kind.label,
    ...(fallback === undefined ? [] : [`default ${fallback}`]),
    ...aliases.map((a) => `also ${a}`),
  ];
  return `${meaning} (${details.join('; ')})`;
}
