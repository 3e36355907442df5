import { writeFileSync } from 'node:fs';
import { Resolver } from 'node:dns/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { scratchFile, type Lab } from '../lab.ts';
import { freePort } from '../ports.ts';
import { usageOf, type Usage } from '../process-usage.ts';
import { needProgram } from '../programs.ts';
import type { Processes } from '../processes.ts';

/** A name server that has one name, with a TTL of 1 s. */
export interface Dnsmasq {
  readonly address: string;
  set(addresses: readonly string[]): void;
  usage(): Usage;
}

const SERVES_WITHIN_MS = 10_000;

export async function startDnsmasq(lab: Lab, processes: Processes, name: string): Promise<Dnsmasq> {
  const port = await freePort();
  const hosts = scratchFile(lab, 'hosts');
  const write = (addresses: readonly string[]) =>
    writeFileSync(hosts, addresses.map((address) => `${address} ${name}\n`).join(''), { mode: 0o644 });
  write(['10.0.0.1']);
  const started = await processes.start({
    program: needProgram('dnsmasq'),
    args: [
      ...['--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--no-poll', '--pid-file='],
      ...['--bind-interfaces', '--listen-address=127.0.0.1', `--port=${port}`, `--local=/${name}/`],
      ...[`--addn-hosts=${hosts}`, '--local-ttl=1'],
      ...(process.getuid?.() === 0 ? ['--user=root', '--group=root'] : []),
    ],
    output: scratchFile(lab, 'dnsmasq.log'),
  });
  const resolver = new Resolver({ timeout: 300, tries: 1 });
  resolver.setServers([`127.0.0.1:${port}`]);
  const until = performance.now() + SERVES_WITHIN_MS;
  while ((await resolver.resolve4(name).catch(() => [])).length === 0) {
    if (performance.now() > until) throw new Error(`dnsmasq does not serve after ${SERVES_WITHIN_MS} ms`);
    await Promise.race([delay(20, undefined, { signal: lab.signal }), started.died]);
  }
  return {
    address: `127.0.0.1:${port}`,
    set(addresses) {
      write(addresses);
      process.kill(started.pid, 'SIGHUP');
    },
    usage: () => usageOf([started.pid]),
  };
}
