import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { acceptDirectly } from './direct-accept.ts';
import { Leg, type LegOwner } from './leg.ts';

/** More than the buffer of a bulk connection holds, and no round number. */
const SAMPLE_BYTES = 300_001;
const LIMIT_MS = 2_000;

let verdict: Promise<boolean> | undefined;

/**
 * Whether accepting directly does in this process what it should: carries bytes both ways, whole, through two such sockets
 * joined as they are in a relay, and passes on the end. Tried once, over loopback. Never rejects.
 */
export function directAcceptWorks(): Promise<boolean> {
  verdict ??= attempt();
  return verdict;
}

async function attempt(): Promise<boolean> {
  const opened: (Server | Socket)[] = [];
  try {
    return await new Promise<boolean>((resolve, reject) => {
      const timer = setTimeout(() => resolve(false), LIMIT_MS);
      timer.unref();
      carry(opened, resolve, reject);
    });
  } catch {
    return false;
  } finally {
    for (const one of opened) {
      if ('destroy' in one) one.destroy();
      else one.close();
    }
  }
}

/** client -> (accepted directly) Leg -> Leg (accepted directly, of a second client), and back. */
function carry(opened: (Server | Socket)[], resolve: (works: boolean) => void, reject: (error: unknown) => void): void {
  const legs: Leg[] = [];
  const owner: LegOwner = {
    legEnded: (leg) => leg.peer?.finish(),
    legFailed: (_, error) => reject(error),
    legClosed: () => undefined,
  };
  const server = createServer({ pauseOnConnect: true });
  opened.push(server);
  server.once('error', reject);
  server.on('connection', () => resolve(false));
  server.listen({ host: '127.0.0.1', port: 0 }, () => {
    const accept = (socket: Socket) => {
      opened.push(socket);
      const leg = new Leg(socket, owner, true);
      legs.push(leg);
      leg.collect();
      const [first, second] = legs;
      if (first === undefined || second === undefined) return;
      first.join(second);
      first.flow();
      second.flow();
    };
    if (!acceptDirectly(server, { keepAliveDelayMs: 0, onConnection: accept })) {
      resolve(false);
      return;
    }
    const { port } = server.address() as AddressInfo;
    const [left, right] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
    opened.push(left, right);
    const [one, other] = [sample(1), sample(2)];
    Promise.all([exchanged(left, one, other), exchanged(right, other, one)]).then(
      (whole) => resolve(whole.every(Boolean)),
      reject,
    );
  });
}

/** Sends `own` and then the end; whether what came by then was `wanted`. */
function exchanged(socket: Socket, own: Buffer, wanted: Buffer): Promise<boolean> {
  let got = 0;
  let isSame = true;
  return new Promise((resolve, reject) => {
    socket
      .on('data', (chunk) => {
        isSame &&= wanted.subarray(got, got + chunk.length).equals(chunk);
        got += chunk.length;
      })
      .once('end', () => resolve(isSame && got === wanted.length))
      .once('error', reject);
    socket.end(own);
  });
}

/** Repeats with a period that divides no buffer, so that no piece can take another's place. */
function sample(seed: number): Buffer {
  const period = Buffer.alloc(251);
  for (let i = 0; i < period.length; i += 1) period[i] = (i * seed) & 0xff;
  return Buffer.alloc(SAMPLE_BYTES, period);
}
