import type { Kind } from '../../src/config/table/kind.ts';

/** Values that a kind takes, and values that it refuses with what it says of them. */
export interface KindSample {
  readonly label: string;
  readonly accepted: readonly string[];
  readonly refused: readonly { readonly text: string; readonly message: string }[];
}

/** By the label of the kind: what is shown as accepted, and what as refused. */
const examples: Readonly<Record<string, readonly [accepted: readonly string[], refused: readonly string[]]>> = {
  'list of addresses': [
    [':6379', 'host:6379', '10.0.3.144:6379', '[::1]:6379', 'unix:/run/app.sock', 'a:1, b:2'],
    ['6379', 'host:70000', 'a:1,,b:2', 'a:1,a:1'],
  ],
  'address | off': [[':29091', '127.0.0.1:29091', 'unix:/run/attache.sock', 'off'], ['29091']],
  'service name': [['/srv/redis/debug', 'srv/redis'], ['/srv/../etc']],
  'list of directories': [['/srv/redis/debug', '/srv/redis/a,/srv/redis/b'], ['srv/redis']],
  'host:port | :port': [
    ['10.0.1.134:6379', 'redis-0.internal:6379', ':6379'],
    ['0.0.0.0:6379', '6379'],
  ],
  key: [['/attache/web'], ['attache/web']],
  'list of folders': [['/etc/tls', '/etc/tls,s3://bucket/web'], ['etc/tls']],
  'list of ports': [
    [':16379', ':16000-16999', '127.0.0.1:80', 'unix:/run/attache/', 'unix:/run/a.sock'],
    ['16379', ':2-1'],
  ],
  '0 to 65535': [['0', '100'], ['70000']],
  zone: [['eu-west-1a'], ['zone 1']],
  duration: [
    ['500ms', '5s', '1m30s', '2h', '0'],
    ['30', '-1s'],
  ],
  'whole number': [
    ['0', '128'],
    ['-1', '1.5'],
  ],
  'memory size': [
    ['auto', '192Mi', '1Gi', '500M', '200000000', 'off'],
    ['192', '-1Mi'],
  ],
  'health check': [
    ['off', 'tcp', 'redis-primary', 'http://:8008/primary', 'https://probe.internal/health?deep=1'],
    ['sentinel', ':8008/primary', 'http://user:secret@host/'],
  ],
  'bytes with escapes': [['PING\\r\\n', '\\x00\\x08'], ['\\q']],
  'prefix | /regexp/': [
    ['+PONG', '/^220 .*ESMTP/', '/ready/i'],
    ['/(a/', '/(?=a)/', '/a/g'],
  ],
  boolean: [['true', 'false', '1', '0', 'yes', 'no', 'on', 'off'], ['maybe']],
  'octal mode': [
    ['0666', '0660', '600'],
    ['999', '7777', '0444', '432'],
  ],
  secret: [['hunter2'], []],
  text: [['[{ "name": ... }]'], []],
  path: [['/etc/ssl/ca.pem', 'certs/ca.pem'], []],
  'list of endpoints': [
    ['http://etcd0:2379', 'https://a:2379,https://b:2379', 'file:///srv/registry'],
    ['etcd0:2379', 'http://a:1,https://b:2'],
  ],
  'list of CIDR blocks': [['10.0.0.0/8', '10.0.0.0/8,fd00::/8', '127.0.0.1:6380'], ['10.0.0.0/40']],
  'list of host names': [['metrics.example.com', 'metrics.example.com,*.corp.example'], ['metrics.example.com:80']],
  'path | file:// | s3://': [
    ['/run/tls/ca.pem', 'file:///run/tls/ca.pem', 's3://bucket/key.pem'],
    ['https://a/ca.pem'],
  ],
  'directory | s3://bucket/prefix': [['/run/tls', 's3://bucket/prefix'], ['s3://']],
  'list of dns:, uri:, ip: and cn: names': [
    ['dns:api.internal', 'dns:*.prod.internal', 'uri:spiffe://prod/web', 'ip:10.0.0.7', 'cn:web'],
    ['api.internal'],
  ],
  'list of cipher suites': [
    ['ECDHE-RSA-AES128-GCM-SHA256', 'TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES256-GCM-SHA384', 'AES256-SHA, AES128-SHA'],
    ['HIGH', 'ECDHE-RSA-AES128'],
  ],
  'host name': [['redis.internal', '10.0.0.7'], ['redis:6379']],
};

/**
 * One sample for each sort of value, in the order of the kinds; a choice names all of its values in the tables already.
 *
 * @throws Error when an example is not taken, or not refused, as it says here
 */
export function samples(kinds: readonly Kind<unknown>[]): readonly KindSample[] {
  const byLabel = new Map(kinds.map((kind) => [kind.label, kind]));
  return [...byLabel.values()].filter((kind) => !isChoice(kind)).map(sampleOf);
}

/** Each of the names in its label is a value. */
function isChoice(kind: Kind<unknown>): boolean {
  const names = kind.label.split(' | ');
  return names.length > 1 && names.every((name) => kind.parse(name).ok);
}

function sampleOf(kind: Kind<unknown>): KindSample {
  const [accepted, refused] = examples[kind.label] ?? [];
  if (accepted === undefined || refused === undefined) throw new Error(`no examples of "${kind.label}"`);
  for (const text of accepted) if (!kind.parse(text).ok) throw new Error(`"${text}" is no ${kind.label}`);
  return { label: kind.label, accepted, refused: refused.map((text) => ({ text, message: faultOf(kind, text) })) };
}

function faultOf(kind: Kind<unknown>, text: string): string {
  const parsed = kind.parse(text);
  if (parsed.ok) throw new Error(`"${text}" is a ${kind.label}`);
  return parsed.faults.join(', ');
}
