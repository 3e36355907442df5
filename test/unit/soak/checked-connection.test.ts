import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import { bulkOf, CheckedConnection, command, Cut, OK, WrongBytes } from '../../soak/checked-connection.ts';
import { Ledger } from '../../soak/ledger.ts';
import { startServer } from '../../support/tcp.ts';

/** A server that answers the first bytes of each connection with `pieces`, one after the other, and then with `end`. */
async function answering(t: TestContext, pieces: readonly string[], end = false): Promise<CheckedConnection> {
  const { port } = await startServer(t, {
    onConnection: (socket) =>
      socket.setNoDelay(true).once('data', () => {
        for (const piece of pieces) socket.write(piece);
        if (end) socket.end();
      }),
  });
  const connection = new CheckedConnection({ port, limitMs: 5_000 });
  t.after(() => connection.socket.destroy());
  return connection;
}

suite('a checked connection', () => {
  test('takes the right answer, in whatever pieces it comes', async (t) => {
    const connection = await answering(t, ['$5\r\nhe', 'l', 'lo\r\n+O', 'K\r\n$2\r\n', 'ab\r\n']);
    const first = connection.exact(command('ECHO', 'hello'), bulkOf('hello'));
    const second = connection.exact(Buffer.from(''), OK);
    const third = connection.bulk(Buffer.from(''));
    await Promise.all([first, second]);
    assert.equal(await third, 'ab');
    assert.equal(connection.bytesIn, 24);
  });

  for (const [what, answer] of [
    ['a byte that is another', '$5\r\nhellO\r\n'],
    ['a byte that is missing', '$5\r\nhelo\r\n\r\n'],
    ['a byte that is doubled', '$5\r\nheello\r\n'],
    ['another answer first', '+OK\r\n'],
  ] as const) {
    test(`notices ${what}`, async (t) => {
      const connection = await answering(t, [answer]);
      await assert.rejects(connection.exact(command('ECHO', 'hello'), bulkOf('hello')), WrongBytes);
    });
  }

  test('notices bytes that nobody asked for', async (t) => {
    const connection = await answering(t, ['+OK\r\n+OK\r\n']);
    await connection.exact(command('PING'), OK);
    await connection.closed();
    assert.ok(connection.wrong instanceof WrongBytes);
    await assert.rejects(connection.exact(command('PING'), OK), WrongBytes);
  });

  test('a connection that ends in an answer is cut, and not wrong', async (t) => {
    const connection = await answering(t, ['$5\r\nhel'], true);
    await assert.rejects(connection.exact(command('ECHO', 'hello'), bulkOf('hello')), Cut);
    assert.equal(connection.wrong, undefined);
  });

  test('a null bulk string is no value', async (t) => {
    const connection = await answering(t, ['$-1\r\n']);
    assert.equal(await connection.bulk(command('GET', 'k')), undefined);
  });
});

suite('what a client may read of what it wrote', () => {
  test('nothing on a server it has not written to, and nothing else', () => {
    const ledger = new Ledger();
    assert.ok(ledger.allows('run', undefined));
    assert.ok(!ledger.allows('run', 'value'));
  });

  test('the last confirmed value, or one whose confirmation was lost; each run of a server for itself', () => {
    const ledger = new Ledger();
    for (const value of ['1', '2']) {
      ledger.sent('run', value);
      ledger.confirmed('run', value);
    }
    ledger.sent('run', '3');
    assert.ok(ledger.allows('run', '2') && ledger.allows('run', '3'));
    assert.ok(!ledger.allows('run', '1') && !ledger.allows('run', undefined));
    assert.ok(!ledger.allows('other run', '2'));
  });
});
