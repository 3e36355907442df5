import assert from 'node:assert/strict';
import { hostname, networkInterfaces } from 'node:os';
import { test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { createAmbassador } from '../../../src/app/ambassador.ts';
import type { AttacheEvent } from '../../../src/core/observer.ts';
import { startAttache } from '../../support/attache.ts';
import { startEtcd } from '../../support/etcd.ts';
import { httpAsk, httpPort } from '../../support/http.ts';
import { reservePorts } from '../../support/ports.ts';
import { RegistryDirectory, SERVICE } from '../../support/registry-directory.ts';
import { engineChoice } from '../../support/engine-choice.ts';
import { connectTo, readAll, startNamed } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

interface Registry {
  readonly dsc: string;
  add(member: string): Promise<unknown>;
}

async function etcd(t: TestContext): Promise<Registry> {
  const { api, url } = await startEtcd(t);
  return { dsc: url, add: (member) => api.put(`${SERVICE}/${member}`) };
}

async function directory(t: TestContext): Promise<Registry> {
  const registry = await RegistryDirectory.create(t);
  return { dsc: pathToFileURL(registry.root).href, add: (member) => registry.add(member) };
}

interface Status {
  readonly candidates: readonly { readonly address: string }[];
}

/** What a writer of a registry would say to `ADMIN_ADDR`. */
const CANARY = 'POST /loglevel?level=fatal HTTP/1.1\r\nHost: localhost\r\n\r\n';
const REMEDY = /^not allowed: .+ and every other allowed address in DISCOVERY_ALLOW to dial it$/;

const forbidden = [
  ...['169.254.169.254:80', '[fe80::1]:80', '[fd00:ec2::254]:80', '[64:ff9b::a9fe:a9fe]:80', '[::169.254.169.254]:80'],
  ...['[::ffff:a9fe:a9fe]:80', '[2002:a9fe:a9fe::]:80', '0.0.0.0:80', '[::]:80', '224.0.0.1:80', '[ff02::1]:80'],
  ...['255.255.255.255:80', '100.100.100.200:80', '[fd20:ce::254]:80', '192.0.0.192:80', '168.63.129.16:80'],
];

async function start(t: TestContext, registry: Registry, env: Readonly<Record<string, string>> = {}) {
  const reserved = await reservePorts(4);
  const [src = 0, http = 0, admin = 0, probe = 0] = reserved.ports;
  await reserved.release();
  const own = {
    SRC: `:${src}`,
    HTTP_ADDR: `:${http}`,
    ADMIN_ADDR: `127.0.0.1:${admin}`,
    PROBE_ADDR: `localhost:${probe}`,
  };
  const attache = startAttache(t, { env: { SRV: SERVICE, DSC: registry.dsc, ...own, ...env } });
  for (const server of ['health', 'admin', 'probe'] as const) await httpPort(attache, server);
  return { attache, src, http, admin, probe };
}

/** Says it through the service. @returns what came back */
async function say(port: number, words: string): Promise<string> {
  const client = await connectTo(port);
  client.write(words);
  const { bytes } = await readAll(client);
  client.destroy();
  return bytes.toString();
}

for (const [name, make] of [
  ['etcd', etcd],
  ['a directory', directory],
] as const) {
  test(`promise 42: ${name} may name no metadata service, no wildcard, no group and no listener of ours`, async (t) => {
    const registry = await make(t);
    const { attache, src, http, admin, probe } = await start(t, registry);
    await attache.port();
    const lan = Object.values(networkInterfaces())
      .flat()
      .find((one) => one?.family === 'IPv4' && !one.internal)?.address;
    const own = [
      ...[`127.0.0.1:${admin}`, `[::ffff:127.0.0.1]:${admin}`, `[::ffff:7f00:1]:${admin}`, `[::127.0.0.1]:${admin}`],
      ...[src, http].flatMap((port) => [`127.0.0.1:${port}`, `127.0.0.9:${port}`, `[::1]:${port}`]),
      ...[`127.0.0.1:${probe}`, `[::1]:${probe}`],
      ...(lan === undefined ? [] : [`${lan}:${src}`]),
    ];
    for (const member of [...forbidden, ...own]) await registry.add(member);
    // By name they are found out when they are dialed; and once this one is a candidate, those before it were judged.
    await registry.add(`localhost:${admin}`);
    const candidates = async () => {
      const { services } = (await httpAsk(http, '/status')).json() as { services: readonly Status[] };
      return services[0]?.candidates.map(({ address }) => address);
    };
    await eventually(async () => (await candidates())?.length !== 0, 'a candidate', 20_000);
    assert.deepEqual(await candidates(), [`localhost:${admin}`]);
    const ignored = () => attache.lines.filter(({ msg }) => msg === 'candidate ignored');
    await eventually(() => ignored().length >= 20, 'as many lines as there may be in ten seconds');
    for (const { reason, key } of ignored()) assert.match(String(reason), REMEDY, String(key));

    assert.equal(await say(src, CANARY), '');
    const { reason, errno, candidate } = await attache.line(({ msg }) => msg === 'dial refused');
    assert.deepEqual([errno, candidate], ['NOT_ALLOWED', `localhost:${admin}`]);
    assert.match(String(reason), REMEDY);

    // Loopback itself is where a developer's backends are.
    const good = await startNamed(t, 'good');
    await registry.add(`127.0.0.1:${good.port}`);
    await eventually(async () => (await say(src, CANARY)) === 'good', 'the good one');
    assert.ok(!attache.lines.some(({ msg }) => msg === 'log level changed'));
  });
}

test('promise 42: a listener of ours that DISCOVERY_ALLOW names with its port is dialed', async (t) => {
  const registry = await directory(t);
  const reserved = await reservePorts(1);
  const [admin = 0] = reserved.ports;
  await reserved.release();
  const attache = startAttache(t, {
    env: {
      SRC: '127.0.0.1:0',
      SRV: SERVICE,
      DSC: registry.dsc,
      ADMIN_ADDR: `127.0.0.1:${admin}`,
      DISCOVERY_ALLOW: `127.0.0.1:${admin}`,
    },
  });
  await registry.add(`127.0.0.1:${admin}`);
  const port = await attache.port();
  await attache.line(({ msg, candidates }) => msg === 'candidates changed' && candidates === 1);
  assert.match(await say(port, 'POST /reload HTTP/1.1\r\nHost: localhost\r\n\r\n'), /^HTTP\/1\.1 200 /);
});

test('promise 42: a name is judged by what it stands for when it is dialed, at ports that the system picked too', async (t) => {
  const registry = await directory(t);
  const events: AttacheEvent[] = [];
  const names: Record<string, readonly string[]> = {
    'metadata.test': ['169.254.169.254'],
    'six.test': ['fd00:ec2::254', '64:ff9b::a9fe:a9fe'],
    'any.test': ['0.0.0.0', '::'],
    'own.test': ['127.0.0.1', '::ffff:127.0.0.1'],
    'self.test': ['127.0.0.1'],
  };
  const ambassador = createAmbassador(
    {
      services: [
        { name: 'a', src: '127.0.0.1:0', srv: SERVICE },
        { name: 'b', src: '127.0.0.1:0', dst: '127.0.0.1:1' },
      ],
      dsc: registry.dsc,
      engine: engineChoice(),
    },
    {
      observer: (event) => events.push(event),
      resolver: { resolve: (host) => Promise.resolve(names[host] ?? []) },
    },
  );
  t.after(() => ambassador.closeNow());
  await ambassador.start();
  const ports = ['a', 'b'].map((service) => {
    const address = ambassador.address(service);
    assert.ok(address?.kind === 'tcp');
    return address.port;
  });
  const [a = 0, b = 0] = ports;
  const members = [
    'metadata.test:80',
    'six.test:80',
    'any.test:80',
    `own.test:${b}`,
    `self.test:${a}`,
    `127.0.0.1:${b}`,
  ];
  for (const member of members) await registry.add(member);
  const known = () => events.some((event) => event.type === 'candidates-changed' && event.candidates.length === 5);
  await eventually(known, 'all but the literal, which is ignored');
  assert.equal(await say(a, 'x'), '');
  const failed = () => events.filter((event) => event.type === 'dial-failed');
  await eventually(() => failed().length === 5, 'five refusals');
  for (const { candidate, errno, refusal } of failed()) {
    assert.equal(errno, 'NOT_ALLOWED', candidate);
    assert.match(refusal ?? '', /in DISCOVERY_ALLOW/, candidate);
  }
  const opened = events.filter((event) => event.type === 'connection-opened').map(({ service }) => service);
  assert.deepEqual(opened, ['a']);
});

test('promise 42: the machine by its own name is found out as well', async (t) => {
  const registry = await directory(t);
  const { attache, src, http } = await start(t, registry);
  await registry.add(`${hostname()}:${http}`);
  await attache.line(({ msg, candidates }) => msg === 'candidates changed' && candidates === 1);
  assert.equal(await say(src, 'GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n'), '');
});
