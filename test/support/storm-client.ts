/** The child process of `storm.ts`: thousands of clients, told by IPC what to do. */
import { connect, type Socket } from 'node:net';

export type StormOrder =
  | { readonly kind: 'open'; readonly port: number; readonly count: number }
  /** Write on every open connection, and count the answers. */
  | { readonly kind: 'probe' };

export interface StormReport {
  readonly answered: number;
  readonly open: number;
}

/** Connections that are being opened at a time: below the usual backlog of a listener. */
const AT_ONCE = 100;

const open = new Set<Socket>();

process.on('message', (order: StormOrder) => void obey(order));

async function obey(order: StormOrder): Promise<void> {
  const answered = order.kind === 'open' ? await openAll(order.port, order.count) : await probeAll();
  process.send?.({ answered, open: open.size } satisfies StormReport);
}

async function openAll(port: number, count: number): Promise<number> {
  let [begun, answered] = [0, 0];
  const worker = async () => {
    while (begun < count) {
      begun += 1;
      if (await answers(dial(port))) answered += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return answered;
}

async function probeAll(): Promise<number> {
  const results = await Promise.all([...open].map(answers));
  return results.filter(Boolean).length;
}

function dial(port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1' });
  open.add(socket);
  return socket.on('error', () => undefined).on('close', () => open.delete(socket));
}

/** Whether a byte comes back. */
function answers(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (answer: boolean) => () => {
      socket.off('data', yes).off('close', no);
      resolve(answer);
    };
    const [yes, no] = [settle(true), settle(false)];
    socket.on('data', yes).on('close', no);
    socket.write('?');
  });
}
