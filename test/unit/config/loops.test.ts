import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { configure, reportOf } from './configure.ts';

const circles: readonly (readonly [src: string, dst: string])[] = [
  [':26001', '127.0.0.1:26001'],
  [':26001', ':26001'],
  [':26001', 'localhost:26001'],
  [':26001', '127.8.8.8:26001'],
  [':26001', '0.0.0.0:26001'],
  ['0.0.0.0:26001', '[::ffff:127.0.0.1]:26001'],
  ['127.0.0.1:6379', 'localhost:6379'],
  ['localhost:6379', '127.0.0.1:6379'],
  ['[::1]:6379', '[0:0:0:0:0:0:0:1]:6379'],
  ['[::1]:6379', 'localhost:6379'],
  ['10.0.0.5:6379', '10.0.0.5:6379'],
  ['redis.internal:6379', 'redis.internal:6379'],
  ['unix:/run/app.sock', 'unix:/run/app.sock'],
];

suite('a service that carries to itself is refused, with what was found there', () => {
  for (const [src, dst] of circles) {
    test(`SRC=${src} DST=${dst}`, () => {
      const report = reportOf(() => configure({ env: { SRC: src, DST: dst } }));
      assert.match(report, /^DST: expected the address of a server, got ".+", where SRC of this process listens$/);
    });
  }

  test('also as one candidate of several', () => {
    const env = { SRC: ':26001', DST: '10.0.0.9:6379,localhost:26001' };
    assert.equal(
      reportOf(() => configure({ env })),
      'DST: expected the address of a server, got "localhost:26001", where SRC of this process listens',
    );
  });

  test('two services that lead to each other are both named', () => {
    const env = { SRC_A: ':1001', DST_A: 'localhost:1002', SRC_B: '127.0.0.1:1002', DST_B: '127.0.0.1:1001' };
    assert.equal(
      reportOf(() => configure({ env })),
      [
        'DST_A: expected the address of a server, got "localhost:1002", where SRC_B of this process listens, which leads back to SRC_A',
        'DST_B: expected the address of a server, got "127.0.0.1:1001", where SRC_A of this process listens, which leads back to SRC_B',
      ].join('\n'),
    );
  });

  test('in cluster mode a listener that is another one’s candidate leads in a circle only when both do', () => {
    const crossed = { SRC: ':1001,:1002', DST: 'localhost:1002,localhost:1001' };
    assert.match(
      reportOf(() => configure({ env: crossed })),
      /where SRC of this process listens/,
    );
    configure({ env: { SRC: ':1001,:1002', DST: 'localhost:1002,10.0.0.9:6379' } });
  });
});

suite('what leads to a server is let in', () => {
  for (const [src, dst] of [
    [':26001', '127.0.0.1:26002'],
    [':26001', '10.0.0.9:26001'],
    [':26001', '[::1]:26001'],
    ['[::1]:26001', '127.0.0.1:26001'],
    ['127.0.0.2:26001', '127.0.0.1:26001'],
    ['127.0.0.1:0', '127.0.0.1:26001'],
    ['unix:/run/a.sock', 'unix:/run/b.sock'],
    [':6379', 'redis:6379'],
  ] as const) {
    test(`SRC=${src} DST=${dst}`, () => void configure({ env: { SRC: src, DST: dst } }));
  }

  test('a chain of two services that ends at a server', () => {
    configure({ env: { SRC_A: ':1001', DST_A: 'localhost:1002', SRC_B: ':1002', DST_B: '10.0.0.9:6379' } });
  });
});
