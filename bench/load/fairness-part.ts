/**
 * One part of the work `fairness`, each in a process of its own so that none waits for the event loop of another:
 *   node fairness-part.js source PORT          sends without end to all who connect
 *   node fairness-part.js echo PORT            answers small requests
 *   node fairness-part.js readers PORT MS N    reads N streams, and says how many bytes each has moved in that time
 *   node fairness-part.js prober PORT MS       asks one small request after the other, and says how many ms each took
 * A server says that it listens. All end with the channel to their parent.
 */
import { connect, createServer, type Socket } from 'node:net';

const REQUEST = Buffer.alloc(64);
const BLOCK = Buffer.alloc(128 * 1024);
const BUFFER = Buffer.allocUnsafeSlow(256 * 1024);
const PAUSE_MS = 2;

const [role, ...numbers] = process.argv.slice(2);
const [port = 0, ms = 0, count = 0] = numbers.map(Number);
process.once('disconnect', () => process.exit());

if (role === 'source') serve(sendWithoutEnd);
else if (role === 'echo') serve((socket) => socket.pipe(socket));
else if (role === 'readers') read();
else if (role === 'prober') probe();
else throw new Error(`expected a role, got ${role ?? 'nothing'}`);

function serve(onConnection: (socket: Socket) => void): void {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  server.listen({ port, host: '127.0.0.1', backlog: 4_096 }, () => process.send?.({ listening: true }));
}

function sendWithoutEnd(socket: Socket): void {
  const send = () => {
    while (!socket.destroyed && socket.write(BLOCK));
  };
  socket.resume().on('drain', send);
  send();
}

function read(): void {
  const moved = new Array<number>(count).fill(0);
  for (let i = 0; i < count; i += 1) {
    const callback = (bytes: number) => {
      moved[i] = (moved[i] ?? 0) + bytes;
      return true;
    };
    connect({ port, host: '127.0.0.1', onread: { buffer: BUFFER, callback } }).on('error', fail);
  }
  setTimeout(() => process.send?.({ moved }), ms);
}

function probe(): void {
  const took: number[] = [];
  let [asked, missing] = [0, 0];
  const socket = connect({ port, host: '127.0.0.1', noDelay: true }, ask).on('error', fail);
  function ask(): void {
    asked = performance.now();
    missing = REQUEST.length;
    socket.write(REQUEST);
  }
  socket.on('data', (chunk) => {
    missing -= chunk.length;
    if (missing > 0) return;
    took.push(performance.now() - asked);
    setTimeout(ask, PAUSE_MS);
  });
  setTimeout(() => {
    // One that has not been answered has taken at least so long.
    if (missing > 0) took.push(performance.now() - asked);
    process.send?.({ took });
  }, ms);
}

function fail(error: Error): void {
  console.error(error.message);
  process.exit(1);
}
