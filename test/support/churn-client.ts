/** The child process of `churn.ts`: connects, sends a byte, has it back, closes, as often a second as it is told. */
import { connect, type Socket } from 'node:net';

export interface ChurnOrder {
  readonly port: number;
  readonly perSecond: number;
  readonly seconds: number;
  /** Loopback addresses to connect from: each has its own ephemeral ports. */
  readonly addresses: readonly string[];
}

export interface ChurnReport {
  readonly begun: number;
  /** From the first connection until the last was begun. */
  readonly ms: number;
  readonly answered: number;
  /** Why others came to nothing; the first few. */
  readonly failures: readonly string[];
  /** CPU time of this process, ms. */
  readonly cpuMs: number;
}

/** More than this under way means that the machine does not keep up: then the rate is lower, and reported. */
const MOST_UNDER_WAY = 250;
const TICK_MS = 5;
const LIMIT_MS = 20_000;
const MOST_FAILURES = 5;

process.once('message', (order: ChurnOrder) => {
  void churn(order).then((report) => process.send?.(report, () => process.disconnect()));
});

function churn({ port, perSecond, seconds, addresses }: ChurnOrder): Promise<ChurnReport> {
  // Not a promise, a signal or a timer for each connection: the client must cost less than what it loads.
  const open = new Map<Socket, number>();
  const failures: string[] = [];
  let [begun, answered] = [0, 0];
  const began = performance.now();
  let lastBegunAt = began;
  const fail = (why: string) => failures.length < MOST_FAILURES && failures.push(why);
  const one = () => {
    const localAddress = addresses[begun % addresses.length] ?? '';
    begun += 1;
    let isAnswered = false;
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    open.set(socket, performance.now());
    socket
      .on('data', () => {
        isAnswered = true;
        socket.end();
      })
      .on('error', (error) => fail(String(error)))
      .on('close', () => {
        open.delete(socket);
        if (isAnswered) answered += 1;
        else fail('closed without an answer');
      });
    socket.write('x');
  };
  return new Promise((resolve) => {
    const ticking = setInterval(() => {
      const now = performance.now();
      const due = Math.min(seconds, (now - began) / 1_000) * perSecond;
      while (begun < due && open.size < MOST_UNDER_WAY) one();
      if (now - began < seconds * 1_000) {
        lastBegunAt = now;
        return;
      }
      for (const [socket, at] of open) if (now - at > LIMIT_MS) socket.destroy(new Error(`not over in ${LIMIT_MS} ms`));
      if (open.size > 0) return;
      clearInterval(ticking);
      const { user, system } = process.cpuUsage();
      resolve({ begun, ms: lastBegunAt - began, answered, failures, cpuMs: (user + system) / 1_000 });
    }, TICK_MS);
  });
}
