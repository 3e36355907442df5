import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';

/**
 * Ports on 127.0.0.1 for servers that are stopped and started again. They lie below the range from which the system
 * takes the ports of outgoing connections: one of those could sit on ours while the server is down.
 */
export async function reservePorts(count: number): Promise<ReservedPorts> {
  const servers: Server[] = [];
  while (servers.length < count) {
    const server = createServer();
    const port = LOWEST + Math.floor(Math.random() * (highest() - LOWEST));
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      servers.push(server);
    } catch {
      server.close();
    }
  }
  return {
    ports: servers.map((server) => (server.address() as { port: number }).port),
    async release() {
      await Promise.all(servers.map(async (server) => once(server.close(), 'close')));
    },
  };
}

export interface ReservedPorts {
  readonly ports: readonly number[];
  /** Gives them up, right before the server that is to have them starts. */
  release(): Promise<void>;
}

const LOWEST = 12_000;

function highest(): number {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/)[0]);
  } catch {
    return 32_000;
  }
}
