/**
 * The child processes of `fairness.test.ts`, each with an event loop of its own: what they measure is not to wait for what another does.
 *
 *   endless               greets with a byte, and sends without end once it is sent one
 *   reader PORT N BYTES   reads N streams of that port in turns; tells when all together have moved so much since the last of them has begun to
 *   small                 echoes; and asks a port for one byte after the other, from when it is told to go until it is asked how often
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export type FairnessTold =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'ready' }
  | { readonly kind: 'moved'; readonly bytes: readonly number[] }
  | { readonly kind: 'answers'; readonly count: number };

export type FairnessOrder =
  { readonly kind: 'go' } | { readonly kind: 'ask'; readonly port: number } | { readonly kind: 'count' };

const BLOCK = Buffer.alloc(128 * 1024);
/** Of a stream, before the others have their turn. */
const BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

const [role, ...numbers] = process.argv.slice(2);
const [port = 0, streams = 0, most = 0] = numbers.map(Number);
process.once('disconnect', () => process.exit());

if (role === 'endless') serve(sendWithoutEnd);
else if (role === 'reader') read();
else if (role === 'small') askAndEcho();
else throw new Error(`expected a role, got ${role ?? 'nothing'}`);

function tell(told: FairnessTold): void {
  process.send?.(told);
}

function onOrder(hear: (order: FairnessOrder) => void): void {
  process.on('message', (order: FairnessOrder) => hear(order));
}

function serve(onConnection: (socket: Socket) => void): void {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () =>
    tell({ kind: 'listening', port: (server.address() as AddressInfo).port }),
  );
}

function sendWithoutEnd(socket: Socket): void {
  const send = () => {
    while (!socket.destroyed && socket.write(BLOCK));
  };
  socket.once('data', () => {
    socket.on('drain', send);
    send();
  });
  socket.write('.');
}

function read(): void {
  let bytes = new Array<number>(streams).fill(0);
  let [greeted, begun, all] = [0, 0, 0];
  const sockets = bytes.map((_, i) => {
    const callback = (length: number) => {
      moved(i, length);
      setImmediate(() => socket.resume());
      return false;
    };
    const socket: Socket = connect({ port, host: '127.0.0.1', onread: { buffer: BUFFER, callback } });
    return socket.on('error', fail);
  });
  onOrder(() => sockets.forEach((socket) => socket.write('!')));

  function moved(stream: number, length: number): void {
    if (greeted < streams) {
      greeted += 1;
      if (greeted === streams) tell({ kind: 'ready' });
    } else if (begun < streams) {
      begun += Number(bytes[stream] === 0);
      bytes[stream] = 1;
      // All at the same starting line.
      if (begun === streams) bytes = bytes.map(() => 0);
    } else {
      bytes[stream] = (bytes[stream] ?? 0) + length;
      const before = all;
      all += length;
      if (before < most && all >= most) tell({ kind: 'moved', bytes });
    }
  }
}

function askAndEcho(): void {
  let answers = 0;
  let asked: Socket | undefined;
  serve((socket) => socket.pipe(socket));
  onOrder((order) => {
    if (order.kind === 'count') {
      tell({ kind: 'answers', count: answers });
    } else if (order.kind === 'go') {
      asked?.write('?');
    } else {
      const socket = connect({ port: order.port, host: '127.0.0.1', noDelay: true }, () => tell({ kind: 'ready' }));
      asked = socket.on('error', fail).on('data', () => {
        answers += 1;
        socket.write('?');
      });
    }
  });
}

function fail(error: Error): void {
  console.error(error.message);
  process.exit(1);
}
