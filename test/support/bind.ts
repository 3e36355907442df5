import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Resolver } from 'node:dns/promises';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { endWithProcess } from './end-with.ts';
import { reservePorts } from './ports.ts';
import { faultyProcess, type FaultyProcess } from './process-faults.ts';
import type { TestContext } from 'node:test';
import { scratchFolder } from './scratch.ts';

/** A real BIND 9 with the zone `test`, which takes dynamic updates. */
export interface Bind extends FaultyProcess {
  readonly port: number;
  /** Lines of nsupdate, each without its first word: `add redis.test 1 A 127.0.0.1`, `delete redis.test A`. All take effect at once. */
  update(...lines: readonly string[]): Promise<void>;
}

const ATTEMPTS = 5;

/** @param records lines of the zone: `redis 1 A 127.0.0.1` */
export async function startBind(t: TestContext, records: readonly string[] = []): Promise<Bind> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(t, records);
    } catch (error) {
      // Between giving a port up and BIND taking it, another test may have got it.
      if (attempt === ATTEMPTS || !/address in use|not listening/i.test(String(error))) throw error;
    }
  }
}

async function startOnce(t: TestContext, records: readonly string[]): Promise<Bind> {
  const folder = await scratchFolder(t);
  const reserved = await reservePorts(1);
  const [port = 0] = reserved.ports;
  await reserved.release();
  const zone = ['$TTL 1', '@ SOA ns.test. root.test. 1 3600 600 86400 1', '@ NS ns', 'ns A 127.0.0.1', ...records];
  await writeFile(join(folder, 'zone'), `${zone.join('\n')}\n`);
  await writeFile(join(folder, 'named.conf'), configuration(folder, port));
  const resolver = new Resolver({ timeout: 300, tries: 1 });
  resolver.setServers([`127.0.0.1:${port}`]);
  const server = faultyProcess(t, {
    command: 'named',
    args: ['-g', '-n', '1', '-c', join(folder, 'named.conf')],
    ready: async () => (await resolver.resolve4('ns.test').catch(() => [])).length > 0,
  });
  await server.start();
  return Object.assign(server, { port, update: (...lines: readonly string[]) => update(port, lines) });
}

function configuration(folder: string, port: number): string {
  return `options {
    directory "${folder}"; pid-file "${join(folder, 'pid')}"; session-keyfile "${join(folder, 'session.key')}";
    listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };
    recursion no; dnssec-validation no; notify no; max-udp-size 1232; rrset-order { order random; };
  };
  controls {};
  zone "test" { type primary; file "zone"; allow-update { 127.0.0.1; }; };
`;
}

async function update(port: number, lines: readonly string[]): Promise<void> {
  const child = spawn('nsupdate', ['-t', '10'], { stdio: ['pipe', 'ignore', 'pipe'] });
  endWithProcess(child);
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const script = [`server 127.0.0.1 ${port}`, 'zone test', ...lines.map((line) => `update ${line}`), 'send', ''];
  child.stdin.end(script.join('\n'));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`nsupdate ended (${code ?? 'signal'}): ${output}`);
}
