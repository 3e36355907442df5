import { connect } from 'node:net';

/**
 * A program of its own: `http-flood.js <port> <addresses> <bytes>` keeps 300 connections at a port of this machine, from so many
 * loopback addresses beginning with 127.0.0.2. Each sends the bytes, reads nothing, and is made anew 10 ms after it has ended.
 */
const [port, addresses, bytes] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4] ?? ''];
const CONNECTIONS = 300;

let closed = 0;
for (let i = 0; i < CONNECTIONS; i += 1) open(i % addresses);
process.stdout.write('flooding\n');
setInterval(() => process.stdout.write(`${closed}\n`), 100);
// Also when whoever started it was killed.
setTimeout(() => process.exit(), 60_000);

function open(index: number): void {
  const localAddress = `127.0.${Math.floor(index / 250)}.${2 + (index % 250)}`;
  const socket = connect({
    port,
    host: '127.0.0.1',
    localAddress,
    onread: { buffer: Buffer.alloc(1), callback: () => false },
  });
  if (bytes === '') socket.resume();
  socket.on('error', () => undefined);
  socket.on('connect', () => socket.write(bytes));
  socket.on('close', () => {
    closed += 1;
    setTimeout(open, 10, index);
  });
}
