import { commandNames, commandRow } from './commands.ts';
import type { SettingSpec } from './table/setting-spec.ts';
import { settings } from './table/settings.ts';

const USAGE = `Usage: attache [command] [flags]

Commands
${commandNames.map((name) => `  ${name.padEnd(12)}  ${commandRow(name).does}`).join('\n')}

Examples
  attache --src :16379 --dst 10.0.3.144:6379
  attache --src :16379 --srv /srv/redis/debug --dsc http://etcd0:2379 --dsc http://etcd1:2379
  SRC_REDIS=:16379 SRV_REDIS=/srv/redis/debug LB_REDIS=true SRC_PG=127.0.0.1:5432 DST_PG=pg1:5432,pg2:5432 attache
  SERVICES='[{"name":"cache","src":":6379","srv":"/srv/redis/cache"}]' attache

Every setting is an environment variable and a flag: CONNECT_TIMEOUT is --connect-timeout. A flag wins.
SRC_<NAME> declares a service. Its other settings take the same suffix (DST_<NAME>, --dst-<name>).
A setting without a suffix is the default of every service.`;

const GRAMMAR = `Values
  address    :6379, host:6379, 10.0.3.144:6379, [::1]:6379, unix:/run/app.sock
  list       items separated by commas, or the flag repeated
  duration   500ms, 5s, 1m30s, 2h; 0 is off
  boolean    true/false, 1/0, yes/no, on/off; the flag --lb alone is true
  secret     the value, or <SETTING>_FILE with the path of a file that holds the value

Exit codes
  0 stopped cleanly, 1 connections were cut at SHUTDOWN_TIMEOUT, 69 no service could listen, 70 a bug,
  78 the configuration cannot be used`;

/** What `attache help` prints, without a newline at the end. */
export function helpText(): string {
  return [
    USAGE,
    section(
      'Settings of a service',
      settings.filter(({ scope }) => scope === 'service'),
    ),
    section(
      'Settings of the process',
      settings.filter(({ scope }) => scope === 'process'),
    ),
    GRAMMAR,
  ].join('\n\n');
}

function section(title: string, rows: readonly SettingSpec[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length));
  return [title, ...rows.map((spec) => `  ${spec.name.padEnd(width)}  ${describe(spec)}`)].join('\n');
}

function describe({ kind, meaning, default: fallback, aliases = [] }: SettingSpec): string {
  const details = [
    kind.label,
    ...(fallback === undefined ? [] : [`default ${fallback}`]),
    ...aliases.map((a) => `also ${a}`),
  ];
  return `${meaning} (${details.join('; ')})`;
}
