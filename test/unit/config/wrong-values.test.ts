import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configure, reportOf, type Input } from './configure.ts';

/** One service that is all right, so that the fault under test is the only one. */
const ok = { SRC: ':16379', DST: '10.0.3.144:6379' };

const wrong: readonly (readonly [condition: string, input: Input, report: string])[] = [
  // addresses
  [
    'a candidate without a port',
    { env: { ...ok, DST: 'redis' } },
    'DST: expected host:port, got "redis"; add its port, as in redis:6379',
  ],
  ['a candidate with port 0', { env: { ...ok, DST: 'redis:0' } }, 'DST: expected a port of at least 1, got "redis:0"'],
  [
    'a listen port over 65535',
    { env: { ...ok, SRC: ':65536' } },
    'SRC: expected a port of at most 65535, got ":65536"',
  ],
  [
    'a bare port to listen on',
    { env: { ...ok, SRC: '16379' } },
    'SRC: expected host:port, got "16379"; did you mean :16379?',
  ],
  [
    'an address with a space',
    { env: { ...ok, DST: 'redis :6379' } },
    'DST: expected an address without spaces or control characters, got "redis :6379"',
  ],
  [
    'an address with a line break',
    { env: { ...ok, DST: 'redis\n:6379' } },
    'DST: expected an address without spaces or control characters, got "redis\\n:6379"',
  ],
  [
    'an IPv6 address without brackets',
    { env: { ...ok, DST: '::1:6379' } },
    'DST: expected an IPv6 address in brackets, as in [::1]:6379, got "::1:6379"',
  ],
  [
    'an IPv4 address out of range',
    { env: { ...ok, DST: '10.0.0.256:6379' } },
    'DST: expected an IPv4 address of four numbers from 0 to 255, got "10.0.0.256:6379"',
  ],
  [
    'a Unix socket without its prefix',
    { env: { ...ok, SRC: '/run/app.sock' } },
    'SRC: expected host:port, or unix:/path for a Unix socket, got "/run/app.sock"; did you mean unix:/run/app.sock?',
  ],
  [
    'a relative Unix socket',
    { env: { ...ok, SRC: 'unix:app.sock' } },
    'SRC: expected an absolute path after "unix:", got "unix:app.sock"',
  ],
  ['a blank listen address', { env: { ...ok, SRC: '  ' } }, 'SRC: expected a list of addresses, got "  "'],
  // lists
  [
    'an empty item in a list',
    { env: { ...ok, DST: 'a:1,,b:2' } },
    'DST: expected an item between commas, got an empty one',
  ],
  [
    'a comma at the end of a list',
    { env: { ...ok, DST: 'a:1,' } },
    'DST: expected an item between commas, got an empty one',
  ],
  ['a candidate twice', { env: { ...ok, DST: 'a:1, A:1' } }, 'DST: expected each item once, got "A:1" twice'],
  ['a listener twice', { env: { ...ok, SRC: ':1,:1' } }, 'SRC: expected each item once, got ":1" twice'],
  [
    'two faulty items',
    { env: { ...ok, DST: 'a,b:0,c:3' } },
    'DST: expected host:port, got "a"; add its port, as in a:6379\nDST: expected a port of at least 1, got "b:0"',
  ],
  // durations
  [
    'a duration without a unit',
    { env: { ...ok, CONNECT_TIMEOUT: '30' } },
    'CONNECT_TIMEOUT: expected a duration with its unit (30s or 30ms?), got "30"',
  ],
  [
    'a duration of words',
    { env: { ...ok, IDLE_TIMEOUT: 'five minutes' } },
    'IDLE_TIMEOUT: expected a duration such as 500ms, 5s, 1m30s or 2h, got "five minutes"',
  ],
  [
    'a negative duration',
    { env: { ...ok, KEEPALIVE: '-5s' } },
    'KEEPALIVE: expected a duration such as 500ms, 5s, 1m30s or 2h, got "-5s"',
  ],
  [
    'a duration beyond what a timer can wait',
    { env: { ...ok, SHUTDOWN_TIMEOUT: '600h' } },
    'SHUTDOWN_TIMEOUT: expected a duration of at most 24 days, got "600h"',
  ],
  // counts
  ['a negative count', { env: { ...ok, RETRIES: '-1' } }, 'RETRIES: expected a whole number, 0 or more, got "-1"'],
  [
    'a fraction as a count',
    { env: { ...ok, MAX_CONNECTIONS: '1.5' } },
    'MAX_CONNECTIONS: expected a whole number, 0 or more, got "1.5"',
  ],
  [
    'a count beyond reason',
    { env: { ...ok, READY_MIN_CANDIDATES: '99999999999' } },
    'READY_MIN_CANDIDATES: expected a whole number of at most 2147483647, got "99999999999"',
  ],
  // booleans and choices
  [
    'a boolean that is none',
    { env: { ...ok, LB: 'maybe' } },
    'LB: expected true or false (also 1/0, yes/no, on/off), got "maybe"',
  ],
  ['an unknown network', { env: { ...ok, NET: 'udp' } }, 'NET: expected tcp4, tcp6 or tcp, got "udp"'],
  [
    'an unknown policy',
    { env: { ...ok, BALANCE: 'fair' } },
    'BALANCE: expected ordered, round-robin, least-connections or random, got "fair"',
  ],
  [
    'an unknown reaction to a change',
    { env: { ...ok, ON_CHANGE: 'ignore' } },
    'ON_CHANGE: expected reset, reset-removed, drain or keep, got "ignore"; did you mean keep?',
  ],
  [
    'an unknown log level',
    { env: { ...ok, LOG_LEVEL: 'verbose' } },
    'LOG_LEVEL: expected debug, info, warn, error, fatal or silent, got "verbose"; did you mean debug?',
  ],
  ['an unknown log format', { env: { ...ok, LOG_FORMAT: 'xml' } }, 'LOG_FORMAT: expected json or pretty, got "xml"'],
  [
    'an unknown way to fail',
    { env: { ...ok, DISCOVERY_ON_FAILURE: 'panic' } },
    'DISCOVERY_ON_FAILURE: expected keep or clear, got "panic"',
  ],
  // service directories
  [
    'the root as a service directory',
    { env: { SRC: ':1', SRV: '/' } },
    'SRV: expected a directory such as /srv/redis/debug, got "/"',
  ],
  [
    'a service directory with a space',
    { env: { SRC: ':1', SRV: '/srv/re dis' } },
    'SRV: expected a directory without spaces or control characters, got "/srv/re dis"',
  ],
  [
    'a service directory that climbs out of its root',
    { env: { SRC: ':1', SRV: '/srv/../etc' } },
    'SRV: expected a directory without empty, "." or ".." parts, got "/srv/../etc"',
  ],
  [
    'a service directory with an empty part',
    { env: { SRC: ':1', SRV: '/srv//redis' } },
    'SRV: expected a directory without empty, "." or ".." parts, got "/srv//redis"',
  ],
  // discovery
  [
    'an endpoint without a scheme',
    { env: { ...ok, DSC: 'etcd0:2379' } },
    'DSC: expected http://host:port, https://host:port, etcd://host:port, file:///directory, dns://, dns://ip:port or sentinel://host:port, got "etcd0:2379"; did you mean http://etcd0:2379?',
  ],
  [
    'an endpoint without a port',
    { env: { ...ok, DSC: 'http://etcd0' } },
    'DSC: expected host:port (in http://host:port), got "http://etcd0"',
  ],
  [
    'an endpoint with a path',
    { env: { ...ok, DSC: 'http://etcd0:2379/v3' } },
    'DSC: expected an endpoint without path, query or fragment, got "http://etcd0:2379/v3"',
  ],
  [
    'an endpoint with a query',
    { env: { ...ok, DSC: 'https://etcd0:2379?x=1' } },
    'DSC: expected an endpoint without path, query or fragment, got "https://etcd0:2379?x=1"',
  ],
  [
    'an endpoint with credentials',
    { env: { ...ok, DSC: 'http://root:hunter2@etcd0:2379' } },
    'DSC: expected an endpoint without credentials (ETCD_USERNAME, ETCD_PASSWORD), got one with "@"',
  ],
  [
    'endpoints of two schemes',
    { env: { ...ok, DSC: 'http://etcd0:2379,https://etcd1:2379' } },
    'DSC: expected endpoints of one scheme, got http and https',
  ],
  [
    'a directory and an endpoint',
    { env: { ...ok, DSC: 'file:///srv,http://etcd0:2379' } },
    'DSC: expected endpoints of one scheme, got file and http',
  ],
  ['two directories', { env: { ...ok, DSC: 'file:///a,file:///b' } }, 'DSC: expected one file:// directory, got 2'],
  [
    'a directory that is not absolute',
    { env: { ...ok, DSC: 'file://srv/registry' } },
    'DSC: expected file:// and an absolute path, as in file:///srv, got "file://srv/registry"',
  ],
  [
    'a directory with a query',
    { env: { ...ok, DSC: 'file:///srv?x' } },
    'DSC: expected file:// and an absolute path, as in file:///srv, got "file:///srv?x"',
  ],
  [
    'an endpoint twice',
    { env: { ...ok, DSC: 'http://a:1,HTTP://A:1/' } },
    'DSC: expected each item once, got "HTTP://A:1/" twice',
  ],
  [
    'a CIDR block that is none',
    { env: { ...ok, DISCOVERY_ALLOW: '10.0.0.0/33, localhost' } },
    [
      'DISCOVERY_ALLOW: expected a CIDR block such as 10.0.0.0/8 or fd00::/8, got "10.0.0.0/33"',
      'DISCOVERY_ALLOW: expected a CIDR block such as 10.0.0.0/8 or fd00::/8, got "localhost"',
    ].join('\n'),
  ],
  // the process
  [
    'a health address without a port',
    { env: { ...ok, HTTP_ADDR: 'localhost' } },
    'HTTP_ADDR: expected host:port, or off, got "localhost"; add its port, as in localhost:29091',
  ],
  [
    'names of hosts that are none',
    { env: { ...ok, HTTP_ALLOW_HOSTS: 'a.example:80, *, *., http://a, a_b.example, A_B.example' } },
    [
      ...['a.example:80', '*', '*.', 'http://a'].map(
        (got) => `HTTP_ALLOW_HOSTS: expected a host name without a port, or *.suffix, got "${got}"`,
      ),
      'HTTP_ALLOW_HOSTS: expected each item once, got "A_B.example" twice',
    ].join('\n'),
  ],
  // what may be shown
  [
    'a long value',
    { env: { ...ok, NET: 'x'.repeat(5000) } },
    `NET: expected tcp4, tcp6 or tcp, got "${'x'.repeat(77)}..."`,
  ],
  [
    'a value that would rewrite the terminal',
    { env: { ...ok, NET: 'x\u001b[2J\u202eevil\u009bx' } },
    'NET: expected tcp4, tcp6 or tcp, got "x\\u001b[2J\\u202eevil\\u009bx"',
  ],
  [
    'a URL with a password in the wrong place',
    { env: { ...ok, DST: 'redis://user:hunter2@cache:6379' } },
    'DST: expected host:port without a scheme, got "***@cache:6379"; did you mean cache:6379?',
  ],
  // faults come together
  [
    'faults in several places',
    { argv: ['--net', 'udp'], env: { SRC_A: 'x', SRV_A: '/', RETRIES: 'many', DSC: 'x', LOG_LEVEL: 'loud' } },
    [
      'LOG_LEVEL: expected debug, info, warn, error, fatal or silent, got "loud"',
      'DSC: expected http://host:port, https://host:port, etcd://host:port, file:///directory, dns://, dns://ip:port or sentinel://host:port, got "x"',
      '--net: expected tcp4, tcp6 or tcp, got "udp"',
      'RETRIES: expected a whole number, 0 or more, got "many"',
      'SRC_A: expected host:port, got "x"; add its port, as in x:6379',
      'SRV_A: expected a directory such as /srv/redis/debug, got "/"',
    ].join('\n'),
  ],
];

for (const [condition, input, report] of wrong) {
  test(`${condition} is refused with what was expected and got`, () => {
    assert.equal(
      reportOf(() => configure(input)),
      report,
    );
  });
}
