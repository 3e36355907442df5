import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { LineSink } from '../../../src/logging/line-sink.ts';
import type { Outlet } from '../../../src/logging/outlet.ts';
import { streamOutlet } from '../../../src/logging/stream-outlet.ts';
import { Stopwatch } from '../../support/stopwatch.ts';

/** A reader that takes nothing until it is told to. */
class StalledReader extends Writable {
  readonly taken: string[] = [];
  #waiting: ((error?: Error) => void) | undefined;
  #stalled = true;

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.taken.push(chunk.toString());
    if (this.#stalled) this.#waiting = done;
    else done();
  }

  resume(error?: Error): void {
    this.#stalled = false;
    this.#waiting?.(error);
  }
}

const dropped = (lines: number) => `dropped ${lines}\n`;

test('lines of one moment share a write and keep their order', async () => {
  const writes: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      writes.push(chunk.toString());
      done();
    },
  });
  const sink = new LineSink({ outlet: streamOutlet(stream), dropped });
  for (let i = 0; i < 3; i += 1) sink.write(`${i}\n`);
  await sink.close(1_000);
  assert.deepEqual(writes.filter(Boolean), ['0\n1\n2\n']);
});

test('a reader that stalls costs lines, never memory, and is told how many once it reads again', async () => {
  const stream = new StalledReader();
  const sink = new LineSink({ outlet: streamOutlet(stream), dropped, maxPending: 100 });
  const line = `${'x'.repeat(9)}\n`;
  for (let i = 0; i < 1_000; i += 1) {
    sink.write(line);
    sink.flush();
  }
  assert.ok(stream.writableLength <= 110, `${stream.writableLength} characters wait`);
  stream.resume();
  await sink.close(1_000);
  sink.write('again\n');
  await sink.close(1_000);
  const text = stream.taken.join('');
  const kept = text.split('\n').filter((each) => each === line.trimEnd()).length;
  assert.ok(text.endsWith(`dropped ${1_000 - kept}\nagain\n`), text.slice(-40));
});

test('closing waits for a stalled reader only as long as it was told to', async () => {
  const stream = new StalledReader();
  const sink = new LineSink({ outlet: streamOutlet(stream), dropped });
  sink.write('a\n');
  const since = new Stopwatch();
  await sink.close(30);
  await sink.close(30);
  assert.ok(since.ms() < 2_000);
});

test('a reader that is gone is no error, and nothing is kept for it', async () => {
  const stream = new StalledReader();
  const sink = new LineSink({ outlet: streamOutlet(stream), dropped });
  sink.write('a\n');
  sink.flush();
  stream.resume(Object.assign(new Error('broken pipe'), { code: 'EPIPE' }));
  await sink.close(1_000);
  for (let i = 0; i < 10_000; i += 1) sink.write('b\n');
  sink.flush();
  await sink.close(1_000);
  assert.equal(stream.writableLength, 0);
});

test('a destination that failed for a while (a full disk) is tried again, and told what it missed', async () => {
  const taken: string[] = [];
  let full = true;
  const outlet: Outlet = {
    isTerminal: false,
    send(text, done) {
      if (!full) taken.push(text);
      done(full ? Object.assign(new Error('no space'), { code: 'ENOSPC' }) : undefined);
    },
  };
  const sink = new LineSink({ outlet, dropped, muteMs: 20 });
  sink.write('lost\n');
  sink.flush();
  sink.write('dropped\n');
  full = false;
  for (let i = 0; i < 500 && taken.length === 0; i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    sink.write('after\n');
    sink.flush();
  }
  assert.match(taken.join(''), /^dropped \d+\nafter\n/);
});
