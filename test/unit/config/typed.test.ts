import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../../../src/core/errors.ts';
import { configure, type Input } from './configure.ts';

/** One service that is all right, so that what was typed is the only thing to speak of. */
const ok = { SRC: ':16379', DST: '10.0.3.144:6379' };

/** What people type, by habits of other programs and of their tools, and every word that they get for it. */
const typed: readonly (readonly [input: Input, said: string])[] = [
  [
    { env: { ...ok, DST: 'redis://host:6379' } },
    'DST: expected host:port without a scheme, got "redis://host:6379"; did you mean host:6379?',
  ],
  [
    { env: { ...ok, DST: 'a:1;b:1' } },
    'DST: expected addresses with commas between them, got "a:1;b:1"; did you mean a:1,b:1?',
  ],
  [
    { env: { ...ok, DST: 'a:1 b:1' } },
    'DST: expected addresses with commas between them, got "a:1 b:1"; did you mean a:1,b:1?',
  ],
  [
    { env: { ...ok, DST: '"a:1"' } },
    'DST: expected a value without quotes around it, got "\\"a:1\\""; remove the quotes: docker\'s --env-file and a Kubernetes env keep them, a shell does not',
  ],
  [
    { env: { ...ok, DST: 'a:1\r' } },
    'DST: expected a value without a carriage return at its end, got "a:1\\r"; give the file that it comes from Unix line ends',
  ],
  [
    { env: { ...ok, LB: 'true\r' } },
    'LB: expected a value without a carriage return at its end, got "true\\r"; give the file that it comes from Unix line ends',
  ],
  [
    { env: { ...ok, SRC: ':1\r' } },
    'SRC: expected a value without a carriage return at its end, got ":1\\r"; give the file that it comes from Unix line ends',
  ],
  [
    { env: { ...ok, BALANCE: 'roundrobin' } },
    'BALANCE: expected ordered, round-robin, least-connections or random, got "roundrobin"; did you mean round-robin?',
  ],
  [
    { env: { ...ok, BALANCE: 'ROUND-ROBIN' } },
    'BALANCE: expected ordered, round-robin, least-connections or random, got "ROUND-ROBIN"; did you mean round-robin?',
  ],
  [
    { env: { ...ok, BALANCE: 'round_robin' } },
    'BALANCE: expected ordered, round-robin, least-connections or random, got "round_robin"; did you mean round-robin?',
  ],
  [
    { env: { ...ok, BALANCE: 'leastconn' } },
    'BALANCE: expected ordered, round-robin, least-connections or random, got "leastconn"; did you mean least-connections?',
  ],
  [
    { env: { ...ok, BALANCE: 'rr' } },
    'BALANCE: expected ordered, round-robin, least-connections or random, got "rr"; did you mean round-robin?',
  ],
  [
    { env: { ...ok, BALANCE: 'failover' } },
    'BALANCE: expected ordered, round-robin, least-connections or random, got "failover"; did you mean ordered?',
  ],
  [
    { env: { src: ':1', dst: 'a:1' } },
    [
      'SRC: expected a service, got none; declare one by SRC=:16379 DST=10.0.3.144:6379 or by SRC=:16379 SRV=/srv/redis/debug',
      'warning: dst: unknown and ignored; did you mean DST?',
      'warning: src: unknown and ignored; did you mean SRC?',
    ].join('\n'),
  ],
  [
    { env: { Src: ':1', DST: 'a:1' } },
    ['DST: expected SRC beside it, got none', 'warning: Src: unknown and ignored; did you mean SRC?'].join('\n'),
  ],
  [
    { env: { ...ok, connect_timeout: '5s' } },
    'warning: connect_timeout: unknown and ignored; did you mean CONNECT_TIMEOUT?',
  ],
  [
    { env: { ...ok, DST: '999.1.1.1:6379' } },
    'DST: expected an IPv4 address of four numbers from 0 to 255, got "999.1.1.1:6379"',
  ],
  [
    { argv: ['--lb', 'roundrobin'], env: ok },
    '--lb: expected true or false (also 1/0, yes/no, on/off), got "roundrobin"; did you mean BALANCE=round-robin?',
  ],
  [
    { env: { ...ok, LB: 'round-robin' } },
    'LB: expected true or false (also 1/0, yes/no, on/off), got "round-robin"; did you mean BALANCE=round-robin?',
  ],
  [{ env: { ...ok, DST: '10.0.0.1' } }, 'DST: expected host:port, got "10.0.0.1"; add its port, as in 10.0.0.1:6379'],
  [
    { env: { ...ok, DST: 'host:redis' } },
    'DST: expected a port number from 1 to 65535 after the last colon, got "host:redis"',
  ],
  [{ env: { ...ok, DST: 'host:' } }, 'DST: expected a port number from 1 to 65535 after the last colon, got "host:"'],
  [
    { env: { ...ok, DST: 'host:6379/0' } },
    'DST: expected a port number from 1 to 65535 after the last colon, got "host:6379/0"; did you mean host:6379?',
  ],
  [{ env: { ...ok, DST: 'localhost:6379,' } }, 'DST: expected an item between commas, got an empty one'],
  [{ env: { ...ok, SRC: '16379' } }, 'SRC: expected host:port, got "16379"; did you mean :16379?'],
  [
    { env: { ...ok, SRC: 'localhost' } },
    'SRC: expected host:port, got "localhost"; add its port, as in localhost:6379',
  ],
  [
    { env: { ...ok, SRC: '*:6379' } },
    'SRC: expected a host name or an IP address before the colon, got "*:6379"; did you mean :6379?',
  ],
  [
    { env: { ...ok, SRC: '16379:6379' } },
    'SRC: expected a host name or an IP address before the colon, got "16379:6379"; did you mean :16379?',
  ],
  [
    { env: { ...ok, SRC: '6379:redis:6379' } },
    'SRC: expected host:port, got "6379:redis:6379"; did you mean :6379 here, and redis:6379 in DST?',
  ],
  [
    { env: { ...ok, DST: 'http://web:80' } },
    'DST: expected host:port without a scheme, got "http://web:80"; did you mean web:80?',
  ],
  [
    { env: { ...ok, DST: 'postgres://u:p@pg:5432/db' } },
    'DST: expected host:port without a scheme, got "***@pg:5432/db"; did you mean pg:5432?',
  ],
  [
    { env: { ...ok, DST: 'rediss://h:6379' } },
    'DST: expected host:port without a scheme, got "rediss://h:6379"; did you mean h:6379? TLS to it is TLS_MODE=client',
  ],
  [
    { env: { ...ok, DST: '["a:1","b:2"]' } },
    'DST: expected addresses with commas between them, got "[\\"a:1\\",\\"b:2\\"]"; did you mean a:1,b:2?',
  ],
  [
    { env: { ...ok, DST: '[a:1,b:2]' } },
    'DST: expected addresses with commas between them, got "[a:1,b:2]"; did you mean a:1,b:2?',
  ],
  [{ env: { ...ok, DST: '::1:6379' } }, 'DST: expected an IPv6 address in brackets, as in [::1]:6379, got "::1:6379"'],
  [
    { env: { ...ok, DST: '[fe80::1%eth0]:6379' } },
    'DST: expected an IPv6 address between the brackets, without the zone behind "%", got "[fe80::1%eth0]:6379"',
  ],
  [{ env: { ...ok, DST: '[::1]' } }, 'DST: expected a port after "]", as in [::1]:6379, got "[::1]"'],
  [
    { env: { ...ok, DST: '${REDIS_HOST}:6379' } },
    'DST: expected a host name or an IP address before the colon, got "${REDIS_HOST}:6379"; nothing has replaced the variable: a shell and a compose file do so, an --env-file does not',
  ],
  [
    { env: { ...ok, DST: '$REDIS_HOST:6379' } },
    'DST: expected a host name or an IP address before the colon, got "$REDIS_HOST:6379"; nothing has replaced the variable: a shell and a compose file do so, an --env-file does not',
  ],
  [
    { env: { ...ok, DST: '<your-redis>:6379' } },
    'DST: expected a host name or an IP address before the colon, got "<your-redis>:6379"; put a host name in place of <your-redis>',
  ],
  [{ env: { ...ok, DST: 'redis:6379:1' } }, 'DST: expected host:port, got "redis:6379:1"'],
  [{ env: { ...ok, DST: 'redis,6379' } }, 'DST: expected host:port, got "redis,6379"; did you mean redis:6379?'],
  [
    { env: { ...ok, DST: 'my redis:6379' } },
    'DST: expected an address without spaces or control characters, got "my redis:6379"',
  ],
  [
    { env: { ...ok, DST: '/var/run/redis.sock' } },
    'DST: expected host:port, or unix:/path for a Unix socket, got "/var/run/redis.sock"; did you mean unix:/var/run/redis.sock?',
  ],
  [{ env: { ...ok, DST: 'unix:run/r.sock' } }, 'DST: expected an absolute path after "unix:", got "unix:run/r.sock"'],
  [
    { env: { ...ok, CONNECT_TIMEOUT: '30' } },
    'CONNECT_TIMEOUT: expected a duration with its unit (30s or 30ms?), got "30"',
  ],
  [
    { env: { ...ok, CONNECT_TIMEOUT: '5 s' } },
    'CONNECT_TIMEOUT: expected a duration such as 500ms, 5s, 1m30s or 2h, got "5 s"; did you mean 5s?',
  ],
  [
    { env: { ...ok, CONNECT_TIMEOUT: '5sec' } },
    'CONNECT_TIMEOUT: expected a duration such as 500ms, 5s, 1m30s or 2h, got "5sec"; did you mean 5s?',
  ],
  [
    { env: { ...ok, CONNECT_TIMEOUT: '1.5s' } },
    'CONNECT_TIMEOUT: expected a duration such as 500ms, 5s, 1m30s or 2h, got "1.5s"; did you mean 1s500ms?',
  ],
  [
    { env: { ...ok, CONNECT_TIMEOUT: '5S' } },
    'CONNECT_TIMEOUT: expected a duration such as 500ms, 5s, 1m30s or 2h, got "5S"; did you mean 5s?',
  ],
  [
    { env: { ...ok, MAX_LIFETIME: '1d' } },
    'MAX_LIFETIME: expected a duration such as 500ms, 5s, 1m30s or 2h, got "1d"; did you mean 24h?',
  ],
  [
    { env: { ...ok, IDLE_TIMEOUT: 'never' } },
    'IDLE_TIMEOUT: expected a duration such as 500ms, 5s, 1m30s or 2h, got "never"; did you mean 0?',
  ],
  [
    { env: { ...ok, IDLE_TIMEOUT: 'off' } },
    'IDLE_TIMEOUT: expected a duration such as 500ms, 5s, 1m30s or 2h, got "off"; did you mean 0?',
  ],
  [
    { env: { ...ok, MAX_MEMORY: '256' } },
    'MAX_MEMORY: expected auto, off, or a size of at least 1Mi such as 192Mi, 1Gi, 500M or 200000000, got "256"',
  ],
  [
    { env: { ...ok, LOG_LEVEL: 'trace' } },
    'LOG_LEVEL: expected debug, info, warn, error, fatal or silent, got "trace"; did you mean debug?',
  ],
  [{ env: { ...ok, LOG_FORMAT: 'text' } }, 'LOG_FORMAT: expected json or pretty, got "text"; did you mean pretty?'],
  [{ env: { ...ok, NET: 'ipv4' } }, 'NET: expected tcp4, tcp6 or tcp, got "ipv4"; did you mean tcp4?'],
  [
    { env: { SRC: ':1', SRV: '/srv/a', DSC: 'etcd0:2379' } },
    'DSC: expected http://host:port, https://host:port, etcd://host:port, file:///directory, dns://, dns://ip:port or sentinel://host:port, got "etcd0:2379"; did you mean http://etcd0:2379?',
  ],
  [
    { env: { SRC: ':1', SRV: '/srv/a', DSC: 'http://etcd0' } },
    'DSC: expected host:port (in http://host:port), got "http://etcd0"',
  ],
  [
    { env: { SRC: ':1', SRV: '/srv/a', DSC: 'http://u:p@etcd0:2379' } },
    'DSC: expected an endpoint without credentials (ETCD_USERNAME, ETCD_PASSWORD), got one with "@"',
  ],
  [
    { env: { SRC: ':1', SRV: '/srv/a', DSC: 'consul://c:8500' } },
    'DSC: expected http://host:port, https://host:port, etcd://host:port, file:///directory, dns://, dns://ip:port or sentinel://host:port, got "consul://c:8500"',
  ],
  [
    { env: { SRC: ':1', SRV: '/srv/a', DSC: '/srv/registry' } },
    'DSC: expected http://host:port, https://host:port, etcd://host:port, file:///directory, dns://, dns://ip:port or sentinel://host:port, got "/srv/registry"; did you mean file:///srv/registry?',
  ],
  [
    { env: { SRC: ':1', SRV: '/srv/a', DSC: 'file://./registry' } },
    'DSC: expected file:// and an absolute path, as in file:///srv, got "file://./registry"',
  ],
  [{ env: { SRC: ':1' } }, 'SRC: expected DST or SRV, got neither'],
  [{ env: { DST: 'a:1' } }, 'DST: expected SRC beside it, got none'],
  [{ env: { SRC: ':1', DST: 'a:1', SRV: '/srv/a', DSC: 'http://e:1' } }, 'DST: expected DST or SRV, got both'],
  [
    {},
    'SRC: expected a service, got none; declare one by SRC=:16379 DST=10.0.3.144:6379 or by SRC=:16379 SRV=/srv/redis/debug',
  ],
  [
    { argv: ['run', ':16379', 'a:1'] },
    [
      'argument 1: expected a flag, got a value that belongs to none',
      'argument 2: expected a flag, got a value that belongs to none',
      'SRC: expected a service, got none; declare one by SRC=:16379 DST=10.0.3.144:6379 or by SRC=:16379 SRV=/srv/redis/debug',
    ].join('\n'),
  ],
  [
    { argv: ['-src', ':16379', '-dst', 'a:1'] },
    [
      '-src: expected a flag of this program, got an unknown one; did you mean --src?',
      '-dst: expected a flag of this program, got an unknown one; did you mean --dst?',
      'SRC: expected a service, got none; declare one by SRC=:16379 DST=10.0.3.144:6379 or by SRC=:16379 SRV=/srv/redis/debug',
    ].join('\n'),
  ],
  [
    { argv: ['--source', ':16379', '--dst', 'a:1'] },
    [
      '--source: expected a flag of this program, got an unknown one; did you mean --src?',
      '--dst: expected --src beside it, got none',
    ].join('\n'),
  ],
  [
    { argv: ['--listen', ':16379', '--dst', 'a:1'] },
    [
      '--listen: expected a flag of this program, got an unknown one; did you mean --src?',
      '--dst: expected --src beside it, got none',
    ].join('\n'),
  ],
  [
    { argv: ['--SRC', ':16379', '--dst', 'a:1'] },
    [
      '--SRC: expected a flag of this program, got an unknown one; did you mean --src?',
      '--dst: expected --src beside it, got none',
    ].join('\n'),
  ],
  [
    { argv: ['--connect_timeout', '5s'], env: ok },
    '--connect_timeout: expected a flag of this program, got an unknown one; did you mean --connect-timeout?',
  ],
  [
    { argv: ['SRC=:16379', 'DST=a:1'] },
    'command: expected run, tls-client, tls-server, register, check, healthcheck, wait, status, connections, drain, undrain, loglevel, apply, reload, quit, completion, help or version, got "SRC=:16379"; a variable stands before the program, a flag behind it: --src',
  ],
  [
    { argv: ['--src', ':1', '--dst'] },
    ['--dst: expected a value, got none', '--src: expected --dst or --srv, got neither'].join('\n'),
  ],
  [
    { argv: ['--src', ':1', '--dst', 'a:1', 'b:1'] },
    'argument 5: expected a flag, got a value that belongs to none; several values of --dst are joined by commas',
  ],
  [
    { argv: ['start'], env: ok },
    'command: expected run, tls-client, tls-server, register, check, healthcheck, wait, status, connections, drain, undrain, loglevel, apply, reload, quit, completion, help or version, got "start"; did you mean run?',
  ],
  [
    { argv: ['chek'], env: ok },
    'command: expected run, tls-client, tls-server, register, check, healthcheck, wait, status, connections, drain, undrain, loglevel, apply, reload, quit, completion, help or version, got "chek"; did you mean check?',
  ],
  [
    { env: { SERVICES: '{"name":"a"}' } },
    'SERVICES: expected a JSON array of services, got an object; put it into brackets: [{...}]',
  ],
  [
    { env: { SERVICES: "[{'name':'a','src':':1','dst':'a:1'}]" } },
    'SERVICES: expected a JSON array of services, got text that is no JSON (line 1, column 3); JSON takes double quotes alone',
  ],
  [
    { env: { SERVICES: '[{"name":"a","SRC":":1","dst":"a:1"}]' } },
    [
      'SERVICES[0].SRC: expected a setting of a service, got an unknown key; did you mean src?',
      'SERVICES[0].src: expected an address such as :6379, got none',
    ].join('\n'),
  ],
  [
    { env: { SERVICES: '[{"name":"a","listen":":1","dst":"a:1"}]' } },
    [
      'SERVICES[0].listen: expected a setting of a service, got an unknown key; did you mean src?',
      'SERVICES[0].src: expected an address such as :6379, got none',
    ].join('\n'),
  ],
  [
    { env: { SERVICES: '- name: a' } },
    'SERVICES: expected a JSON array of services, got text that is no JSON (line 1, column 1)',
  ],
  [
    { env: { SERVICES: '[{"name":"a","src":6379,"dst":"a:1"}]' } },
    'SERVICES[0].src: expected host:port, got "6379"; did you mean :6379?',
  ],
  [{ env: { ...ok, TLS_MODE: 'true' } }, 'TLS_MODE: expected off, client or server, got "true"'],
  [{ env: { ...ok, TLS_MODE: 'mtls' } }, 'TLS_MODE: expected off, client or server, got "mtls"'],
  [
    { env: { ...ok, TLS_MODE: 'client', TLS_CERTPATH: '/c', TLS_MIN_VERSION: '1.2' } },
    'TLS_MIN_VERSION: expected TLSv1.2 or TLSv1.3, got "1.2"; did you mean TLSv1.2?',
  ],
  [
    { env: { ...ok, TLS_MODE: 'client', TLS_CERTPATH: '/c', TLS_MIN_VERSION: 'tls1.3' } },
    'TLS_MIN_VERSION: expected TLSv1.2 or TLSv1.3, got "tls1.3"; did you mean TLSv1.3?',
  ],
  [{ env: { ...ok, HTTP_ADDR: '29091' } }, 'HTTP_ADDR: expected host:port, or off, got "29091"; did you mean :29091?'],
  [{ env: { ...ok, HTTP_ADDR: 'none' } }, 'HTTP_ADDR: expected host:port, or off, got "none"; did you mean off?'],
  [
    { env: { ...ok, ON_CHANGE: 'none' } },
    'ON_CHANGE: expected reset, reset-removed, drain or keep, got "none"; did you mean keep?',
  ],
  [
    { env: { ...ok, ON_CHANGE: 'reset_removed' } },
    'ON_CHANGE: expected reset, reset-removed, drain or keep, got "reset_removed"; did you mean reset-removed?',
  ],
  [{ env: { ...ok, PROXY_PROTOCOL: 'true' } }, 'PROXY_PROTOCOL: expected off, v1 or v2, got "true"'],
  [{ env: { ...ok, PROXY_PROTOCOL: '2' } }, 'PROXY_PROTOCOL: expected off, v1 or v2, got "2"; did you mean v2?'],
  [
    { env: { ...ok, ADMIN_ADDR: 'unix:/run/a', ADMIN_SOCKET_MODE: '432' } },
    'ADMIN_SOCKET_MODE: expected a mode with which the owner may read and write, 0600 to 0777, got "432"; YAML makes 432 of 0660: put it into quotes',
  ],
  [
    { env: { ...ok, DISCOVERY_ALLOW: '10.0.0.*' } },
    'DISCOVERY_ALLOW: expected a CIDR block such as 10.0.0.0/8 or fd00::/8, got "10.0.0.*"',
  ],
  [
    { env: { ...ok, DST: 'export DST=a:1' } },
    'DST: expected an address without spaces or control characters, got "export DST=a:1"; did you mean a:1?',
  ],
  [
    { env: { ...ok, CONECT_TIMEOUT: '5s' } },
    'warning: CONECT_TIMEOUT: unknown and ignored; did you mean CONNECT_TIMEOUT?',
  ],
  [{ env: { ...ok, LOGLEVEL: 'debug' } }, 'warning: LOGLEVEL: unknown and ignored; did you mean LOG_LEVEL?'],
  [
    { env: { ATTACHE_SRC: ':1', ATTACHE_DST: 'a:1' } },
    [
      'SRC: expected a service, got none; declare one by SRC=:16379 DST=10.0.3.144:6379 or by SRC=:16379 SRV=/srv/redis/debug',
      'warning: ATTACHE_DST: unknown and ignored; did you mean DST?',
      'warning: ATTACHE_SRC: unknown and ignored; did you mean SRC?',
    ].join('\n'),
  ],
  [
    { env: { SOURCE: ':1', DESTINATION: 'a:1' } },
    'SRC: expected a service, got none; declare one by SRC=:16379 DST=10.0.3.144:6379 or by SRC=:16379 SRV=/srv/redis/debug',
  ],
];

for (const [input, said] of typed) {
  test(`${JSON.stringify(input)} is answered with what to type instead`, () => {
    assert.equal(answerTo(input), said);
  });
}

/** The report, or else the warnings. */
function answerTo(input: Input): string {
  try {
    return configure(input)
      .warnings.map((warning) => `warning: ${warning}`)
      .join('\n');
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
}
