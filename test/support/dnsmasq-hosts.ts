import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Resolver } from 'node:dns/promises';
import type { TestContext } from 'node:test';
import { reservePorts } from './ports.ts';
import { faultyProcess, type FaultyProcess } from './process-faults.ts';
import { scratchFolder } from './scratch.ts';

/** A real dnsmasq that has one name, with a TTL of 1 s. Without an address the name does not exist. */
export interface DnsmasqHosts extends FaultyProcess {
  /** `host:port` */
  readonly address: string;
  /** What the name's addresses are from now on. */
  set(addresses: readonly string[]): Promise<void>;
}

/** Starts one; it ends with the test. */
export async function startDnsmasqHosts(t: TestContext, name: string): Promise<DnsmasqHosts> {
  const folder = await scratchFolder(t);
  const hosts = join(folder, 'hosts');
  // It listens on TCP, too, and again after a restart.
  const reserved = await reservePorts(1);
  const [port = 0] = reserved.ports;
  await reserved.release();
  const write = (addresses: readonly string[]) =>
    writeFile(hosts, addresses.map((address) => `${address} ${name}\n`).join(''));
  await write([]);
  const resolver = new Resolver({ timeout: 200, tries: 1 });
  resolver.setServers([`127.0.0.1:${port}`]);
  const server = faultyProcess(t, {
    command: 'dnsmasq',
    args: [
      ...['--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--no-poll', '--pid-file='],
      ...['--bind-interfaces', '--listen-address=127.0.0.1', `--port=${port}`, `--local=/${name}/`],
      ...[`--addn-hosts=${hosts}`, '--local-ttl=1'],
      ...(process.getuid?.() === 0 ? ['--user=root', '--group=root'] : []),
    ],
    // Any answer will do: NXDOMAIN is one.
    ready: () =>
      resolver.resolve4(name).then(
        () => true,
        (error: unknown) => !/TIMEOUT|REFUSED/.test(String(error)),
      ),
  });
  await server.start();
  return Object.assign(server, {
    address: `127.0.0.1:${port}`,
    async set(addresses: readonly string[]) {
      await write(addresses);
      process.kill(server.pid, 'SIGHUP');
    },
  });
}
