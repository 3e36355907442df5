import type { Writable } from 'node:stream';
import type { Outlet } from './outlet.ts';

/** A stream that writes without waiting: a pipe, a socket. */
export function streamOutlet(stream: Writable): Outlet {
  // Kept for good: a write may fail after everybody has gone, and an 'error' nobody hears ends the process.
  stream.on('error', () => undefined);
  return {
    isTerminal: false,
    send(text, done) {
      if (stream.destroyed) done(new Error('the stream is closed'));
      else stream.write(text, (error) => done(error ?? undefined));
    },
  };
}
