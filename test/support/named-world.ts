import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createAmbassador, type AmbassadorOptions, type ConnectionClosedEvent } from '../../src/index.ts';
import { systemResolver } from '../../src/names/system-resolver.ts';
import { mainFile, startAttache } from './attache.ts';
import { startDnsmasq, type DnsmasqOptions } from './dns.ts';
import { httpAsk, httpPort } from './http.ts';
import { scratchFolder } from './scratch.ts';

export interface NamedWorldOptions {
  readonly services: NonNullable<AmbassadorOptions['services']>;
  /** Lines of the hosts file. */
  readonly hosts: string;
  readonly dns: Pick<DnsmasqOptions, 'records' | 'silent'>;
}

/** A running attache whose names are those of the test. */
export interface NamedWorld {
  /** How it runs, for the report of the test. */
  readonly kind: string;
  readonly port: (service: string) => Promise<number>;
  /** Connect failures in a row of a service's first candidate, and the last one that was seen. */
  readonly candidate: (service: string) => Promise<{ readonly fails: number; readonly lastErrno: string | undefined }>;
  /** Outcomes of every attempt of the connections of a service that needed more than one good attempt. */
  readonly troubles: (service: string) => readonly string[];
}

/**
 * The program itself, in a mount namespace with a resolv.conf and a hosts file of the test's own and dnsmasq at port 53
 * of a loopback address. Only root may have that: for anybody else the library, with a resolver that is told the same.
 */
export async function startNamedWorld(t: TestContext, options: NamedWorldOptions): Promise<NamedWorld> {
  const folder = await scratchFolder(t);
  const paths = {
    hosts: join(folder, 'hosts'),
    resolvConf: join(folder, 'resolv'),
    nsswitch: join(folder, 'nsswitch'),
  };
  await writeFile(paths.hosts, `127.0.0.1 localhost\n${options.hosts}`);
  await writeFile(paths.nsswitch, 'hosts: files dns\n');
  const host = `127.53.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  await writeFile(paths.resolvConf, `nameserver ${host}\n`);
  if (!mayUnshare()) return startLibrary(t, options, paths);
  await startDnsmasq(t, { ...options.dns, at: { host, port: 53 } });
  const mounts = [
    `mount --bind ${paths.hosts} /etc/hosts`,
    `mount --bind ${paths.resolvConf} /etc/resolv.conf`,
    `mount --bind ${paths.nsswitch} /etc/nsswitch.conf`,
  ];
  const attache = startAttache(t, {
    launcher: ['unshare', '--mount', 'sh', '-c', `${mounts.join(' && ')} && exec "$0" "$@"`],
    main: process.env['ATTACHE_MAIN'] ?? mainFile,
    env: { SERVICES: JSON.stringify(options.services), HTTP_ADDR: '127.0.0.1:0' },
  });
  return {
    kind: 'the program, with resolv.conf and hosts of its own',
    port: (service) => attache.port(service),
    candidate: async (service) => {
      const { body } = await httpAsk(await httpPort(attache, 'health'), '/status');
      const { services } = JSON.parse(body) as StatusBody;
      const [first] = services.find(({ name }) => name === service)?.candidates ?? [];
      return { fails: first?.fails ?? 0, lastErrno: first?.lastError?.errno };
    },
    troubles: (service) =>
      attache.lines
        .filter((line) => line.msg === 'connection closed' && line['service'] === service)
        .flatMap((line) => (line['attempts'] ?? []) as { readonly outcome: string }[])
        .map(({ outcome }) => outcome),
  };
}

interface StatusBody {
  readonly services: readonly {
    readonly name: string;
    readonly candidates: readonly { readonly fails: number; readonly lastError?: { readonly errno: string } }[];
  }[];
}

type Paths = NonNullable<NonNullable<Parameters<typeof systemResolver>[0]>['paths']>;

async function startLibrary(t: TestContext, options: NamedWorldOptions, paths: Paths): Promise<NamedWorld> {
  const resolver = systemResolver({ paths, servers: [await startDnsmasq(t, options.dns)] });
  const ended: ConnectionClosedEvent[] = [];
  const ambassador = createAmbassador({ services: options.services }, { resolver });
  ambassador.on('connection-closed', (event) => ended.push(event));
  t.after(async () => {
    await ambassador.closeNow();
    resolver.close();
  });
  await ambassador.start();
  return {
    kind: 'the library, as only root may give a process its own resolv.conf',
    port: (service) => {
      const address = ambassador.address(service);
      if (address?.kind !== 'tcp') throw new Error(`${service} does not listen on a port`);
      return Promise.resolve(address.port);
    },
    candidate: (service) => {
      const [first] = ambassador.status.services.find(({ name }) => name === service)?.candidateStates ?? [];
      return Promise.resolve({ fails: first?.fails ?? 0, lastErrno: first?.lastErrno });
    },
    troubles: (service) =>
      ended
        .filter((event) => event.service === service)
        .flatMap(({ attempts }) => attempts.map(({ outcome }) => outcome)),
  };
}

function mayUnshare(): boolean {
  return spawnSync('unshare', ['--mount', 'mount', '--bind', '/tmp', '/tmp'], { stdio: 'ignore' }).status === 0;
}
