import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { filesOf } from '../../core/library-fault.ts';
import { acceptDirectly } from './direct-accept.ts';
import { learnFrom, unlearn, writesAsKnown } from './direct-write.ts';
import { Leg, type LegOwner } from './leg.ts';

/** More than the buffer of a bulk connection holds, and no round number. */
const SAMPLE_BYTES = 300_001;
/** How long after the check an error may still be its own. */
const AFTERMATH_MS = 1_000;
const LIMIT_MS = 2_000;

/** The modules that the check tries. */
const TRIED = /[\\/](?:direct-(?:accept|accept-check|write)|leg|socket-reader)[.][jt]s$/;

let verdict: Promise<boolean> | undefined;
/** Ends the check that is under way. */
let fail: (() => void) | undefined;

/**
 * Whether accepting directly does in this process what it should: carries bytes both ways, whole, through two such sockets
 * joined as they are in a relay, and passes on the end. Tried once, over loopback. Never rejects.
 */
export function directAcceptWorks(): Promise<boolean> {
  verdict ??= attempt();
  return verdict;
}

/** What this Node does not do as known; undefined: it is written to and accepted from directly. */
export async function missingInNode(): Promise<string | undefined> {
  if (!(await directAcceptWorks())) return 'cannot be accepted from directly';
  return writesAsKnown() ? undefined : 'cannot be written to directly';
}

/**
 * To be asked about every error that nobody has caught: one that comes out of Node or of what the check tries, while it
 * tries it, is its answer.
 *
 * @returns whether the error was that of the check, which has failed by it
 */
export function isFaultOfCheck(error: unknown): boolean {
  const isOfCheck = error instanceof Error && filesOf(error).every((file) => TRIED.test(file));
  if (fail === undefined || !isOfCheck) return false;
  fail();
  return true;
}

async function attempt(): Promise<boolean> {
  const opened: (Server | Socket)[] = [];
  let works = false;
  try {
    works = await new Promise<boolean>((resolve, reject) => {
      const timer = setTimeout(() => resolve(false), LIMIT_MS);
      timer.unref();
      fail = () => resolve(false);
      carry(opened, resolve, reject);
    });
  } catch {
    // Whatever it was: the usual way.
  }
  // What it has begun may still fail a moment later, which is reported as an error.
  fail = () => undefined;
  setTimeout(() => (fail = undefined), AFTERMATH_MS).unref();
  if (!works) unlearn();
  for (const one of opened) close(one);
  return works;
}

function close(one: Server | Socket): void {
  try {
    if ('destroy' in one) one.destroy();
    else one.close();
  } catch {
    // It was of the check alone.
  }
}

/** client -> (accepted directly) Leg -> Leg (accepted directly, of a second client), and back. */
function carry(opened: (Server | Socket)[], resolve: (works: boolean) => void, reject: (error: unknown) => void): void {
  const guarded = guard(reject);
  const legs: Leg[] = [];
  const owner: LegOwner = {
    legEnded: (leg) => leg.peer?.finish(),
    legFailed: (_, error) => reject(error),
    legClosed: () => undefined,
  };
  const accept = guarded((socket: Socket) => {
    opened.push(socket);
    const leg = new Leg(socket, owner, true);
    leg.connection = { faulted: reject };
    legs.push(leg);
    leg.collect();
    const [first, second] = legs;
    if (first === undefined || second === undefined) return;
    first.join(second);
    first.flow();
    second.flow();
  });
  const exchange = guarded(() => {
    if (!acceptDirectly(server, { keepAliveDelayMs: 0, onConnection: accept })) {
      resolve(false);
      return;
    }
    const { port } = server.address() as AddressInfo;
    const [left, right] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
    opened.push(left, right);
    left.once(
      'connect',
      guarded(() => learnFrom(left)),
    );
    const [one, other] = [sample(1), sample(2)];
    Promise.all([exchanged(left, one, other), exchanged(right, other, one)]).then(
      (whole) => resolve(whole.every(Boolean)),
      reject,
    );
  });
  const server = createServer({ pauseOnConnect: true });
  opened.push(server);
  server.once('error', reject);
  server.on('connection', () => resolve(false));
  server.listen({ host: '127.0.0.1', port: 0 }, exchange);
}

/** What is called by Node, and would end the process with whatever it throws. */
function guard(reject: (error: unknown) => void) {
  return <A extends unknown[]>(called: (...args: A) => void) =>
    (...args: A): void => {
      try {
        called(...args);
      } catch (error) {
        reject(error);
      }
    };
}

/** Sends `own` and then the end. @returns whether the peer sent `wanted` until its end */
function exchanged(socket: Socket, own: Buffer, wanted: Buffer): Promise<boolean> {
  let got = 0;
  let isSame = true;
  return new Promise((resolve, reject) => {
    const guarded = guard(reject);
    socket
      .once(
        'connect',
        guarded(() => socket.end(own)),
      )
      .on('data', (chunk) => {
        isSame &&= wanted.subarray(got, got + chunk.length).equals(chunk);
        got += chunk.length;
      })
      .once('end', () => resolve(isSame && got === wanted.length))
      .once('error', reject);
  });
}

/** Repeats with a period that divides no buffer, so that no piece can take another's place. */
function sample(seed: number): Buffer {
  const period = Buffer.alloc(251);
  for (let i = 0; i < period.length; i += 1) period[i] = (i * seed) & 0xff;
  return Buffer.alloc(SAMPLE_BYTES, period);
}
