import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { engineWithoutNode, fuzz, FUZZ_SECONDS, NATIVE, SMALL_ENGINE } from '../../../support/native-programs.ts';

test(
  'commands in any order, and peers that do what they like: all is given back, and no sanitizer has anything to say',
  { timeout: 300_000 + 1000 * Number(FUZZ_SECONDS) },
  async (t) => {
    const sources = await engineWithoutNode();
    const { inputs, ways } = await fuzz(t, {
      flags: ['-pthread', ...SMALL_ENGINE],
      // The world has a clock of its own.
      tried: sources.filter((source) => !source.endsWith('/clock.c')),
      others: ['test/half.c', 'test/peer.c', 'fuzz/world.c', 'fuzz/commands-fuzz.c'].map((name) => join(NATIVE, name)),
      corpus: 'commands-corpus',
    });
    assert.ok(inputs > 100, 'it has tried some');
    assert.ok(ways > 900, 'they come as far as relays');
  },
);
