import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { descriptorOutlet } from '../../../src/logging/descriptor-outlet.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { eventually } from '../../support/wait.ts';

/** More than a pipe holds. */
const TEXT = 'é'.repeat(100_000);

for (const blocks of [true, false]) {
  const how = blocks ? 'with a thread' : 'at once';
  test(`a text arrives whole, however slowly it is read, and the event loop goes on meanwhile (${how})`, async (t) => {
    const fifo = join(await scratchFolder(t), 'fifo');
    execFileSync('mkfifo', [fifo]);
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    t.after(() => closeSync(reader));
    const writer = openSync(fifo, constants.O_WRONLY | (blocks ? 0 : constants.O_NONBLOCK));
    t.after(() => closeSync(writer));
    let ended: Error | 'written' | undefined;
    descriptorOutlet({ descriptor: writer, blocks, isTerminal: false }).send(
      TEXT,
      (error) => (ended = error ?? 'written'),
    );
    const taken: Buffer[] = [];
    await eventually(() => {
      const into = Buffer.alloc(10_000);
      try {
        taken.push(into.subarray(0, readSync(reader, into)));
      } catch {
        // Nothing to read yet.
      }
      return ended !== undefined;
    }, 'the text being written');
    assert.equal(ended, 'written');
    const rest = Buffer.alloc(200_000);
    taken.push(rest.subarray(0, readSync(reader, rest)));
    assert.ok(Buffer.concat(taken).equals(Buffer.from(TEXT)));
  });

  test(`a full disk is told to who sends (${how})`, async (t) => {
    const full = openSync('/dev/full', 'w');
    t.after(() => closeSync(full));
    const error = await new Promise<Error | undefined>((resolve) => {
      descriptorOutlet({ descriptor: full, blocks, isTerminal: false }).send('x', resolve);
    });
    assert.equal((error as NodeJS.ErrnoException | undefined)?.code, 'ENOSPC');
  });

  test(`a file gets every byte (${how})`, async (t) => {
    const path = join(await scratchFolder(t), 'log');
    const file = openSync(path, 'a');
    t.after(() => closeSync(file));
    const outlet = descriptorOutlet({ descriptor: file, blocks, isTerminal: false });
    for (const text of [TEXT, 'end']) {
      assert.equal(await new Promise((resolve) => outlet.send(text, resolve)), undefined);
    }
    assert.equal(readFileSync(path, 'utf8'), `${TEXT}end`);
  });
}
