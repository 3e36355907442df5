import type { Kind } from '../../src/config/kind.ts';

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
  directory: [['/srv/redis/debug', 'srv/redis'], ['/srv/../etc']],
  duration: [
    ['500ms', '5s', '1m30s', '2h', '0'],
    ['30', '-1s'],
  ],
  'whole number': [
    ['0', '128'],
    ['-1', '1.5'],
  ],
  boolean: [['true', 'false', '1', '0', 'yes', 'no', 'on', 'off'], ['maybe']],
  secret: [['hunter2'], []],
  text: [['[{ "name": ... }]'], []],
  path: [['/etc/ssl/ca.pem', 'certs/ca.pem'], []],
  'list of endpoints': [
    ['http://etcd0:2379', 'https://a:2379,https://b:2379', 'file:///srv/registry'],
    ['etcd0:2379', 'http://a:1,https://b:2'],
  ],
  'list of CIDR blocks': [['10.0.0.0/8', '10.0.0.0/8,fd00::/8'], ['10.0.0.0/40']],
  'path | file:// | s3://': [
    ['/run/tls/ca.pem', 'file:///run/tls/ca.pem', 's3://bucket/key.pem'],
    ['https://a/ca.pem'],
  ],
  'directory | s3://bucket/prefix': [['/run/tls', 's3://bucket/prefix'], ['s3://']],
  'list of dns:, uri:, ip: and cn: names': [
    ['dns:api.internal', 'dns:*.prod.internal', 'uri:spiffe://prod/web', 'ip:10.0.0.7', 'cn:web'],
    ['api.internal'],
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
