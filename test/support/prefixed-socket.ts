import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';

/**
 * A connection that begins with `prefix`, as a stream that TLS can be put on. The first bytes written go out in one
 * segment with the prefix (`whole`), or every byte of both is a write of its own (`bytes`).
 */
export function prefixedSocket(port: number, prefix: Buffer, pieces: 'whole' | 'bytes'): Duplex {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  let waiting = prefix;
  const stream = new Duplex({
    read: () => socket.resume(),
    write(chunk: Buffer, _encoding, done) {
      const bytes = Buffer.concat([waiting, chunk]);
      waiting = Buffer.alloc(0);
      if (pieces === 'whole') socket.write(bytes, done);
      else void writeOneByOne(socket, bytes).then(() => done(), done);
    },
    final: (done) => void socket.end(done),
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket
    .on('data', (chunk: Buffer) => stream.push(chunk) || socket.pause())
    .on('end', () => stream.push(null))
    .on('error', (error) => stream.destroy(error))
    .on('close', () => stream.destroy());
  return stream;
}

/** Each byte leaves before the next is written. */
export async function writeOneByOne(socket: Socket, bytes: Buffer): Promise<void> {
  for (const byte of bytes) {
    await new Promise<void>((resolve, reject) => {
      socket.write(Buffer.of(byte), (error) => (error ? reject(error) : resolve()));
    });
    await new Promise((resolve) => setImmediate(resolve));
  }
}
