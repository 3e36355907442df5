import type { Socket } from 'node:net';
import type { Scope } from './scope.ts';
import { startServer, type TestServer } from './tcp.ts';

/** What `ROLE` of Redis says of a server: both, or nothing at all. */
export type Role = 'master' | 'slave' | 'silent';

/** A server whose role a test changes at will: it says `ROLE` as Redis does, and its name to everybody else. */
export interface RoleServer extends TestServer {
  role: Role;
  /** Checks that it has been asked. */
  readonly asked: () => number;
}

const ANSWERS: Readonly<Record<Exclude<Role, 'silent'>, string>> = {
  master: '*3\r\n$6\r\nmaster\r\n:1\r\n*0\r\n',
  slave: '*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:1\r\n$9\r\nconnected\r\n:1\r\n',
};

export async function startRoleServer(t: Scope, name: string, role: Role): Promise<RoleServer> {
  let asked = 0;
  const state = { role };
  const onConnection = (socket: Socket) => {
    socket.on('data', (bytes: Buffer) => {
      if (!bytes.toString('latin1').includes('ROLE')) {
        socket.write(name);
        return;
      }
      asked += 1;
      if (state.role !== 'silent') socket.write(ANSWERS[state.role]);
    });
    socket.on('end', () => socket.end());
  };
  const server = await startServer(t, { onConnection });
  return Object.defineProperty(Object.assign(server, { asked: () => asked, role }), 'role', {
    get: () => state.role,
    set: (next: Role) => {
      state.role = next;
    },
  });
}
